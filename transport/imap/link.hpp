#pragma once

/// A signed-in connection for one mailbox at a time, and the folder that is open in it: what source
/// and target sessions have in common.

#include "config/base/secret.hpp"
#include "config/types.hpp"
#include "transport/auth/oauth_token.hpp"
#include "transport/imap/admin_history.hpp"
#include "transport/imap/connection.hpp"
#include "transport/imap/login.hpp"
#include "transport/imap/login_pace.hpp"
#include "transport/imap/server_facts.hpp"
#include "transport/session.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace mailferry::imap {

enum class Side { source, target };

using Dial = std::function<awaitable<Result<std::unique_ptr<transport::Stream>>>()>;

/// What all links of one connector share.
struct LinkSettings {
    config::Tenant tenant;
    config::Admin admin;
    Secret secret;
    Dial dial;  ///< Makes a stream: secured if tls is implicit, else plain.
    /// App registrations: where their tokens come from, and for what. Null for other admins.
    std::unique_ptr<oauth::TokenSource> tokens;
    std::string token_scope;

    // Learnt on the way.
    AdminHistory history;
    LoginPace pace;  ///< Keeps to logins_per_second.
    struct Refused {
        Secret secret;
        std::chrono::steady_clock::time_point at{};     ///< Sent for the last time.
        std::chrono::steady_clock::time_point since{};  ///< Sent for the first time.
    };
    /// Not sent again for some time: whoever insists is locked out.
    Refused refused_token;
    /// Fetched since another one of the app's tokens was refused: a refusal of this one isn't about
    /// its age.
    std::shared_ptr<Secret const> renewed_token;
    std::map<std::string, Refused> refused_passwords;  ///< By mailbox; with `auth = "user"`.
    std::uint64_t largest_stored = 0;  ///< Octets of the largest message that the server has taken.
};

/// A folder that was asked to be opened. Filled by the answer.
struct Selection {
    std::string folder;  ///< Folder::id.
    bool writable = false;
    std::uint32_t exists = 0;
    std::optional<std::uint32_t> uidvalidity, uidnext;
    std::optional<std::uint64_t> highestmodseq;
    std::optional<std::vector<std::string>> permanent_flags;
    CommandTicket ticket;
};

class Link {
public:
    Link(asio::any_io_executor executor, std::shared_ptr<LinkSettings> settings, Side side);
    ~Link();
    Link(Link const&) = delete;
    Link& operator=(Link const&) = delete;

    /// Up to the greeting; TLS included.
    awaitable<Result<void>> connect();
    /// Signs in, or switches to another mailbox: by UNAUTHENTICATE where offered, else by a new
    /// connection. After an error the link is dead.
    awaitable<Result<void>> open(transport::OpenMailbox request);

    ServerFacts const& facts() const { return facts_; }
    Namespace const& namespaces() const { return namespaces_; }
    Connection& connection() { return *connection_; }
    std::shared_ptr<Connection> const& connection_ptr() const { return connection_; }
    LinkSettings& settings() { return *settings_; }

    CommandWriter command() { return {connection_->next_tag(), facts_.literals()}; }
    /// A folder's name as this connection spells it.
    std::string wire_name(std::string_view folder_id) const;

    /// With the turn: the selection of `folder`, sent if it isn't the last one sent. The answer may
    /// still be on its way: selected() waits for it.
    awaitable<Result<std::shared_ptr<Selection>>> select(std::string folder, bool writable);
    /// ok, or `otherwise` with the server's reason.
    awaitable<Result<void>> selected(std::shared_ptr<Selection> selection, Errc otherwise);
    /// The next select() asks anew: what is known of the open folder is too old.
    void forget_selection() { selection_.reset(); }

    awaitable<Result<void>> ping();
    awaitable<void> close();
    void cut();
    bool alive() const { return connection_ && !connection_->failure(); }

private:
    awaitable<SignIn> sign_in(transport::OpenMailbox request);
    awaitable<SignIn> sign_in_by_own_password(Credentials credentials);
    awaitable<SignIn> sign_in_by_token(Credentials credentials);
    awaitable<SignIn> sign_in_as_app(Credentials credentials);
    awaitable<SignIn> try_token(Credentials credentials);
    Error wait_for_token(Error refused) const;
    awaitable<SignIn> send_credentials(Credentials credentials);
    awaitable<Result<void>> introduce();
    awaitable<Result<bool>> sign_out();
    awaitable<Error> blame(Error refused, bool names_credential, std::string mailbox);
    awaitable<bool> still_opens(std::string mailbox);
    Error dead() const;

    asio::any_io_executor executor_;
    std::shared_ptr<LinkSettings> settings_;
    Side const side_;
    std::shared_ptr<Connection> connection_;
    ServerFacts facts_;
    Namespace namespaces_;
    std::string mailbox_;  ///< Signed in for; empty: not yet.
    bool compressed_ = false;
    Secret sent_token_;                     ///< With the last sign-in.
    std::shared_ptr<Selection> selection_;  ///< The last one sent.
};

}  // namespace mailferry::imap
