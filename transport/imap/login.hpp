#pragma once

/// From a fresh connection to a signed-in one. Order and refusals: RFC 3501 6.2, RFC 4616, RFC
/// 4959, RFC 8314; the holes that other clients had are named where they are shut.

#include "config/types.hpp"
#include "transport/imap/connection.hpp"
#include "transport/imap/server_facts.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mailferry::imap {

/// Whom to sign in for, and with what. The views outlive the call they are given to.
struct Credentials {
    config::Auth auth = config::Auth::plain;
    std::string_view mailbox;
    std::string_view admin;             ///< Empty for Auth::user.
    std::string_view master_separator;  ///< For Auth::login_master.
    std::string_view secret;            ///< Password or access token.
};

/// The plain-text part of STARTTLS, up to the end of the handshake. Nothing that the server says
/// here is believed, shown or kept. tls_failed if it doesn't offer TLS, signs us in before it
/// (PREAUTH), or sends anything behind its OK that TLS would have to vouch for.
awaitable<Result<void>> start_tls(transport::Stream& stream);

/// Waits for the greeting and learns the capabilities. PREAUTH is refused: nobody knows as whom.
awaitable<Result<void>> meet(Connection& connection, ServerFacts& facts);

/// CAPABILITY, asked anew.
awaitable<Result<void>> ask_capabilities(Connection& connection, ServerFacts& facts);

/// How a sign-in ended.
struct [[nodiscard]] SignIn {
    std::optional<Error> refused;
    /// The refusal can't be the mailbox's fault.
    bool names_credential = false;
};

/// Signs in: SASL PLAIN with authzid, PLAIN or LOGIN as `mailbox<separator>admin` or as the mailbox
/// itself, or XOAUTH2. Afterwards `facts` has the capabilities of the signed-in state.
/// login_refused, mailbox_refused, throttled, unavailable as login_refusal(); login_refused also if
/// the server offers no mechanism that can do it.
awaitable<SignIn> authenticate(Connection& connection, ServerFacts& facts, Credentials credentials);

}  // namespace mailferry::imap
