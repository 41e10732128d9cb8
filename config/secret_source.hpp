#pragma once

/// From a secret's whereabouts in the configuration to the secret itself.

#include "config/base/error.hpp"
#include "config/base/secret.hpp"
#include "config/types.hpp"

namespace mailferry::config {

inline constexpr std::size_t secret_bytes_max = 64 * 1024;

/// Reads the systemd credential ($CREDENTIALS_DIRECTORY/<name>) or the file. Exactly one final line
/// end (LF or CRLF) is taken off and nothing else: blanks and UTF-8 are part of a password.
/// Refused: what isn't a regular file, a file that others than its owner may use (mode & 077), an
/// owner other than root or this process's user, more than 64 KiB, nothing at all. The errors name
/// the cure and never a byte of the secret. A credential's mode is systemd's affair (it may carry
/// an ACL whose mask shows as group permission) and isn't judged.
[[nodiscard]] Result<Secret> read_secret(SecretSource const& source);

/// Everything read_secret would refuse, found without reading the secret.
[[nodiscard]] Result<void> check_secret(SecretSource const& source);

}  // namespace mailferry::config
