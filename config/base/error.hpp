#pragma once

/// What can go wrong, said in values. Every fallible function answers Result<T>; the scheduler
/// decides on disposition_of(code) and on nothing else.

#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailferry {

/// What the caller does about a failure.
enum class Disposition {
    retry_now,      ///< On a fresh session, at once.
    retry_later,    ///< The same work after a pause.
    skip_item,      ///< The item is given up with its reason; its neighbours go on.
    skip_folder,    ///< The folder is given up with its reason; its neighbours go on.
    skip_mailbox,   ///< The mailbox is given up with its reason; the others go on.
    pause_mailbox,  ///< The mailbox waits (quota, held): its work stays, the others go on.
    stop_endpoint,  ///< The tenant or admin can't be used until somebody mends it.
    stop_program,   ///< Our own state can't be trusted or written any more.
};

enum class Errc {
    connection_lost = 1,  ///< The peer went away; the same work may succeed on a fresh session.
    timed_out,            ///< No byte for too long; treated like connection_lost.
    throttled,            ///< The server asked us to slow down; Error::retry_after says how long.
    unavailable,          ///< The server says that it is temporarily unable ([UNAVAILABLE], BYE).
    protocol_error,       ///< The peer sent what its protocol forbids; the session is dropped.
    unreachable,          ///< Name unknown, connection refused, no route.
    tls_failed,           ///< Certificate or handshake refused; no credential byte was sent.
    login_refused,        ///< Credentials are wrong: trying again may lock the account.
    mailbox_refused,      ///< This mailbox doesn't exist or the admin has no right to it.
    folder_unreadable,    ///< This folder can't be opened; its neighbours can.
    folder_refused,       ///< The target refuses to make or open this folder.
    folder_replaced,      ///< Its generation (UIDVALIDITY) is another one: item ids are void.
    item_refused,         ///< The target refuses this item for good (syntax, content).
    item_too_large,       ///< Larger than the target (or our own limit) takes.
    item_vanished,        ///< Gone at the source between listing and fetching.
    item_damaged,         ///< The source can't hand it over whole.
    over_quota,           ///< The target mailbox is full.
    doubtful,             ///< The answer to a store was lost: it may have happened.
    disk_full,            ///< ENOSPC or EDQUOT on our own disk.
    io_error,             ///< Any other failure of our own disk.
    corrupt,              ///< Our own spool or ledger holds damaged bytes.
    invalid_config,       ///< Configuration, mapping or command line is wrong.
    unsupported,          ///< The peer or a connector can't do what was asked.
    stopped,              ///< We were asked to stop; the work goes on at the next start.
};

/// Pure and total: a retry rule nobody has to remember.
constexpr Disposition disposition_of(Errc code) {
    switch (code) {
    case Errc::connection_lost:
    case Errc::timed_out:
    case Errc::protocol_error:
    case Errc::doubtful: return Disposition::retry_now;
    case Errc::throttled:
    case Errc::unavailable:
    case Errc::unreachable:
    case Errc::disk_full:
    case Errc::folder_replaced: return Disposition::retry_later;
    case Errc::item_refused:
    case Errc::item_too_large:
    case Errc::item_vanished:
    case Errc::item_damaged: return Disposition::skip_item;
    case Errc::folder_unreadable:
    case Errc::folder_refused: return Disposition::skip_folder;
    case Errc::mailbox_refused:
    case Errc::unsupported: return Disposition::skip_mailbox;
    case Errc::over_quota: return Disposition::pause_mailbox;
    case Errc::tls_failed:
    case Errc::login_refused:
    case Errc::invalid_config: return Disposition::stop_endpoint;
    case Errc::io_error:
    case Errc::corrupt:
    case Errc::stopped: return Disposition::stop_program;
    }
    return Disposition::stop_program;  // A value from outside the enum: the safest reading.
}

/// The code's name as it stands in logs, reports and the ledger: "connection_lost".
std::string_view to_string(Errc code);
/// The reverse; nothing for an unknown name.
std::optional<Errc> errc_from(std::string_view name);

/// A failure with the path it took. `code` is for programs, `context` for operators.
struct [[nodiscard]] Error {
    Errc code;
    std::string context;      ///< Ours: "folder=Archive item=4711: APPEND". Never a secret.
    std::string server_text = {};  ///< Theirs: untrusted bytes; printed escaped, never parsed.
    std::optional<std::chrono::milliseconds> retry_after = {};  ///< Said by the server.

    /// Puts the caller's frame in front. Each layer adds what it alone knows, once.
    Error in(std::string_view frame) const;
    /// One line for people: code, context and the server's text, escaped and cut at 512 bytes.
    std::string describe() const;
};

template <class T>
using Result = boost::system::result<T, Error>;

/// Makes control characters, bidi overrides and broken UTF-8 visible, and cuts at `bytes_max`.
std::string escape_untrusted(std::string_view text, std::size_t bytes_max = 512);

}  // namespace mailferry

namespace boost::system {
/// result<T, Error>::value() on a failure is a bug of the caller: stop, don't throw.
[[noreturn]] void throw_exception_from_error(mailferry::Error const& error,
                                             boost::source_location const& where);
}  // namespace boost::system
