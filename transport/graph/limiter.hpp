#pragma once

/// Who may send now, by the limits that the service publishes and by what it has answered. Pure:
/// time is handed in, nothing waits here (see gate.hpp).

#include "transport/graph/limits.hpp"
#include "transport/graph/sliding_window.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace mailferry::graph {

/// What holds a request back.
enum class Binding {
    concurrency,  ///< Requests of this mailbox in flight.
    requests,     ///< Requests of this mailbox in ten minutes.
    upload,       ///< Bytes sent to this mailbox in five minutes.
    retry_after,  ///< The service asked for a pause, or is given one.
    app,          ///< The app as a whole.
};
std::string_view to_string(Binding binding);
/// All of them, in the order of their values.
inline constexpr std::array bindings{Binding::concurrency, Binding::requests, Binding::upload,
                                     Binding::retry_after, Binding::app};

struct Obstacle {
    Binding binding;
    SteadyTime until;  ///< SteadyTime::max(): until a request in flight ends.
};

/// How the service took a request.
enum class Verdict {
    taken,             ///< Any answer that says nothing about load.
    throttled,         ///< 429 for the mailbox, or 504.
    too_many_at_once,  ///< 429 that names the mailbox's concurrency.
    app_throttled,     ///< 429 that names the app or the tenant.
    failed,            ///< 500, 502, no answer: the request alone is unlucky.
    overloaded,        ///< 503.
};

/// What an answer says about the requests to come.
struct Notice {
    Verdict verdict = Verdict::taken;
    std::optional<std::chrono::milliseconds> retry_after = {};
    SteadyTime sent;  ///< When the request was let go.
};

/// A pause that only ever grows until it is over, and doubles while refusals go on.
class Pause {
public:
    explicit Pause(Limits const& limits)
        : backoff_first_(limits.backoff_first), backoff_max_(limits.backoff_max) {}

    /// `jitter`: 0 … 1, of the fifth that is added so that waiters don't come back as one.
    void begin(Notice const& notice, SteadyTime now, double jitter);
    void clear_streak() { streak_ = 0; }
    std::optional<SteadyTime> until(SteadyTime now) const {
        return until_ > now ? std::optional(until_) : std::nullopt;
    }

private:
    std::chrono::milliseconds backoff_first_, backoff_max_;
    SteadyTime until_{};
    SteadyTime began_{};
    std::uint32_t streak_ = 0;  ///< Refusals in a row; those of one burst count once.
};

/// One (app, mailbox).
class MailboxLimiter {
public:
    explicit MailboxLimiter(Limits const& limits);

    /// Nothing: a request with a body of `upload_bytes` may go now.
    std::optional<Obstacle> obstacle(std::uint64_t upload_bytes, SteadyTime now) const;
    void begin(std::uint64_t upload_bytes);
    void end(std::uint64_t upload_bytes, SteadyTime now);
    void heed(Notice const& notice, SteadyTime now, double jitter);
    /// Nothing in flight, counted or paused: as good as new.
    bool idle(SteadyTime now) const;

private:
    SlidingWindow requests_, upload_;
    Pause pause_;
    std::uint32_t const concurrent_max_;
    std::uint32_t ceiling_;
    std::chrono::milliseconds const ceiling_recovery_;
    SteadyTime ceiling_lowered_{};
    std::uint32_t in_flight_ = 0;
};

/// One app over all its mailboxes.
class AppLimiter {
public:
    explicit AppLimiter(Limits const& limits);

    std::optional<Obstacle> obstacle(SteadyTime now) const;
    void begin() { ++in_flight_; }
    void end();
    void heed(Notice const& notice, SteadyTime now, double jitter);
    std::uint32_t ceiling() const { return ceiling_; }

private:
    Pause pause_;
    std::uint32_t const ceiling_max_;
    std::uint32_t ceiling_;
    std::uint32_t taken_in_a_row_ = 0;
    SteadyTime lowered_{};
    std::uint32_t in_flight_ = 0;
};

}  // namespace mailferry::graph
