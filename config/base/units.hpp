#pragma once

/// Sizes and durations that carry their unit, with the spellings of the configuration file.

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailferry {

/// A number of bytes. Explicit, so that a count of items can't pose as one.
struct ByteCount {
    std::uint64_t value = 0;
    constexpr auto operator<=>(ByteCount const&) const = default;
};

/// "64MiB", "20GiB", "512KiB", "1000", "5GB": IEC and SI units, whole numbers or one decimal point.
/// Nothing for anything else, negative or beyond 2^63-1.
std::optional<ByteCount> parse_bytes(std::string_view text);
/// Shortest exact-enough form for people: "64 MiB", "1.4 GiB", "512 B".
std::string format_bytes(std::uint64_t bytes);

/// "90s", "15m", "12h", "7d", "2w": one whole number and one unit. Nothing for anything else or
/// beyond 200 years, so that an age can be taken from any of today's instants in nanoseconds.
std::optional<std::chrono::seconds> parse_age(std::string_view text);
/// "2d 3h", "4m 10s", "12s": the two largest units.
std::string format_duration(std::chrono::seconds duration);

}  // namespace mailferry
