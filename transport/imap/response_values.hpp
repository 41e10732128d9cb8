#pragma once

/// Whole responses other than FETCH to values. Pure: text in, value out.

#include "transport/imap/response.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mailferry::imap {

/// OK, NO, BAD, BYE or PREAUTH, any case.
std::optional<StatusKind> status_kind(std::string_view word);

/// What follows the kind: `[code] text`. Total: what isn't a code is text.
Status parse_status(StatusKind kind, std::string_view rest);

/// Whether parse_untagged() makes a value of this response (name in upper case).
bool is_known_response(std::string_view name);

/// A known response without its `* NAME `, literals embedded as `{n}` CRLF octets. Nothing if it
/// doesn't follow its grammar or lists more than `items_max` names.
std::optional<Event> parse_untagged(std::string_view name, std::string_view text,
                                    std::size_t items_max);

/// An object id (RFC 8474) or GUID if it is [A-Za-z0-9_-]{1,255}: Cyrus 3.6 may answer with freed
/// memory instead.
std::optional<std::string> checked_object_id(std::string_view id);

}  // namespace mailferry::imap
