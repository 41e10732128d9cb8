#include "config/text.hpp"

#include "config/base/error.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace mailferry::config {
namespace {

struct Range {
    char32_t first, last;
};

constexpr std::array<Range, 14> blank_ranges{{
    {0x09, 0x0D},
    {0x20, 0x20},
    {0x85, 0x85},
    {0xA0, 0xA0},
    {0xAD, 0xAD},
    {0x1680, 0x1680},
    {0x180E, 0x180E},
    {0x2000, 0x200F},
    {0x2028, 0x202F},
    {0x205F, 0x2064},
    {0x2066, 0x206F},
    {0x3000, 0x3000},
    {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFB},
}};

/// Levenshtein distance without case: names are short, so two rows of the matrix suffice.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            auto const replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

std::optional<char32_t> take_code_point(std::string_view& text) {
    auto const lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) {
        text.remove_prefix(1);
        return lead;
    }
    if (lead < 0xC2 || lead > 0xF4) return std::nullopt;
    std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (text.size() < length) return std::nullopt;
    char32_t code_point = lead & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        auto const next = static_cast<unsigned char>(text[i]);
        if ((next & 0xC0) != 0x80) return std::nullopt;
        code_point = (code_point << 6) | (next & 0x3Fu);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    bool const surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (code_point < smallest[length] || surrogate || code_point > 0x10FFFF) return std::nullopt;
    text.remove_prefix(length);
    return code_point;
}

void append_utf8(std::string& text, char32_t code_point) {
    auto const append = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (code_point < 0x80) return append(code_point);
    if (code_point < 0x800) {
        append(0xC0 | (code_point >> 6));
        return append(0x80 | (code_point & 0x3F));
    }
    if (code_point < 0x10000) {
        append(0xE0 | (code_point >> 12));
    } else {
        append(0xF0 | (code_point >> 18));
        append(0x80 | ((code_point >> 12) & 0x3F));
    }
    append(0x80 | ((code_point >> 6) & 0x3F));
    append(0x80 | (code_point & 0x3F));
}

bool is_utf8(std::string_view text) {
    while (!text.empty())
        if (!take_code_point(text)) return false;
    return true;
}

bool is_blank(char32_t code_point) {
    return std::any_of(blank_ranges.begin(), blank_ranges.end(), [&](Range range) {
        return code_point >= range.first && code_point <= range.last;
    });
}

std::string_view trim_blanks(std::string_view text) {
    while (!text.empty()) {
        auto rest = text;
        auto const code_point = take_code_point(rest);
        if (!code_point || !is_blank(*code_point)) break;
        text = rest;
    }
    while (!text.empty()) {
        auto start = text.size() - 1;
        while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
        auto last = text.substr(start);
        auto const code_point = take_code_point(last);
        if (!code_point || !last.empty() || !is_blank(*code_point)) break;
        text = text.substr(0, start);
    }
    return text;
}

std::string fold_case(std::string_view text) {
    std::string folded(text);
    for (auto& c : folded)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return folded;
}

std::optional<std::string_view> nearest_name(std::string_view wrong,
                                             std::span<std::string_view const> names) {
    constexpr std::size_t name_bytes_max = 64;
    if (wrong.size() > name_bytes_max) return std::nullopt;
    auto const folded = fold_case(wrong);
    std::optional<std::string_view> best;
    std::size_t best_distance = 0;
    for (auto const name : names) {
        auto const distance = edit_distance(folded, fold_case(name));
        if (distance > std::max<std::size_t>(1, name.size() / 3)) continue;
        if (!best || distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

std::string shown(std::string_view text) { return '"' + escape_untrusted(text, 128) + '"'; }

std::string quoted_list(std::span<std::string_view const> names) {
    std::string list;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) list.append(i + 1 == names.size() ? " or " : ", ");
        list.append("\"").append(names[i]).append("\"");
    }
    return list;
}

}  // namespace mailferry::config
