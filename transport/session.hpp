#pragma once

/// What the engine asks of a mail system. One session is one authenticated connection that acts for
/// one mailbox at a time. The engine states intent; a connector (imap, graph, …) answers with
/// means.
///
/// All calls run on the session's executor (one thread). Several fetch() and store() calls may be
/// under way at once on one session: the connector puts them on the wire in the order of the calls,
/// so that the next one is already at the server when the previous one ends. Other calls are made
/// one at a time. After an error whose disposition is retry_now the session is dead: close() it.
/// After another error of open() it may be, as alive() tells.
/// Cancellation: terminal for the session; close() it. What a cancelled store() did is in doubt.

#include "async/asio.hpp"
#include "config/base/secret.hpp"
#include "transport/model/folder.hpp"
#include "transport/model/item.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mailferry::transport {

/// What the bytes of an item are. Source and target have to agree.
enum class ItemFormat {
    mime,             ///< RFC 5322 messages.
    exchange_stream,  ///< Opaque; two readings of one item may differ in their bytes.
};

/// What a connector can do with one server, for the plan and for the user to read.
struct Capabilities {
    ItemFormat format = ItemFormat::mime;
    bool marks_cover_flags = false;  ///< An equal mark means: no flag has changed either.
    bool numbers_after_store =
        false;                   ///< store() tells the numbers that the target gave (UIDPLUS).
    bool atomic_groups = false;  ///< A refused group leaves nothing behind (MULTIAPPEND).
    bool can_update_flags = true;
    std::uint64_t item_bytes_max = 0;  ///< 0: unknown.
    /// Bytes of items that the server takes for one mailbox from one admin, by published limits, in
    /// the long run. 0: unknown.
    std::uint64_t stored_bytes_per_second_max = 0;
    std::string server;  ///< "Dovecot", for logs and reports; untrusted.
};

struct OpenMailbox {
    std::string mailbox;                   ///< As in the mapping.
    Secret const* own_password = nullptr;  ///< For `auth = "user"`; outlives the call.
};

/// Takes what a scan lists. Called from within scan(), never concurrently.
class ScanSink {
public:
    virtual ~ScanSink() = default;
    virtual void item(ItemMeta meta) = 0;  ///< New, or its metadata changed.
    /// No longer in the folder.
    virtual void vanished(ItemNumber first, ItemNumber last) = 0;
    virtual void vanished_item(std::string const& /*name*/) {}
};

struct ScanRequest {
    std::string
        since_mark;       ///< A mark of an earlier scan: only what changed since. "": everything.
    ItemNumber from = 1;  ///< Continue here (next of the previous ScanResult).
    std::uint32_t items_max = 50'000;  ///< Rough size of one answer: the engine's memory.
    Window window;  ///< A hint: the sink may get items outside it and must filter.
};

struct ScanResult {
    std::string generation;  ///< Item numbers are valid within it only (UIDVALIDITY).
    std::string mark;        ///< State *before* the scan: what changes meanwhile is seen next time.
    bool complete =
        false;            ///< True: all items were listed (unlisted ones are gone); false: changes.
    ItemNumber next = 0;  ///< 0: done.
};

/// Takes what a fetch delivers: begin, piece*, end for each item, in any order of items. If fetch()
/// fails after begin() without end(), that item is void.
class ItemReceiver {
public:
    virtual ~ItemReceiver() = default;
    /// No more than `bytes_max` follow; exactly so many where the transfer announces the size. An
    /// error ends the whole fetch.
    virtual awaitable<Result<void>> begin(std::uint64_t bytes_max) = 0;
    /// Resolves when the bytes are taken; until then the connector reads nothing more.
    virtual awaitable<Result<void>> piece(std::span<std::byte const> bytes) = 0;
    virtual awaitable<Result<void>> end(ItemMeta meta) = 0;
    /// The server can't hand over this one item (not begun, or void now); the others go on.
    virtual void failed(ItemNumber number, Error error) = 0;
};

class SourceSession {
public:
    virtual ~SourceSession() = default;
    virtual Capabilities const& capabilities() const = 0;
    /// Signs in for, or switches to, one mailbox.
    virtual awaitable<Result<void>> open(OpenMailbox request) = 0;
    /// Whose the open mailbox is, under whatever address. "": the server has no word for it.
    virtual std::string mailbox_identity() const { return {}; }
    /// What would keep the open mailbox from being copied (rights, mostly), each with its cure:
    /// asked by calls that change nothing. An error: the question itself failed.
    virtual awaitable<Result<std::vector<Error>>> obstacles() { co_return std::vector<Error>(); }
    virtual awaitable<Result<std::vector<Folder>>> folders() = 0;
    /// What the last folders() left out since it can't or must not cross.
    virtual std::vector<LeftOutFolder> left_out() const { return {}; }
    virtual awaitable<Result<ScanResult>> scan(Folder folder, ScanRequest request,
                                               ScanSink& sink) = 0;
    /// Items that are gone are simply not delivered. folder_replaced if `generation` no longer
    /// holds. `receiver` outlives the call.
    virtual awaitable<Result<void>> fetch(Folder folder, std::string generation,
                                          std::vector<ItemRef> items, ItemReceiver& receiver) = 0;
    /// Round trip that shows that the session still lives.
    virtual awaitable<Result<void>> ping() = 0;
    /// Leaves politely within two seconds, or at once if the session is dead. Never fails.
    virtual awaitable<void> close() = 0;
    /// Cuts the connection at once: calls under way fail with connection_lost (or doubtful).
    virtual void cut() = 0;
    virtual bool alive() const = 0;
};

