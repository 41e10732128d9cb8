#pragma once

/// A client's proof that it holds a certificate's key: a signed JSON web token (RFC 7523; Microsoft
/// identity platform, "certificate credentials").

#include "config/base/error.hpp"
#include "config/base/secret.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace mailferry::oauth {

/// Certificate and RSA key of one app registration. The key stays in memory of the crypto library
/// and is never printed.
class AppCertificate {
public:
    /// Both PEM; the first certificate counts. invalid_config names the cure: no certificate, no
    /// key, a key behind a passphrase, no RSA key, a key that isn't the certificate's, under 2048
    /// bits.
    static Result<std::shared_ptr<AppCertificate const>> load(std::string_view certificate_pem,
                                                              Secret const& key_pem);
    ~AppCertificate();

    /// PS256, with x5t#S256; claims aud, iss, sub, jti (fresh), nbf, iat, exp (ten minutes).
    Secret sign(std::string_view audience, std::string_view client_id,
                std::chrono::sys_seconds now) const;

    std::chrono::sys_seconds not_after() const;
    /// Hexadecimal SHA-1, as the portal shows it, so that an operator can find the certificate.
    std::string const& thumbprint() const;

private:
    struct Impl;
    explicit AppCertificate(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace mailferry::oauth
