#pragma once

/// The progress display of `mailferry copy`: redrawn in place on a terminal, a plain line every few
/// seconds and at each change of a pass elsewhere.
///
/// Never holds up the engine: a terminal that takes nothing (Ctrl-S) misses frames.

#include "config/base/clock.hpp"
#include "daemon/progress_view.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::daemon {

/// Draws frames over each other. Takes care of the cursor: hidden while a frame stands, put below
/// it and shown again by finish() (or the destructor). Doesn't own the descriptor.
class TerminalFrame {
public:
    explicit TerminalFrame(int descriptor) : descriptor_(descriptor) {}
    ~TerminalFrame() { finish(); }
    TerminalFrame(TerminalFrame const&) = delete;
    TerminalFrame& operator=(TerminalFrame const&) = delete;

    struct Size {
        std::size_t columns = 80, rows = 24;
    };
    Size size() const;
    void draw(std::vector<std::string> const& lines);
    /// Leaves the last frame standing.
    void finish();

    /// The bytes that replace a frame whose lines have these widths by `lines`. Terminals wrap the
    /// old lines when they become narrower: the way up is longer then. Pure.
    static std::string redraw(std::vector<std::size_t> const& old_widths,
                              std::vector<std::string> const& lines, std::size_t columns);

private:
    int const descriptor_;
    bool drawn_ = false;
    std::vector<std::size_t> widths_;
};

/// True if `descriptor` is a terminal that can move its cursor.
bool can_redraw(int descriptor);

class Progress {
public:
    /// `engine` and `clock` must outlive the display.
    Progress(asio::any_io_executor executor, EngineControl const& engine, Clock const& clock,
             int descriptor);

    /// Until stop(); then draws once more.
    awaitable<void> run();
    void stop();

private:
    void show();
    void show_frame(EngineStatus const& status);
    void show_line(EngineStatus const& status);

    EngineControl const& engine_;
    Clock const& clock_;
    int const descriptor_;
    bool const terminal_;
    bool stopping_ = false;
    asio::steady_timer timer_;
    RateHistory history_;
    TerminalFrame frame_;
    std::chrono::steady_clock::time_point last_line_{};
    std::string last_passes_;  ///< States of the passes as last shown.
};

}  // namespace mailferry::daemon