/// The bytes of one item, read front to back, more than once if need be.
class ItemReader {
public:
    virtual ~ItemReader() = default;
    virtual std::uint64_t size() const = 0;
    /// Next piece, valid until the next call; empty at the end.
    virtual awaitable<Result<std::span<std::byte const>>> next() = 0;
    virtual void rewind() = 0;
};

struct StoreItem {
    ReceivedDate received;
    Flags flags;
    std::shared_ptr<ItemReader> reader;
    std::string replaces;  ///< Name of our earlier copy that this is a newer state of; "": new.
};

/// What became of one item of a store() call that got an answer.
struct StoredItem {
    ItemNumber number = 0;  ///< 0: the target doesn't tell, or names its items.
    std::string name;       ///< Where the target names its items.
    /// Why it isn't there; doubtful: its answer alone was lost.
    std::optional<Error> refused;
    Flags flags_kept;  ///< What of the flags the target took.
};

struct StoreResult {
    std::string generation;  ///< Of the target folder, as answered.
    /// One per item, in order. All refused with `group_refused`: the answer doesn't say which one
    /// was to blame; nothing was stored.
    std::vector<StoredItem> items;
    bool group_refused = false;
};

/// Where the next store will land: what an intent has to remember.
struct FolderPosition {
    std::string generation;
    /// No item that exists now has this number or a larger one. 0: items have names, which tell
    /// nothing about their order.
    ItemNumber next = 1;
};

/// What of a target folder is to be listed. Both are hints: more may be listed.
struct ListRequest {
    ItemNumber from = 0;  ///< Nothing with a smaller number is sought.
    /// Only items with these received dates (Unix seconds) are sought. Empty: any date.
    std::vector<std::int64_t> received;
};

/// One item of the target, as found during recovery or verification.
struct FoundItem {
    ItemMeta meta;
};

/// Awaited by store() before it lets go of the last octet that lets the target commit. An error
/// makes store() end without having committed; the session is then dead.
using BeforeCommit = std::function<awaitable<Result<void>>()>;

class TargetSession {
public:
    virtual ~TargetSession() = default;
    virtual Capabilities const& capabilities() const = 0;
    virtual awaitable<Result<void>> open(OpenMailbox request) = 0;
    /// As at the source.
    virtual std::string mailbox_identity() const { return {}; }
    virtual awaitable<Result<std::vector<Error>>> obstacles() { co_return std::vector<Error>(); }
    virtual awaitable<Result<std::vector<Folder>>> folders() = 0;
    /// Makes the folder (and its parents) or finds the existing one; the answer's path and id are
    /// what the target made of it. folder_refused with the server's reason if it won't.
    virtual awaitable<Result<Folder>> create_folder(Folder wanted) = 0;
    virtual awaitable<Result<void>> subscribe(Folder folder, bool subscribed) = 0;
    virtual awaitable<Result<FolderPosition>> position(Folder folder) = 0;
    /// Stores the group in order. doubtful: the answer was lost after before_commit was passed, so
    /// any prefix (or, with atomic_groups, all or none) may be there. Any other error: nothing is.
    virtual awaitable<Result<StoreResult>> store(Folder folder, std::vector<StoreItem> items,
                                                 BeforeCommit before_commit) = 0;
    /// Lists what the folder holds, for recovery and verification; answers its generation.
    virtual awaitable<Result<std::string>> list(Folder folder, ListRequest request,
                                                std::function<void(FoundItem)> found) = 0;
    /// Reads one item back, byte for byte. One that is gone is simply not delivered.
    virtual awaitable<Result<void>> read_back(Folder folder, ItemRef item,
                                              ItemReceiver& receiver) = 0;
    virtual awaitable<Result<void>> change_flags(Folder folder, std::vector<ItemNumber> numbers,
                                                 Flags add, Flags remove) = 0;
    virtual awaitable<Result<void>> ping() = 0;
    virtual awaitable<void> close() = 0;
    /// Cuts the connection at once: calls under way fail with connection_lost (or doubtful).
    virtual void cut() = 0;
    virtual bool alive() const = 0;
};

/// A limit of the server that a connector keeps, and what it holds back at present.
struct LimitLoad {
    std::string limit;                     ///< From a short fixed list: "upload".
    std::uint32_t waiting = 0;             ///< Requests.
    std::chrono::milliseconds longest{0};  ///< Until the last of them may go, as far as known.
};

/// Makes sessions of one tenant. One per admin. Owned by the pool.
class Connector {
public:
    virtual ~Connector() = default;
    /// Connects and, where the protocol signs in the admin itself, signs in.
    virtual awaitable<Result<std::unique_ptr<SourceSession>>> connect_source() = 0;
    virtual awaitable<Result<std::unique_ptr<TargetSession>>> connect_target() = 0;
    /// What its sessions wait for at present, for people: a limit of the server, until when. "":
    /// nothing, or not for long.
    virtual std::string waits_for() const { return {}; }
    /// All its limits, for metrics.
    virtual std::vector<LimitLoad> limit_loads() const { return {}; }
};

}  // namespace mailferry::transport
