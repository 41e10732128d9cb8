#pragma once

/// At most so many units in any stretch of time of a given length. Pure: time is handed in.
///
/// A unit is held from take() until `window` after settle(). The server counts it at some instant
/// between the two, so our count is never below the server's, however long a request travels.

#include <chrono>
#include <cstdint>
#include <deque>

namespace mailferry::graph {

using SteadyTime = std::chrono::steady_clock::time_point;

class SlidingWindow {
public:
    SlidingWindow(std::uint64_t units_max, std::chrono::milliseconds window)
        : units_max_(units_max), window_(window) {}

    /// When `units` may be taken: `now` or earlier means now. SteadyTime::max(): not before
    /// something that is held is settled. More than the window takes may go when it is empty.
    SteadyTime free_at(std::uint64_t units, SteadyTime now) const;
    void take(std::uint64_t units);
    void settle(std::uint64_t units, SteadyTime now);
    /// Units that count at `now`.
    std::uint64_t used(SteadyTime now) const;

private:
    struct Run {
        SteadyTime ends;
        std::uint64_t units;
    };

    std::uint64_t units_max_;
    std::chrono::milliseconds window_;
    std::uint64_t held_ = 0;
    std::deque<Run> running_out_;  ///< In order of `ends`; at most a thousand.
};

}  // namespace mailferry::graph
