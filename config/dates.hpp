#pragma once

/// Dates of the configuration file as UTC instants. The machine's time zone plays no part.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mailferry::config {

/// RFC 3339: "2026-01-31" (midnight UTC) or "2026-01-31T08:00:00+01:00" ("Z", lower case and a
/// blank instead of the T are taken too; fractions of a second are cut off). Nothing for anything
/// else: a day that doesn't exist, a time without its offset, a year before 1970.
std::optional<std::chrono::sys_seconds> parse_instant(std::string_view text);

/// "2026-01-31T07:00:00Z".
std::string instant_text(std::chrono::sys_seconds instant);

}  // namespace mailferry::config
