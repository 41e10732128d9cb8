#pragma once

/// The published limits, per app and mailbox: requests at once, requests in a window, bytes
/// uploaded in a window; and per app and tenant for the directory. Also knows who was told to stay
/// away.

#include "tests/support/graphsim/clock.hpp"
#include "tests/support/graphsim/options.hpp"
#include "tests/support/graphsim/random.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace graphsim {

struct LimiterKey {
    std::string app;
    std::string scope;  ///< Mailbox::id, or the tenant's id for the directory.
    auto operator<=>(LimiterKey const&) const = default;
};

struct Refusal {
    std::string code;
    std::string message;
    std::optional<double> retry_after_seconds;
    std::vector<std::pair<std::string, std::string>> headers;
};

class Throttle {
public:
    Throttle(Clock const& clock, Options const& options, Random& random)
        : clock_(clock), options_(options), random_(random) {}

    /// Counts a request that has come in; an answer means 429. Each call needs one leave().
    std::optional<Refusal> enter(LimiterKey const& key);
    void leave(LimiterKey const& key);
    std::uint64_t in_flight(LimiterKey const& key) const;
    std::uint64_t in_flight_max(LimiterKey const& key) const;

    /// Refused if the window is full already; the bytes themselves are counted as they come.
    std::optional<Refusal> may_upload(LimiterKey const& key);
    void uploaded(LimiterKey const& key, std::uint64_t bytes);

    /// Directory: `units` of cost. Adds warning headers to `headers`.
    std::optional<Refusal> spend(LimiterKey const& key, std::uint64_t units,
                                 std::vector<std::pair<std::string, std::string>>& headers);

    /// The client was told now to wait.
    void told_to_wait(LimiterKey const& key, Time until);
    /// Whether a request that comes now disobeys.
    bool inside_retry_after(LimiterKey const& key) const;
    void forget() { limiters_.clear(); }

    struct Limiter {
        std::uint64_t in_flight = 0;
        std::uint64_t in_flight_max = 0;
        std::deque<std::pair<Time, std::uint64_t>> requests;
        std::deque<std::pair<Time, std::uint64_t>> uploads;
        std::uint64_t requests_in_window = 0;
        std::uint64_t upload_bytes_in_window = 0;
        std::uint64_t requests_total = 0;
        std::uint64_t upload_bytes_total = 0;
        std::uint64_t refused = 0;
        Time told_at{};
        Time closed_until{};
    };
    std::map<LimiterKey, Limiter> const& limiters() const { return limiters_; }

private:
    double scaled(double limit) const { return limit / options_.throttle_scale; }

    Clock const& clock_;
    Options const& options_;
    Random& random_;
    std::map<LimiterKey, Limiter> limiters_;
};

}  // namespace graphsim
