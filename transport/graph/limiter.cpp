#include "transport/graph/limiter.hpp"

#include "config/base/assert.hpp"

#include <algorithm>

namespace mailferry::graph {
namespace {

constexpr std::uint32_t app_ceiling_min = 4;

std::uint64_t share_of(std::uint64_t units, std::uint32_t percent) {
    return std::max<std::uint64_t>(1, units * percent / 100);
}

}  // namespace

std::string_view to_string(Binding binding) {
    switch (binding) {
    case Binding::concurrency: return "concurrency";
    case Binding::requests: return "requests";
    case Binding::upload: return "upload";
    case Binding::retry_after: return "retry-after";
    case Binding::app: return "app";
    }
    return "app";
}

void Pause::begin(Notice const& notice, SteadyTime now, double jitter) {
    // What was sent before the pause began belongs to the burst that caused it.
    if (streak_ == 0 || notice.sent > began_) {
        streak_ = std::min<std::uint32_t>(streak_ + 1, 16);
        began_ = now;
    }
    auto length =
        notice.retry_after.value_or(std::min(backoff_max_, backoff_first_ * (1u << (streak_ - 1))));
    length += std::chrono::milliseconds(
        static_cast<std::int64_t>(static_cast<double>(length.count()) * 0.2 * jitter));
    until_ = std::max(until_, now + length);
}

MailboxLimiter::MailboxLimiter(Limits const& limits)
    : requests_(share_of(limits.requests_max, limits.share_percent), limits.request_window),
      upload_(share_of(limits.upload_bytes_max, limits.share_percent), limits.upload_window),
      pause_(limits),
      concurrent_max_(limits.concurrent_max),
      ceiling_(limits.concurrent_max),
      ceiling_recovery_(limits.request_window) {}

std::optional<Obstacle> MailboxLimiter::obstacle(std::uint64_t upload_bytes, SteadyTime now) const {
    if (auto const until = pause_.until(now)) return Obstacle{Binding::retry_after, *until};
    bool const recovered = ceiling_lowered_ + ceiling_recovery_ <= now;
    if (in_flight_ >= (recovered ? concurrent_max_ : ceiling_))
        return Obstacle{Binding::concurrency, SteadyTime::max()};
    if (auto const at = requests_.free_at(1, now); at > now) return Obstacle{Binding::requests, at};
    if (upload_bytes == 0) return std::nullopt;
    if (auto const at = upload_.free_at(upload_bytes, now); at > now)
        return Obstacle{Binding::upload, at};
    return std::nullopt;
}

void MailboxLimiter::begin(std::uint64_t upload_bytes) {
    ++in_flight_;
    requests_.take(1);
    upload_.take(upload_bytes);
}

void MailboxLimiter::end(std::uint64_t upload_bytes, SteadyTime now) {
    MAILFERRY_ASSERT(in_flight_ > 0);
    --in_flight_;
    requests_.settle(1, now);
    if (upload_bytes > 0) upload_.settle(upload_bytes, now);
}

void MailboxLimiter::heed(Notice const& notice, SteadyTime now, double jitter) {
    switch (notice.verdict) {
    case Verdict::taken: pause_.clear_streak(); return;
    case Verdict::app_throttled:
    case Verdict::failed: return;
    case Verdict::too_many_at_once:
        if (ceiling_lowered_ + ceiling_recovery_ <= now) ceiling_ = concurrent_max_;
        if (notice.sent > ceiling_lowered_) {
            ceiling_ = std::max(1u, ceiling_ - 1);
            ceiling_lowered_ = now;
        }
        break;
    case Verdict::throttled:
    case Verdict::overloaded: break;
    }
    pause_.begin(notice, now, jitter);
}

bool MailboxLimiter::idle(SteadyTime now) const {
    return in_flight_ == 0 && !pause_.until(now) && requests_.used(now) == 0 &&
           upload_.used(now) == 0;
}

AppLimiter::AppLimiter(Limits const& limits)
    : pause_(limits),
      ceiling_max_(limits.app_concurrent_max),
      ceiling_(limits.app_concurrent_first) {}

std::optional<Obstacle> AppLimiter::obstacle(SteadyTime now) const {
    if (auto const until = pause_.until(now)) return Obstacle{Binding::retry_after, *until};
    if (in_flight_ >= ceiling_) return Obstacle{Binding::app, SteadyTime::max()};
    return std::nullopt;
}

void AppLimiter::end() {
    MAILFERRY_ASSERT(in_flight_ > 0);
    --in_flight_;
}

void AppLimiter::heed(Notice const& notice, SteadyTime now, double jitter) {
    bool const too_much =
        notice.verdict == Verdict::app_throttled || notice.verdict == Verdict::overloaded;
    if (too_much) {
        taken_in_a_row_ = 0;
        if (notice.sent > lowered_) {
            ceiling_ = std::max(app_ceiling_min, ceiling_ / 2);
            lowered_ = now;
        }
        if (notice.verdict == Verdict::app_throttled) pause_.begin(notice, now, jitter);
        return;
    }
    if (notice.verdict != Verdict::taken) return;
    pause_.clear_streak();
    if (++taken_in_a_row_ < ceiling_) return;
    taken_in_a_row_ = 0;
    ceiling_ = std::min(ceiling_max_, ceiling_ + 1);
}

}  // namespace mailferry::graph
