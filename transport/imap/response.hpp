#pragma once

/// What an IMAP server can say, as values. No I/O. Shapes: RFC 3501 7, RFC 9051 7 and the
/// extensions named at the types. All strings are the server's untrusted bytes.

#include "transport/imap/date_time.hpp"
#include "transport/imap/sequence_set.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mailferry::imap {

/// APPENDUID (RFC 4315): the UIDs in the order in which the messages were sent.
struct AppendUid {
    std::uint32_t uidvalidity = 0;
    std::vector<UidRun> uids;
    std::uint64_t count() const;
    /// The UID of the message sent as number `index` (from 0); nothing beyond the end.
    std::optional<std::uint32_t> at(std::uint64_t index) const;
    friend bool operator==(AppendUid const&, AppendUid const&) = default;
};

/// COPYUID (RFC 4315): n-th source UID became the n-th target UID.
struct CopyUid {
    std::uint32_t uidvalidity = 0;
    std::vector<UidRun> source;
    std::vector<UidRun> target;
    friend bool operator==(CopyUid const&, CopyUid const&) = default;
};

/// `[NAME arguments]` before the text of a status response. The helpers answer nothing when the
/// code has another name or its arguments don't follow the grammar: never fatal.
struct ResponseCode {
    std::string name;       ///< Upper case, "UIDVALIDITY".
    std::string arguments;  ///< Raw, without the surrounding blanks and brackets.

    std::optional<std::uint32_t> uidvalidity() const;
    std::optional<std::uint32_t> uidnext() const;
    std::optional<std::uint64_t> highestmodseq() const;
    std::optional<std::vector<std::string>> permanent_flags() const;
    std::optional<std::vector<std::string>> capability() const;  ///< Names in upper case.
    std::optional<AppendUid> append_uid() const;
    std::optional<CopyUid> copy_uid() const;
    std::optional<UidSet> modified() const;
    std::optional<std::string> mailbox_id() const;  ///< Only [A-Za-z0-9_-]{1,255}.
    friend bool operator==(ResponseCode const&, ResponseCode const&) = default;
};

enum class StatusKind { ok, no, bad, bye, preauth };

struct Status {
    StatusKind kind = StatusKind::ok;
    std::optional<ResponseCode> code;
    std::string text;  ///< For people; may be empty or no UTF-8.

    /// Whether the code has this name (upper case): status.is("TRYCREATE").
    bool is(std::string_view code_name) const { return code && code->name == code_name; }
    friend bool operator==(Status const&, Status const&) = default;
};

struct NeedMore {};

/// The first response of a connection: OK, PREAUTH or BYE.
struct Greeting {
    Status status;
};
/// `* OK/NO/BAD/BYE`: OK, NO and BAD tied to no command; after BYE the server closes.
struct Untagged {
    Status status;
};
/// The completion of a command: OK, NO or BAD.
struct Tagged {
    std::string tag;
    Status status;
};
/// `+ text`; the text may be missing altogether.
struct Continuation {
    std::string text;
};

struct Capability {
    std::vector<std::string> names;  ///< Upper case: "LITERAL+", "AUTH=PLAIN".
    bool has(std::string_view name) const;
};
struct Enabled {
    std::vector<std::string> names;  ///< Upper case.
};

struct ListEntry {
    enum class Verb { list, lsub, xlist };
    Verb verb = Verb::list;
    std::vector<std::string> attributes;  ///< As sent: "\\Noselect". Compare with equal_names().
    std::optional<char> delimiter;        ///< Nothing: NIL, a flat name.
    std::string name;                     ///< As sent: modified UTF-7 or whatever it is.
    bool has_attribute(std::string_view attribute) const;
};

struct StatusData {
    std::string name;
    std::optional<std::uint32_t> messages, recent, uidnext, uidvalidity, unseen, deleted;
    std::optional<std::uint64_t> highestmodseq;  ///< 0: this folder keeps no mod-sequences.
    std::optional<std::uint64_t> size;           ///< Octets (RFC 8438).
    std::optional<std::uint64_t> appendlimit;    ///< Octets (RFC 7889).
    std::optional<std::string> mailbox_id;       ///< RFC 8474; only [A-Za-z0-9_-]{1,255}.
    std::optional<std::string> x_guid;           ///< Dovecot.
};

/// SEARCH and SORT (whose order is lost).
struct SearchResult {
    UidSet numbers;
    std::optional<std::uint64_t> modseq;
};

