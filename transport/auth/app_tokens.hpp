#pragma once

/// From the configuration of an app registration to its tokens.

#include "config/types.hpp"
#include "transport/auth/oauth_token.hpp"

#include <memory>

namespace mailferry::oauth {

/// HTTP as the tenant's settings say: certificates that are trusted, proxy, time to connect. No
/// host is allowed yet. `dial`: instead of TCP, for tests.
Result<http::ClientSettings> client_settings(config::Tenant const& tenant, http::Dial const& dial);

/// The tokens of the app registration that `admin` describes, from the tenant's authority.
/// `secret`: the client secret, or with app-certificate the key of `admin.certificate_file`.
/// invalid_config names a certificate that can't be read or doesn't fit. `clock` as TokenSource
/// wants it.
Result<std::unique_ptr<TokenSource>> make_token_source(
    asio::any_io_executor executor, Clock const& clock, config::Tenant const& tenant,
    config::Admin const& admin, std::shared_ptr<Secret const> secret, http::ClientSettings settings,
    TokenLimits limits = {});

}  // namespace mailferry::oauth
