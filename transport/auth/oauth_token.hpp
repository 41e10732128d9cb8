#pragma once

/// Tokens for an app of its own (OAuth 2.0 client credentials, RFC 6749 4.4) from the Microsoft
/// identity platform.

#include "config/base/clock.hpp"
#include "config/base/secret.hpp"
#include "transport/auth/oauth_assertion.hpp"
#include "transport/http/client.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace mailferry::oauth {

/// One app in one tenant. Either `secret` or `certificate`.
struct AppRegistration {
    std::string authority;  ///< "https://login.microsoftonline.com", of the tenant's cloud.
    std::string tenant_id;  ///< A GUID; a domain would change sides in a migration.
    std::string client_id;
    std::shared_ptr<Secret const> secret;
    std::shared_ptr<AppCertificate const> certificate;
};

struct TokenLimits {
    int attempts_max = 5;                             ///< Of one renewal, transient failures only.
    std::chrono::milliseconds back_off_first{1'000};  ///< Doubled each time, up to back_off_max.
    std::chrono::milliseconds back_off_max{30'000};
    /// A Retry-After beyond it isn't waited for but answered to the caller (Error::retry_after).
    std::chrono::milliseconds wait_max{60'000};
    /// A final refusal is answered from memory for so long: the endpoint locks out what insists.
    std::chrono::milliseconds refusal_kept{60'000};
};

/// The tokens of one app, one per scope, in memory only. Shared by all sessions of the app. At most
/// one renewal of a scope is under way, begun by the first caller who finds the token past 80 % of
/// its life and with less than five minutes left; until its end the old token is handed out.
///
/// Errors of token(): login_refused (secret or certificate wrong or expired), invalid_config
/// (tenant, app or scope unknown), throttled, unavailable, and those of http::Client. The context
/// names client id, tenant and cure; correlation and trace ids are in server_text.
class TokenSource {
public:
    /// `clock` outlives the source and what it has begun, so the executor's run.
    TokenSource(asio::any_io_executor executor, Clock const& clock,
                std::shared_ptr<http::Client> client, AppRegistration app, TokenLimits limits = {});
    ~TokenSource();
    TokenSource(TokenSource const&) = delete;
    TokenSource& operator=(TokenSource const&) = delete;

    /// `scope`: one resource followed by "/.default". Cancellation leaves a renewal under way.
    awaitable<Result<std::shared_ptr<Secret const>>> token(std::string scope);

    /// The server said 401 invalid_token: token() won't hand it out again. A token that has been
    /// replaced meanwhile is ignored, so all who held it may call.
    void reject(std::shared_ptr<Secret const> const& token);

    std::string const& client_id() const;

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace mailferry::oauth
