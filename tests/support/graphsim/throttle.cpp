#include "tests/support/graphsim/throttle.hpp"

#include <cmath>

namespace graphsim {

namespace {

using Window = std::deque<std::pair<Time, std::uint64_t>>;

void forget_old(Window& window, std::uint64_t& total, Time since) {
    while (!window.empty() && window.front().first <= since) {
        total -= window.front().second;
        window.pop_front();
    }
}

/// Whole seconds until enough of the window is forgotten for `total` to fall below `limit`.
double wait_seconds(Window const& window, std::uint64_t total, double limit, Time now,
                    double window_seconds) {
    for (auto const& [time, amount] : window) {
        total -= amount;
        if (static_cast<double>(total) < limit) {
            return std::max(1.0, std::ceil(seconds_of(time - now) + window_seconds));
        }
    }
    return std::ceil(window_seconds);
}

}  // namespace

std::optional<Refusal> Throttle::enter(LimiterKey const& key) {
    auto& limiter = limiters_[key];
    auto const now = clock_.now();
    ++limiter.in_flight;
    limiter.in_flight_max = std::max(limiter.in_flight_max, limiter.in_flight);
    forget_old(limiter.requests, limiter.requests_in_window,
               now - seconds(options_.requests_window_seconds));
    auto const limit = scaled(static_cast<double>(options_.requests_max));
    bool const full = static_cast<double>(limiter.requests_in_window) >= limit;
    limiter.requests.emplace_back(now, 1);
    ++limiter.requests_in_window;
    ++limiter.requests_total;
    if (!options_.throttle) return std::nullopt;
    if (limiter.in_flight > options_.concurrency_max) {
        ++limiter.refused;
        Refusal refusal{
            "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", {}, {}};
        if (!random_.chance(options_.retry_after_missing)) {
            refusal.retry_after_seconds = 1 + static_cast<double>(random_.below(10));
        }
        return refusal;
    }
    if (full) {
        ++limiter.refused;
        return Refusal{"ApplicationThrottled",
                       "Application is over its request limit.",
                       wait_seconds(limiter.requests, limiter.requests_in_window, limit, now,
                                    options_.requests_window_seconds),
                       {}};
    }
    return std::nullopt;
}

void Throttle::leave(LimiterKey const& key) {
    auto const found = limiters_.find(key);
    if (found != limiters_.end() && found->second.in_flight > 0) --found->second.in_flight;
}

std::uint64_t Throttle::in_flight(LimiterKey const& key) const {
    auto const found = limiters_.find(key);
    return found == limiters_.end() ? 0 : found->second.in_flight;
}

std::uint64_t Throttle::in_flight_max(LimiterKey const& key) const {
    auto const found = limiters_.find(key);
    return found == limiters_.end() ? 0 : found->second.in_flight_max;
}

std::optional<Refusal> Throttle::may_upload(LimiterKey const& key) {
    auto& limiter = limiters_[key];
    auto const now = clock_.now();
    forget_old(limiter.uploads, limiter.upload_bytes_in_window,
               now - seconds(options_.upload_window_seconds));
    auto const limit = scaled(static_cast<double>(options_.upload_bytes_max));
    if (!options_.throttle || static_cast<double>(limiter.upload_bytes_in_window) < limit) {
        return std::nullopt;
    }
    ++limiter.refused;
    return Refusal{"ApplicationThrottled",
                   "Application is over its upload limit.",
                   wait_seconds(limiter.uploads, limiter.upload_bytes_in_window, limit, now,
                                options_.upload_window_seconds),
                   {}};
}

void Throttle::uploaded(LimiterKey const& key, std::uint64_t bytes) {
    auto& limiter = limiters_[key];
    limiter.uploads.emplace_back(clock_.now(), bytes);
    limiter.upload_bytes_in_window += bytes;
    limiter.upload_bytes_total += bytes;
}

std::optional<Refusal> Throttle::spend(LimiterKey const& key, std::uint64_t units,
                                       std::vector<std::pair<std::string, std::string>>& headers) {
    if (!options_.identity_limits) return std::nullopt;
    constexpr double window_seconds = 10;
    auto& limiter = limiters_[key];
    auto const now = clock_.now();
    forget_old(limiter.uploads, limiter.upload_bytes_in_window, now - seconds(window_seconds));
    auto const limit = scaled(static_cast<double>(options_.identity_units));
    auto const used = static_cast<double>(limiter.upload_bytes_in_window + units) / limit;
    limiter.uploads.emplace_back(now, units);
    limiter.upload_bytes_in_window += units;
    headers.emplace_back("x-ms-resource-unit", std::to_string(units));
    if (used >= 0.8) {
        headers.emplace_back("x-ms-throttle-limit-percentage", std::to_string(used).substr(0, 4));
    }
    if (used <= 1) return std::nullopt;
    ++limiter.refused;
    return Refusal{
        "TooManyRequests",
        "Too many requests.",
        wait_seconds(limiter.uploads, limiter.upload_bytes_in_window, limit, now, window_seconds),
        {{"x-ms-throttle-scope", "Tenant_Application/ReadWrite/" + key.app},
         {"x-ms-throttle-information", "ResourceUnitLimitExceeded"}}};
}

void Throttle::told_to_wait(LimiterKey const& key, Time until) {
    auto& limiter = limiters_[key];
    auto const now = clock_.now();
    // A wait that is over starts anew: only then does the grace for requests on their way count.
    if (limiter.closed_until <= now) limiter.told_at = now;
    limiter.closed_until = std::max(limiter.closed_until, until);
}

bool Throttle::inside_retry_after(LimiterKey const& key) const {
    auto const found = limiters_.find(key);
    if (found == limiters_.end()) return false;
    auto const now = clock_.now();
    return now < found->second.closed_until &&
           now > found->second.told_at + seconds(options_.retry_after_grace_seconds);
}

}  // namespace graphsim
