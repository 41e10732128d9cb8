#pragma once

/// X.509 certificates and the private keys that belong to them, as far as signing in with a
/// certificate needs them. Only this and crypto.cpp in config/base know libcrypto.

#include "config/base/error.hpp"
#include "config/base/secret.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace mailferry {

struct Certificate {
    std::string der;  ///< The first certificate of the file, as its thumbprint is taken from.
    std::chrono::sys_seconds not_before{}, not_after{};  ///< Valid from ... to, both included.
};

/// Reads the first PEM certificate in `pem`. invalid_config, with the reason, for anything else.
[[nodiscard]] Result<Certificate> parse_certificate(std::string_view pem);

/// Nothing if `key_pem` is an unencrypted RSA key of 2048 bits or more (what PS256 and RS256 need)
/// whose public half is the certificate's; else invalid_config with the reason and never a byte of
/// the key. A key with a passphrase is refused: nobody is there to type it.
[[nodiscard]] Result<void> check_key_of(Certificate const& certificate, Secret const& key_pem);

}  // namespace mailferry
