#pragma once

/// INTERNALDATE and SEARCH dates as arithmetic: no locale, no local time zone.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailferry::imap {

/// A received date: the instant, and the zone it was written in. Compare instants only: servers
/// answer in their own zone whatever was sent.
struct DateTime {
    std::int64_t unix_seconds = 0;  ///< May be negative: some servers invent 30-Dec-1899.
    std::int16_t zone_minutes = 0;  ///< East of UTC, -1439 to +1439.
    friend bool operator==(DateTime const&, DateTime const&) = default;
};

/// Reads `dd-Mon-yyyy hh:mm:ss +zzzz` (RFC 3501 date-time, without its quotes). The day may have
/// one digit or a leading blank, the month any case; second 60 is the next minute's first.
/// Nothing for days that no calendar has, two-digit years and zones that aren't numeric.
std::optional<DateTime> parse_date_time(std::string_view text);

/// The same, always with a two-digit day: "03-Mar-2019 09:15:02 +0100". The local year must lie
/// in 1 to 9999; the caller clamps before (targets store 1970-01-02 up to 2038-01-18).
std::string format_date_time(DateTime const& value);

/// The date of SEARCH SINCE, BEFORE and ON: "3-Mar-2019".
std::string format_search_date(std::chrono::sys_days day);

}  // namespace mailferry::imap
