#include "daemon/text_layout.hpp"

#include "config/base/assert.hpp"
#include "config/base/error.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace mailferry::daemon {
namespace {

struct Range {
    char32_t first, last;
};

// Unicode: combining marks and characters without a width of their own.
constexpr std::array<Range, 14> zero_width{{
    {0x0300, 0x036F},
    {0x0483, 0x0489},
    {0x0591, 0x05BD},
    {0x0610, 0x061A},
    {0x064B, 0x065F},
    {0x0E31, 0x0E31},
    {0x0E34, 0x0E3A},
    {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF},
    {0x200B, 0x200F},
    {0x20D0, 0x20FF},
    {0x302A, 0x302D},
    {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F},
}};

// Unicode Standard Annex 11: wide and fullwidth blocks, with the emoji terminals draw wide.
constexpr std::array<Range, 10> double_width{{
    {0x1100, 0x115F},
    {0x2E80, 0x303E},
    {0x3041, 0xA4CF},
    {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},
    {0x1F300, 0x1FAFF},
}};

template <std::size_t count>
bool contains(std::array<Range, count> const& ranges, char32_t code_point) {
    return std::any_of(ranges.begin(), ranges.end(), [&](Range const& range) {
        return code_point >= range.first && code_point <= range.last;
    });
}

std::size_t width_of(char32_t code_point) {
    if (contains(zero_width, code_point)) return 0;
    if (contains(double_width, code_point)) return 2;
    return code_point >= 0x20000 && code_point <= 0x3FFFD ? 2 : 1;
}

struct Glyph {
    std::string_view bytes;
    std::size_t columns;
};

Glyph take_glyph(std::string_view& text) {
    auto const before = text;
    auto const code_point = config::take_code_point(text);
    if (!code_point) {
        text.remove_prefix(1);
        return {before.substr(0, 1), 1};
    }
    return {before.substr(0, before.size() - text.size()), width_of(*code_point)};
}

constexpr std::string_view ellipsis = "\u2026";

/// The longest front of `text` within `columns`.
std::string_view front_of(std::string_view text, std::size_t columns) {
    auto rest = text;
    std::size_t used = 0;
    while (!rest.empty()) {
        auto next = rest;
        used += take_glyph(next).columns;
        if (used > columns) break;
        rest = next;
    }
    return text.substr(0, text.size() - rest.size());
}

/// The longest end of `text` within `columns`.
std::string_view end_of(std::string_view text, std::size_t columns) {
    auto width = display_width(text);
    while (width > columns) width -= take_glyph(text).columns;
    return text;
}

}  // namespace

std::string format_count(std::uint64_t count) {
    auto text = std::to_string(count);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), 1, ',');
    return text;
}

std::string format_count(std::uint64_t count, std::string_view singular, std::string_view plural) {
    return format_count(count).append(" ").append(count == 1 ? singular : plural);
}

std::string format_instant(std::int64_t unix_seconds) {
    if (unix_seconds == 0) return "-";
    auto const instant = std::chrono::sys_seconds(std::chrono::seconds(unix_seconds));
    auto const day = std::chrono::floor<std::chrono::days>(instant);
    auto const date = std::chrono::year_month_day(day);
    auto const time = std::chrono::hh_mm_ss(instant - day);
    auto const two = [](auto number) {
        auto const digits = std::to_string(number);
        return digits.size() < 2 ? "0" + digits : digits;
    };
    return std::to_string(static_cast<int>(date.year())) + '-' +
           two(static_cast<unsigned>(date.month())) + '-' + two(static_cast<unsigned>(date.day())) +
           ' ' + two(time.hours().count()) + ':' + two(time.minutes().count()) + " UTC";
}

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) columns += take_glyph(text).columns;
    return columns;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) return std::string(text);
    if (columns == 0) return {};
    return std::string(front_of(text, columns - 1)).append(ellipsis);
}

std::string cut_middle(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) return std::string(text);
    if (columns < 5) return cut_to_width(text, columns);
    auto const front = (columns - 1) / 2;
    return std::string(front_of(text, front))
        .append(ellipsis)
        .append(end_of(text, columns - 1 - front));
}

std::string pad_right(std::string_view text, std::size_t columns) {
    auto const width = display_width(text);
    return std::string(text).append(columns > width ? columns - width : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t columns) {
    auto const width = display_width(text);
    return std::string(columns > width ? columns - width : 0, ' ').append(text);
}

std::string one_line(std::string_view untrusted) { return escape_untrusted(untrusted); }

std::string valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        auto const before = text;
        if (config::take_code_point(text)) {
            out.append(before.substr(0, before.size() - text.size()));
        } else {
            out.append("\uFFFD");
            text.remove_prefix(1);
        }
    }
    return out;
}

void TextTable::add(std::vector<std::string> cells) {
    MAILFERRY_ASSERT(cells.size() == columns_.size());
    rows_.push_back(std::move(cells));
}

std::string TextTable::text(std::size_t indent) const {
    std::vector<std::size_t> widths;
    std::vector<std::string> headings;
    for (auto const& column : columns_) {
        headings.push_back(column.heading);
        widths.push_back(display_width(column.heading));
    }
    for (auto const& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], display_width(row[i]));

    std::string out;
    auto const print = [&](std::vector<std::string> const& cells) {
        std::string line(indent, ' ');
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (i > 0) line.append("  ");
            line.append(columns_[i].align == Align::left ? pad_right(cells[i], widths[i])
                                                         : pad_left(cells[i], widths[i]));
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out.append(line).push_back('\n');
    };
    print(headings);
    for (auto const& row : rows_) print(row);
    return out;
}

}  // namespace mailferry::daemon
