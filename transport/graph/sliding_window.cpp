#include "transport/graph/sliding_window.hpp"

#include "config/base/assert.hpp"

#include <algorithm>

namespace mailferry::graph {
namespace {

/// Runs that end within this part of the window are kept as one.
constexpr int grains_in_window = 1000;

}  // namespace

SteadyTime SlidingWindow::free_at(std::uint64_t units, SteadyTime now) const {
    auto counted = used(now);
    auto const wanted = std::min(units, units_max_);
    if (counted + wanted <= units_max_) return now;
    for (auto const& run : running_out_) {
        if (run.ends <= now) continue;
        counted -= run.units;
        if (counted + wanted <= units_max_) return run.ends;
    }
    return SteadyTime::max();
}

void SlidingWindow::take(std::uint64_t units) { held_ += units; }

void SlidingWindow::settle(std::uint64_t units, SteadyTime now) {
    MAILFERRY_ASSERT(held_ >= units);
    held_ -= units;
    while (!running_out_.empty() && running_out_.front().ends <= now) running_out_.pop_front();
    // Rounded up: a thousand runs at most, none of which ends early.
    auto const grain = std::chrono::duration_cast<SteadyTime::duration>(window_) / grains_in_window;
    auto const exact = (now + window_).time_since_epoch();
    auto const ends = SteadyTime((exact / grain + 1) * grain);
    if (!running_out_.empty() && running_out_.back().ends >= ends)
        running_out_.back().units += units;
    else
        running_out_.push_back({ends, units});
}

std::uint64_t SlidingWindow::used(SteadyTime now) const {
    auto counted = held_;
    for (auto const& run : running_out_)
        if (run.ends > now) counted += run.units;
    return counted;
}

}  // namespace mailferry::graph
