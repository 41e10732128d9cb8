#pragma once

/// SASL messages as base64 text, ready for AUTHENTICATE. Each result holds a secret: the caller
/// wipes it after sending. No copy of a secret stays behind in here.

#include <optional>
#include <string>
#include <string_view>

namespace mailferry::transport {

/// RFC 4648 with padding.
std::string base64_encode(std::string_view bytes);
/// Strict: padding required, no line ends, no bits left over. Nothing otherwise.
std::optional<std::string> base64_decode(std::string_view text);

/// PLAIN (RFC 4616): acts as `authzid` with the rights and password of `authcid`; an empty
/// authzid means authcid itself. Nothing if an argument holds NUL.
std::optional<std::string> sasl_plain(std::string_view authzid, std::string_view authcid,
                                      std::string_view password);

/// XOAUTH2 (Google, Microsoft): the mailbox and an access token. Nothing if one holds a control
/// character.
std::optional<std::string> sasl_xoauth2(std::string_view user, std::string_view access_token);

}  // namespace mailferry::transport
