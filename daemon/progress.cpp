#include "daemon/progress.hpp"

#include "daemon/text_layout.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace mailferry::daemon {
namespace {

/// Of the running mailboxes; more lines than any terminal has.
constexpr std::size_t mailboxes_shown_max = 512;

// ECMA-48 control sequences, and xterm's private modes 25 (cursor) and 7 (wrapping).
constexpr std::string_view hide_cursor = "\x1b[?25l";
constexpr std::string_view show_cursor = "\x1b[?25h";
constexpr std::string_view wrap_off = "\x1b[?7l";
constexpr std::string_view wrap_on = "\x1b[?7h";
constexpr std::string_view clear_line_end = "\x1b[K";
constexpr std::string_view clear_below = "\x1b[J";

/// Nothing waits for the reader of a display.
bool takes_bytes(int descriptor) {
    pollfd ready{descriptor, POLLOUT, 0};
    return ::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
}

void write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        auto const count = ::write(descriptor, bytes.data(), bytes.size());
        if (count <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

}  // namespace

TerminalFrame::Size TerminalFrame::size() const {
    winsize window{};
    if (::ioctl(descriptor_, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0)
        return {};
    return {window.ws_col, window.ws_row};
}

std::string TerminalFrame::redraw(std::vector<std::size_t> const& old_widths,
                                  std::vector<std::string> const& lines, std::size_t columns) {
    std::size_t rows = 0;
    for (auto const width : old_widths)
        rows += std::max<std::size_t>(1, (width + columns - 1) / columns);
    std::string out(hide_cursor);
    out.append(wrap_off).append("\r");
    // The cursor stands at the end of the last line.
    if (rows > 1) out.append("\x1b[").append(std::to_string(rows - 1)).append("A");
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) out.append("\r\n");
        out.append(lines[i]).append(clear_line_end);
    }
    return out.append(clear_below).append(wrap_on);
}

void TerminalFrame::draw(std::vector<std::string> const& lines) {
    if (!takes_bytes(descriptor_)) return;
    write_all(descriptor_, redraw(widths_, lines, size().columns));
    drawn_ = true;
    widths_.clear();
    for (auto const& line : lines) widths_.push_back(display_width(line));
}

void TerminalFrame::finish() {
    if (!drawn_) return;
    drawn_ = false;
    widths_.clear();
    write_all(descriptor_, std::string("\r\n").append(show_cursor));
}

bool can_redraw(int descriptor) {
    auto const* const terminal = std::getenv("TERM");
    return ::isatty(descriptor) == 1 && terminal != nullptr &&
           std::string_view(terminal) != "dumb" && *terminal != '\0';
}

Progress::Progress(asio::any_io_executor executor, EngineControl const& engine, Clock const& clock,
                   int descriptor)
    : engine_(engine),
      clock_(clock),
      descriptor_(descriptor),
      terminal_(can_redraw(descriptor)),
      timer_(executor),
      frame_(descriptor) {}

awaitable<void> Progress::run() {
    constexpr std::chrono::milliseconds frame_interval{200};
    while (!stopping_) {
        show();
        timer_.expires_after(frame_interval);
        boost::system::error_code woken;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    show();
    frame_.finish();
}

void Progress::stop() {
    stopping_ = true;
    timer_.cancel();
}

void Progress::show() {
    auto const status = engine_.status();
    history_.add(clock_.steady(), status.totals.items_stored + status.totals.items_failed,
                 status.totals.bytes_stored);
    if (terminal_) {
        show_frame(status);
    } else {
        show_line(status);
    }
}

void Progress::show_frame(EngineStatus const& status) {
    auto const size = frame_.size();
    // One row stays free: a frame as high as the terminal would scroll. One column, too: some
    // terminals wrap when it is written.
    auto const width = size.columns > 1 ? size.columns - 1 : 1;
    auto const height = size.rows > 1 ? size.rows - 1 : 1;
    auto const running = engine_.mailboxes(store::PassState::running, 0, mailboxes_shown_max);
    frame_.draw(render_progress(status, running, width, height, history_));
}

void Progress::show_line(EngineStatus const& status) {
    constexpr std::chrono::seconds line_interval{5};
    std::string passes;
    for (auto const& pass : status.passes)
        passes.append(pass.migration + '/' + pass.pass).append(store::to_string(pass.state));
    auto const now = clock_.steady();
    if (!stopping_ && passes == last_passes_ && now - last_line_ < line_interval) return;
    last_passes_ = passes;
    last_line_ = now;
    if (takes_bytes(descriptor_)) write_all(descriptor_, progress_line(status, history_) + "\n");
}

}  // namespace mailferry::daemon
