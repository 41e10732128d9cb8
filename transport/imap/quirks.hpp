#pragma once

/// Tolerated defects of servers, by name. Sources: implementers' reports; see each member.

#include <span>
#include <string>
#include <string_view>

namespace mailferry::imap {

struct Quirks {
    /// Sends `+` even for `{n+}`: tolerate one surplus `+` per literal (Exchange, some proxies).
    bool extra_continuation_after_literal_plus = false;
    /// Answers to commands sent together get lost or mixed up: send one, wait, send the next.
    bool no_pipelining = false;
    /// At most one FETCH in flight (Exchange, Gmail, Courier, Yahoo).
    bool one_fetch_in_flight = false;
    /// RFC822.SIZE is an estimate: plan with it, never compare (Exchange, hMailServer, Domino).
    bool sizes_are_estimates = false;
    /// Flags of APPEND don't all last: set them again with STORE (Exchange: \Flagged).
    bool flags_need_store = false;
    /// STATUS is cached: take UIDNEXT and MESSAGES from SELECT or EXAMINE (Exchange).
    bool status_is_stale = false;
    /// Never send keywords: each becomes a category (Exchange).
    bool no_keywords = false;
    /// X-GUID may be asked for although no capability announces it (Dovecot).
    bool has_x_guid = false;
    /// MAILBOXID is right only when it is asked for alone (Cyrus 3.6).
    bool mailbox_id_alone = false;
    /// Refuses bare LF: send CRLF (Cyrus).
    bool needs_crlf = false;
    /// Waits for an acknowledgement before its next packet: QUICKACK after each read (Cyrus).
    bool needs_quick_ack = false;
    /// Lets an admin sign in for a mailbox that doesn't exist and lists no folder then: a refused
    /// login is about the admin alone (Cyrus).
    bool login_ignores_mailbox = false;
    /// Ends the connection at a LIST whose pattern holds a brace; no name can hold one (Cyrus 3.6).
    bool dies_of_braces = false;
    friend bool operator==(Quirks const&, Quirks const&) = default;
};

/// `server_name`: the `name` field of the ID response, or the greeting's text where there is no
/// ID. `capabilities` in upper case. An unknown server gets the defaults.
Quirks quirks_for(std::string_view server_name, std::span<std::string const> capabilities);

}  // namespace mailferry::imap
