#pragma once

/// What the sign-ins of one admin have shown so far, and what a refusal means in their light: most
/// servers answer a wrong password and an unknown mailbox with the same words, and to try again in
/// order to find out may lock the account. Pure.

#include <chrono>
#include <map>
#include <string>

namespace mailferry::imap {

class AdminHistory {
public:
    using Instant = std::chrono::steady_clock::time_point;

    enum class Meaning {
        credential,  ///< The admin's password or token: no further try.
        mailbox,     ///< This mailbox alone: it doesn't exist, or the admin may not open it.
        ask_anew,    ///< Whether good_mailbox() still opens tells the two apart.
        later,       ///< The server is really unable: the same again after a pause.
    };

    /// `proof_lasts`: a credential that opened another mailbox so recently is taken to be right
    /// still, if the server's words leave it open.
    explicit AdminHistory(std::chrono::seconds proof_lasts = std::chrono::seconds(60))
        : proof_lasts_(proof_lasts) {}

    void opened(std::string mailbox, Instant now);

    /// A sign-in was refused. `names_credential`: in words that a right password never gets. Of an
    /// admin that has opened nothing yet, the first refusal in other words is laid to the mailbox
    /// and the next one, of another mailbox, to the admin: an unknown mailbox in the first row
    /// doesn't stop the others, and a wrong password costs two tries at most.
    Meaning refused(std::string const& mailbox, bool names_credential, Instant now);

    /// A sign-in was answered with UNAVAILABLE, which Dovecot also says of a mailbox that its
    /// userdb doesn't know: never `credential`.
    Meaning unavailable(std::string const& mailbox, Instant now);

    /// The last mailbox that could be opened; "" if there is none.
    std::string const& good_mailbox() const { return good_mailbox_; }
    bool has_opened() const { return !good_mailbox_.empty(); }

private:
    struct Waiting {
        int answers = 0;
        Instant since{};
    };

    std::chrono::seconds proof_lasts_;
    std::string good_mailbox_;
    Instant good_at_{};
    std::string doubtful_mailbox_;  ///< The one that the first refusal was laid to.
    std::map<std::string, Waiting> unavailable_;
};

}  // namespace mailferry::imap
