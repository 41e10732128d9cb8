#pragma once

/// An access token that somebody outside keeps fresh in a file or credential.

#include "config/types.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mailferry::imap {

/// When the token ends by its own word: the `exp` of a JWT (RFC 7519 4.1.4), whose signature isn't
/// looked at. Nothing for an opaque token.
std::optional<std::chrono::sys_seconds> token_expiry(std::string_view token);

/// Where the token comes from and how old it is, for people: "the token of /etc/x.token (written 65
/// min ago, expired 5 min ago)". Nothing of the token itself.
std::string describe_token(config::SecretSource const& source, std::string_view token,
                           std::chrono::sys_seconds now);

}  // namespace mailferry::imap
