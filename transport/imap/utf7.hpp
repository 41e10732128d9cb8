#pragma once

/// Modified UTF-7 of mailbox names (RFC 3501 5.1.3), strict in both directions.

#include <optional>
#include <string>
#include <string_view>

namespace mailferry::imap {

/// Decodes a name as servers send it. Nothing for a name that its decoding wouldn't encode to
/// again: raw 8-bit octets, a lone `&`, printable ASCII in base64, bits left over, half a
/// surrogate pair. Keep such a name as bytes: it is the only way to address its folder.
std::optional<std::string> utf8_from_utf7(std::string_view name);

/// Encodes a name; nothing if it isn't valid UTF-8.
std::optional<std::string> utf7_from_utf8(std::string_view name);

}  // namespace mailferry::imap
