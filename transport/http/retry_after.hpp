#pragma once

/// How long a server wants us to wait, and what time it thinks it is.

#include "transport/http/message.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace mailferry::http {

/// IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT"; nothing for any other form.
std::optional<std::chrono::sys_seconds> parse_date(std::string_view text);

/// Retry-After (RFC 9110 10.2.3): seconds, with a fraction (Microsoft sends it), or a date, which
/// counts from the response's own Date where there is one, else from `now`. At most a day; a date
/// that is over: zero. Nothing if the header is absent or unreadable.
std::optional<std::chrono::milliseconds> retry_after(ResponseHead const& head,
                                                     std::chrono::system_clock::time_point now);

}  // namespace mailferry::http