/// RFC 4731. `tag` is empty where the server left it out.
struct Esearch {
    std::string tag;
    bool uid = false;
    std::optional<std::uint32_t> min, max, count;
    std::optional<UidSet> all;  ///< Nothing and no count: no message was found.
    std::optional<std::uint64_t> modseq;
};

/// RFC 7162. May name UIDs that never existed: intersect, never expand.
struct Vanished {
    bool earlier = false;
    UidSet uids;
};

struct Exists {
    std::uint32_t messages = 0;
};
struct Recent {
    std::uint32_t messages = 0;
};
struct Expunge {
    std::uint32_t sequence = 0;
};
struct Flags {
    std::vector<std::string> flags;
};

/// RFC 2342.
struct NamespaceEntry {
    std::string prefix;
    std::optional<char> delimiter;
    friend bool operator==(NamespaceEntry const&, NamespaceEntry const&) = default;
};
struct Namespace {
    std::vector<NamespaceEntry> personal, other, shared;
};

/// RFC 9208. STORAGE counts units of 1,024 octets.
struct QuotaResource {
    std::string name;  ///< Upper case.
    std::uint64_t usage = 0;
    std::uint64_t limit = 0;
    friend bool operator==(QuotaResource const&, QuotaResource const&) = default;
};
struct Quota {
    std::string root;
    std::vector<QuotaResource> resources;
};
struct QuotaRoot {
    std::string name;
    std::vector<std::string> roots;
};

/// RFC 2971: pairs as sent; an absent value is empty.
struct Id {
    std::vector<std::pair<std::string, std::string>> fields;
    std::string_view value(std::string_view name) const;  ///< Empty when absent.
};

/// A response that is of no use to us, passed over whole.
struct Other {
    std::string name;  ///< Upper case: "METADATA".
    /// A literal in it was too large to hold, so that a response we do know was passed over.
    bool oversized = false;
};

enum class BodyForm { absent, nil, present };

/// What one FETCH response said of a message, apart from its body. Items that weren't asked for
/// may come (flags), items that were may be missing.
struct FetchItems {
    std::uint32_t sequence = 0;        ///< The number of `* n FETCH`; of UIDFETCH the UID.
    std::optional<std::uint32_t> uid;  ///< Nothing: an unsolicited flag update; ignore it.
    std::optional<std::vector<std::string>> flags;
    std::optional<std::string> internaldate;  ///< Raw, without quotes.
    std::optional<DateTime> received;         ///< internaldate, if it is a date.
    std::optional<std::uint64_t> rfc822_size;
    std::optional<std::uint64_t> modseq;
    std::optional<std::string> x_guid;      ///< Dovecot.
    std::optional<std::string> email_id;    ///< RFC 8474.
    std::optional<std::uint64_t> gm_msgid;  ///< X-GM-MSGID.
    std::optional<std::string> header;      ///< BODY[HEADER...]; at most Limits::header_bytes_max.
    BodyForm body = BodyForm::absent;
    std::uint64_t body_bytes = 0;  ///< Octets of the body as counted by the parser.
};

/// One message is a sequence FetchBegin, then at most once BodyBegin, BodyBytes..., BodyEnd, then
/// FetchEnd. The UID may become known only at FetchEnd: what was read before is provisional.
struct FetchBegin {
    std::uint32_t sequence = 0;
};
struct BodyBegin {
    std::uint64_t bytes = 0;           ///< Announced by the server: compare with your own limit.
    std::optional<std::uint32_t> uid;  ///< If it came before the body.
    std::optional<std::uint64_t> rfc822_size;  ///< If it came before the body.
};
/// Lives until the next call of the parser; never empty.
struct BodyBytes {
    std::string_view bytes;
};
struct BodyEnd {};
struct FetchEnd {
    FetchItems items;
};

/// Fatal for the session: the stream is out of step. The parser repeats it for ever.
struct ProtocolError {
    std::string_view reason;  ///< Ours, static: "line too long".
    std::string excerpt;      ///< Theirs: the line's first 200 octets at most.
};

using Event = std::variant<NeedMore, Greeting, Untagged, Tagged, Continuation, Capability, Enabled,
                           ListEntry, StatusData, SearchResult, Esearch, Vanished, Exists, Recent,
                           Expunge, Flags, Namespace, Quota, QuotaRoot, Id, FetchBegin, BodyBegin,
                           BodyBytes, BodyEnd, FetchEnd, Other, ProtocolError>;

}  // namespace mailferry::imap
