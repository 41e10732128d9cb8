#pragma once

/// From a server's NO, BAD or BYE to what the caller has to do. Pure. Sources: RFC 5530, RFC 3501
/// 7.1, and the texts that servers use where they give no code (named at each).

#include "config/base/error.hpp"
#include "transport/imap/response.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mailferry::imap {

/// Whether `text` holds `words`, ASCII case aside.
bool mentions(std::string_view text, std::string_view words);

/// "Suggested Backoff Time: 299961 milliseconds" (Exchange); at most one day.
std::optional<std::chrono::milliseconds> suggested_pause(std::string_view text);

/// The status for people: "NO [LIMIT] too many"; goes to Error::server_text.
std::string text_of(Status const& status);

/// throttled or unavailable if the server asks to come back later, whatever the command was.
/// [LIMIT] isn't judged here: to APPEND it means the size.
std::optional<Error> pause_asked(Status const& status, std::string_view context);

/// The server said BYE: throttled if it has too many connections, else unavailable.
Error farewell(Status const& status, std::string_view context);

/// What a refused command means: a pause if one is asked for, else `otherwise`.
Error refusal(Status const& status, Errc otherwise, std::string_view context);

/// The same for a login: login_refused, mailbox_refused (AUTHORIZATIONFAILED and its kin),
/// throttled or unavailable.
Error login_refusal(Status const& status, std::string_view context);

/// The same for APPEND: over_quota, item_too_large, folder_refused, a pause, else item_refused.
Error append_refusal(Status const& status, std::string_view context);

}  // namespace mailferry::imap
