#include "config/base/units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace mailferry {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<Unit, 11> byte_units{{
    {"", 1},
    {"B", 1},
    {"kB", 1'000},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
}};

constexpr std::array<Unit, 5> age_units{{
    {"s", 1},
    {"m", 60},
    {"h", 3'600},
    {"d", 86'400},
    {"w", 604'800},
}};

/// Nanosecond clocks reach 292 years; an age must be subtractable from any of today's instants.
constexpr std::uint64_t age_seconds_max = 200ULL * 365 * 86'400;

/// Takes decimal digits from the front of `text`; nothing without a digit or beyond 64 bits.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t number = 0;
    auto const* const end = text.data() + text.size();
    auto const [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    return number;
}

template <std::size_t count>
std::optional<std::uint64_t> factor_of(std::string_view name,
                                       std::array<Unit, count> const& units) {
    for (auto const& unit : units)
        if (unit.name == name) return unit.factor;
    return std::nullopt;
}

}  // namespace

std::optional<ByteCount> parse_bytes(std::string_view text) {
    constexpr std::uint64_t bytes_max = std::numeric_limits<std::int64_t>::max();
    // Six digits keep the product with the largest unit within 64 bits.
    constexpr std::size_t fraction_digits_max = 6;

    auto const whole = take_number(text);
    if (!whole) return std::nullopt;
    std::uint64_t fraction = 0;
    std::uint64_t fraction_scale = 1;
    bool const has_fraction = text.starts_with('.');
    if (has_fraction) {
        text.remove_prefix(1);
        auto const before = text.size();
        auto const digits = take_number(text);
        if (!digits || before - text.size() > fraction_digits_max) return std::nullopt;
        fraction = *digits;
        for (auto i = text.size(); i < before; ++i) fraction_scale *= 10;
    }
    auto const factor = factor_of(text, byte_units);
    if (!factor || (has_fraction && *factor == 1)) return std::nullopt;
    if (*whole > bytes_max / *factor) return std::nullopt;
    auto const bytes = *whole * *factor + fraction * *factor / fraction_scale;
    if (bytes > bytes_max) return std::nullopt;
    return ByteCount{bytes};
}

std::string format_bytes(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 7> names{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    // Integers throughout: printf would put the locale's decimal comma here.
    std::uint64_t unit = 1;
    std::size_t index = 0;
    auto const tenths_in = [&](std::uint64_t size) {
        return bytes / size * 10 + (bytes % size * 10 + size / 2) / size;
    };
    while (index + 1 < names.size() && tenths_in(unit) >= 10'240) {
        unit <<= 10;
        ++index;
    }
    auto const tenths = tenths_in(unit);
    std::string text;
    if (tenths >= 1'000 || tenths % 10 == 0) {
        text = std::to_string((tenths + 5) / 10);
    } else {
        text = std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
    }
    return text.append(" ").append(names[index]);
}

std::optional<std::chrono::seconds> parse_age(std::string_view text) {
    auto const number = take_number(text);
    if (!number) return std::nullopt;
    auto const factor = factor_of(text, age_units);
    if (!factor || *number > age_seconds_max / *factor) return std::nullopt;
    return std::chrono::seconds(static_cast<std::int64_t>(*number * *factor));
}

std::string format_duration(std::chrono::seconds duration) {
    constexpr std::array<std::pair<char, std::int64_t>, 4> units{
        {{'d', 86'400}, {'h', 3'600}, {'m', 60}, {'s', 1}}};
    std::string text;
    auto rest = duration.count();
    if (rest < 0) {
        text.push_back('-');
        rest = rest == std::numeric_limits<std::int64_t>::min() ? -(rest + 1) : -rest;
    }
    std::size_t first = 0;
    while (first + 1 < units.size() && rest < units[first].second) ++first;
    text += std::to_string(rest / units[first].second);
    text.push_back(units[first].first);
    rest %= units[first].second;
    if (first + 1 < units.size()) {
        auto const [letter, seconds] = units[first + 1];
        if (auto const second = rest / seconds; second > 0)
            text.append(" ").append(std::to_string(second)).push_back(letter);
    }
    return text;
}

}  // namespace mailferry
