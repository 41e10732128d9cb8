#pragma once

/// What the progress display shows: engine values in, lines of text out. Pure.

#include "daemon/engine_view.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace mailferry::daemon {

/// How fast it went lately: totals at moments of the last half minute.
class RateHistory {
public:
    struct Rate {
        double items_per_second = 0, bytes_per_second = 0;
    };

    void add(std::chrono::steady_clock::time_point when, std::uint64_t items, std::uint64_t bytes);
    /// Nothing before two moments at least a second apart are known.
    std::optional<Rate> rate() const;

private:
    struct Sample {
        std::chrono::steady_clock::time_point when;
        std::uint64_t items, bytes;
    };
    std::deque<Sample> samples_;
};

/// How far the present run has come.
struct ProgressFigures {
    std::uint64_t items_done = 0, items_planned = 0;  ///< Planned is at least done.
    std::uint64_t bytes_done = 0, bytes_planned = 0;
    std::optional<unsigned> percent;           ///< By bytes; by items if sizes are unknown.
    std::optional<std::chrono::seconds> left;  ///< At the present rate.
};
ProgressFigures progress_figures(Totals const& totals, std::optional<RateHistory::Rate> rate);

/// The display: totals, passes under way, warnings, and of `running` as many mailboxes as fit. At
/// most `height` lines, none wider than `width` columns; foreign text is escaped.
std::vector<std::string> render_progress(EngineStatus const& status,
                                         std::vector<MailboxView> const& running, std::size_t width,
                                         std::size_t height, RateHistory const& history);

/// The same in one line, for a log or a pipe.
std::string progress_line(EngineStatus const& status, RateHistory const& history);

}  // namespace mailferry::daemon
