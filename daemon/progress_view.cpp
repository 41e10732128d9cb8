#include "daemon/progress_view.hpp"

#include "config/base/units.hpp"
#include "daemon/text_layout.hpp"

#include <algorithm>
#include <cmath>

namespace mailferry::daemon {
namespace {

using store::PassState;
using Lines = std::vector<std::string>;

constexpr std::size_t warnings_max = 3;

std::string percent_text(std::optional<unsigned> percent) {
    return percent ? std::to_string(*percent) + " %" : std::string("-- %");
}

std::string bar(std::optional<unsigned> percent, std::size_t columns) {
    if (columns < 6) return {};
    auto const inside = columns - 2;
    auto const full = inside * percent.value_or(0) / 100;
    std::string text = "[";
    text.append(full, '=');
    if (full < inside) text.append(full > 0 ? ">" : " ").append(inside - full - 1, ' ');
    return text.append("]");
}

std::optional<unsigned> percent_of(std::uint64_t done, std::uint64_t planned) {
    if (planned == 0) return std::nullopt;
    auto const part = static_cast<double>(std::min(done, planned)) / static_cast<double>(planned);
    return static_cast<unsigned>(part * 100);
}

/// Joins parts until the next one would not fit.
std::string join_fitting(Lines const& parts, std::size_t width) {
    std::string line;
    for (auto const& part : parts) {
        if (part.empty()) continue;
        auto const gap = line.empty() ? 0u : 2u;
        if (display_width(line) + gap + display_width(part) > width) {
            if (line.empty()) return cut_to_width(part, width);
            break;
        }
        line.append(gap, ' ').append(part);
    }
    return line;
}

std::string rate_text(std::optional<RateHistory::Rate> rate) {
    if (!rate) return {};
    return format_bytes(static_cast<std::uint64_t>(rate->bytes_per_second)) + "/s";
}

std::string items_text(ProgressFigures const& figures) {
    return format_count(figures.items_done) + " of " +
           format_count(figures.items_planned, "item", "items");
}

std::string bytes_text(ProgressFigures const& figures) {
    return format_bytes(figures.bytes_done) + " of " + format_bytes(figures.bytes_planned);
}

std::string left_text(ProgressFigures const& figures) {
    return figures.left ? format_duration(*figures.left) + " left" : std::string();
}

std::string totals_line(EngineStatus const& status, ProgressFigures const& figures,
                        std::optional<RateHistory::Rate> rate, std::size_t width) {
    constexpr std::size_t bar_columns = 22;
    Lines parts;
    if (width >= 100) parts.push_back(bar(figures.percent, bar_columns));
    parts.push_back(percent_text(figures.percent));
    parts.push_back(items_text(figures));
    parts.push_back(bytes_text(figures));
    parts.push_back(rate_text(rate));
    parts.push_back(left_text(figures));
    if (status.totals.items_failed > 0)
        parts.push_back(format_count(status.totals.items_failed) + " failed");
    return join_fitting(parts, width);
}

std::string pass_line(PassView const& pass, std::size_t width) {
    Lines parts;
    parts.push_back(one_line(pass.migration) + " / " + one_line(pass.pass) + ": " +
                    format_count(pass.mailboxes_done) + " of " +
                    format_count(pass.mailboxes, "mailbox", "mailboxes") + " done");
    if (pass.mailboxes_running > 0)
        parts.push_back(format_count(pass.mailboxes_running) + " running");
    if (pass.mailboxes_failed > 0) parts.push_back(format_count(pass.mailboxes_failed) + " failed");
    if (pass.state == PassState::paused) parts.push_back("paused");
    return join_fitting(parts, width);
}

std::string resources_line(EngineStatus const& status, std::size_t width) {
    std::uint64_t sessions = 0;
    std::uint64_t ceiling = 0;
    for (auto const& admin : status.admins) {
        sessions += admin.sessions;
        ceiling += admin.sessions_ceiling;
    }
    return join_fitting({"sessions " + format_count(sessions) + " of " + format_count(ceiling),
                         "spool " + format_bytes(status.spool.bytes_allocated) + " of " +
                             format_bytes(status.spool.bytes_max),
                         "memory " + format_bytes(status.totals.memory_used) + " of " +
                             format_bytes(status.totals.memory_max)},
                        width);
}

std::string mailbox_line(MailboxView const& mailbox, std::size_t width) {
    constexpr std::size_t indent = 2;
    constexpr std::size_t bar_columns = 12;
    if (width <= indent + 8) return cut_to_width("  " + one_line(mailbox.source), width);
    auto percent = percent_of(mailbox.bytes_done, mailbox.bytes_planned);
    if (!percent) percent = percent_of(mailbox.items_done, mailbox.items_planned);
    // The name gets up to a third, and at least what a narrow terminal leaves beside the percent.
    auto const name_columns = std::clamp<std::size_t>(width / 3, 8, 40);
    auto line = std::string(indent, ' ') +
                pad_right(cut_middle(one_line(mailbox.source), name_columns), name_columns);
    auto const room = width - std::min(width, indent + name_columns + 2);
    Lines parts;
    if (width >= 80) parts.push_back(bar(percent, bar_columns));
    parts.push_back(pad_left(percent_text(percent), 5));
    parts.push_back(
        pad_left(format_count(mailbox.items_done) + "/" + format_count(mailbox.items_planned), 11));
    parts.push_back(pad_left(format_bytes(mailbox.bytes_done), 8));
    auto figures = join_fitting(parts, room);
    auto const used = display_width(figures);
    // The folder takes the rest if that is enough to recognise it.
    if (used + 2 + 8 <= room && !mailbox.folder.empty())
        figures.append("  ").append(cut_middle(one_line(mailbox.folder), room - used - 2));
    return cut_to_width(line.append("  ").append(figures), width);
}

bool under_way(PassView const& pass) {
    return pass.state == PassState::running || pass.state == PassState::paused;
}

}  // namespace

void RateHistory::add(std::chrono::steady_clock::time_point when, std::uint64_t items,
                      std::uint64_t bytes) {
    constexpr std::chrono::seconds memory{30};
    constexpr std::chrono::milliseconds grain{250};
    // The newest sample follows the clock; older ones stay apart, so that their number is bounded.
    if (samples_.size() >= 2 && when - samples_[samples_.size() - 2].when < grain)
        samples_.back() = {when, items, bytes};
    else
        samples_.push_back({when, items, bytes});
    while (samples_.size() > 2 && when - samples_.front().when > memory) samples_.pop_front();
}

std::optional<RateHistory::Rate> RateHistory::rate() const {
    if (samples_.size() < 2) return std::nullopt;
    auto const& first = samples_.front();
    auto const& last = samples_.back();
    auto const seconds = std::chrono::duration<double>(last.when - first.when).count();
    if (seconds < 1 || last.items < first.items || last.bytes < first.bytes) return std::nullopt;
    return Rate{static_cast<double>(last.items - first.items) / seconds,
                static_cast<double>(last.bytes - first.bytes) / seconds};
}

ProgressFigures progress_figures(Totals const& totals, std::optional<RateHistory::Rate> rate) {
    ProgressFigures figures;
    figures.items_done = totals.items_stored + totals.items_failed;
    figures.items_planned = std::max(totals.items_planned, figures.items_done);
    figures.bytes_done = totals.bytes_stored;
    figures.bytes_planned = std::max(totals.bytes_planned, figures.bytes_done);
    figures.percent = totals.bytes_planned > 0
                          ? percent_of(figures.bytes_done, figures.bytes_planned)
                          : percent_of(figures.items_done, figures.items_planned);
    // Rounding must not claim the end while items are left.
    if (figures.percent == 100u && figures.items_done < figures.items_planned) figures.percent = 99;
    auto const bytes_left = static_cast<double>(figures.bytes_planned - figures.bytes_done);
    auto const items_left = static_cast<double>(figures.items_planned - figures.items_done);
    if (!rate || items_left == 0) return figures;
    // Small items cost their round trips, large ones their bytes: the slower of the two binds.
    double seconds = 0;
    if (rate->items_per_second > 0) seconds = items_left / rate->items_per_second;
    if (rate->bytes_per_second > 0)
        seconds = std::max(seconds, bytes_left / rate->bytes_per_second);
    constexpr double seconds_max = 100.0 * 86'400;
    if (seconds > 0 && seconds < seconds_max)
        figures.left = std::chrono::seconds(static_cast<std::int64_t>(std::ceil(seconds)));
    return figures;
}

std::vector<std::string> render_progress(EngineStatus const& status,
                                         std::vector<MailboxView> const& running, std::size_t width,
                                         std::size_t height, RateHistory const& history) {
    Lines lines;
    auto const rate = history.rate();
    auto const room = [&] { return height - std::min(height, lines.size()); };
    if (room() > 0)
        lines.push_back(totals_line(status, progress_figures(status.totals, rate), rate, width));
    for (auto const& pass : status.passes)
        if (under_way(pass) && room() > 0) lines.push_back(pass_line(pass, width));
    std::size_t warnings = 0;
    for (auto const& warning : status.warnings)
        if (room() > 0 && ++warnings <= warnings_max)
            lines.push_back(cut_to_width("! " + one_line(warning), width));
    if (room() > 3) lines.push_back(resources_line(status, width));
    // Of several mailboxes one line says how many have none.
    auto const shown =
        running.size() <= room() ? running.size() : room() - std::min<std::size_t>(room(), 1);
    for (std::size_t i = 0; i < shown; ++i) lines.push_back(mailbox_line(running[i], width));
    if (shown < running.size() && room() > 0)
        lines.push_back(cut_to_width(
            "  ... and " + format_count(running.size() - shown, "more mailbox", "more mailboxes"),
            width));
    return lines;
}

std::string progress_line(EngineStatus const& status, RateHistory const& history) {
    auto const rate = history.rate();
    auto const figures = progress_figures(status.totals, rate);
    std::string line;
    for (auto const& pass : status.passes)
        if (under_way(pass))
            line.append(one_line(pass.migration))
                .append(" / ")
                .append(one_line(pass.pass))
                .append(": " + format_count(pass.mailboxes_done) + " of " +
                        format_count(pass.mailboxes, "mailbox", "mailboxes") + " done; ");
    line.append(percent_text(figures.percent)).append(", ").append(items_text(figures));
    line.append(", ").append(bytes_text(figures));
    if (rate) line.append(", ").append(rate_text(rate));
    if (figures.left) line.append(", ").append(left_text(figures));
    if (status.totals.items_failed > 0)
        line.append(", ").append(format_count(status.totals.items_failed)).append(" failed");
    return line;
}

}  // namespace mailferry::daemon
