#pragma once

/// What has been seen, spooled, sent and stored. An interface: SQLite today, PostgreSQL for several
/// machines. State changes are conditional and idempotent; a mailbox pair has one writer.
///
/// Every awaitable resolves on the caller's executor. The writing ones resolve after their
/// transaction is durable (fsynced); calls that wait at the same time share one transaction.
/// Cancellation: the change may or may not have happened; its repetition does no harm.

#include "async/asio.hpp"
#include "store/spool.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailferry::store {

enum class PairId : std::int64_t {};
enum class FolderId : std::int64_t {};
enum class GroupId : std::int64_t {};  ///< One intent.
enum class ItemId : std::uint64_t {};  ///< Never reused; stands in spool frames.

/// The states of an item that has a row. What is stored has no row: it lies in packed blocks.
enum class ItemState {
    spooled,  ///< Durable in the spool, not yet sent.
    sending,  ///< In an open intent: the target may hold it.
    failed,   ///< Given up, with reason; exported to quarantine if it could be read.
};

struct FolderRecord {
    FolderId id{};
    PairId pair{};
    std::string source_id;    ///< The source's handle (transport::Folder::id).
    std::string source_path;  ///< For people.
    std::string target_id;    ///< "" until the target folder is made.
    std::string target_path;
    std::string generation;  ///< Of the source: item numbers are valid within it.
    std::string mark;        ///< Of the last complete scan.
    bool covered = false;    ///< A scan has been completed for [since, before).
    std::optional<std::int64_t> covered_since, covered_before;
    std::string target_generation;  ///< Of the target numbers in the blocks.
};

struct ItemRecord {
    ItemId id{};
    FolderId folder{};
    std::uint64_t number = 0;
    /// Target number of our earlier copy, of which this is a newer state; 0: new. Only such a row
    /// may stand beside a stored record of its number.
    std::uint64_t replaces = 0;
    ItemState state = ItemState::spooled;
    std::uint64_t size = 0;
    Sha256Digest digest{};          ///< Of the item's bytes; all zero if never read.
    /// Of the header block, or of the version of an item that changes: finds candidates, proves
    /// nothing.
    std::uint64_t fingerprint = 0;
    std::int64_t received = 0;      ///< Unix seconds.
    std::int16_t zone_minutes = 0;
    std::vector<std::string> flags;
    SpoolLocation location;  ///< segment 0: not in the spool (any more).
    std::uint32_t attempts = 0;
    std::string reason;    ///< Errc's name; failed only.
    std::string detail;    ///< Context, and the server's text escaped; failed only.
    std::string exported;  ///< File in quarantine; failed only.
};

/// What the packed blocks keep of a stored item.
struct StoredRecord {
    std::uint64_t number = 0;
    std::uint64_t target_number = 0;  ///< 0: the target didn't tell.
    std::uint64_t fingerprint = 0;
    std::int64_t received = 0;
    std::uint64_t size = 0;
    std::vector<std::string> flags;  ///< As they were at the source when last carried.
    /// For targets that name their items, and only given to the ledger: with target_number 0 the
    /// target number becomes the name's (see target_names), in the same transaction.
    std::string target_name{};
};

/// An item of a source that names its items, and the number that stands for it everywhere else.
struct NamedItem {
    std::string name;
    std::uint64_t number = 0;  ///< From 1; within the pair one for each name, never reused.
    FolderId folder{};         ///< Its home: where it was first seen, or was re-homed to.
    bool is_new = false;       ///< Got its number in this call, and stands here for the first time.
};

struct NumberRun {
    std::uint64_t first = 0, last = 0;
    bool operator==(NumberRun const&) const = default;
};

struct IntentRecord {
    GroupId id{};
    FolderId folder{};
    std::string target_generation;
    std::uint64_t target_next = 0;
    std::int64_t opened = 0;        ///< Unix seconds.
    std::vector<ItemRecord> items;  ///< In sending order.
};

enum class PassState { waiting, running, done, failed, paused, cancelled };
std::string_view to_string(PassState state);

struct PassCounters {
    std::uint64_t seen = 0, stored = 0, unchanged = 0, left_out = 0, gone = 0, failed = 0;
    std::uint64_t waiting = 0;  ///< seen = stored+unchanged+left_out+gone+failed+waiting
    std::uint64_t flags_changed = 0, bytes_stored = 0;
    PassCounters& operator+=(PassCounters const& other);
    bool operator==(PassCounters const&) const = default;
};

/// One mailbox's run through one pass.
struct PassRecord {
    PairId pair{};
    std::string pass;
    PassState state = PassState::waiting;
    PassCounters counters;
    std::string error;                    ///< Why it failed or waits, for people.
    std::int64_t started = 0, ended = 0;  ///< Unix seconds; 0: not yet.
};

struct PairRecord {
    PairId id{};
    std::string migration, source, target;
};

/// A folder of the source mailbox that isn't copied whatever the configuration says.
struct LeftOutFolder {
    std::string path, reason;
    std::uint64_t items = 0;
    bool operator==(LeftOutFolder const&) const = default;
};

struct LeftOutRecord {
    std::string source_mailbox;
    LeftOutFolder folder;
};

struct FailedItem {
    ItemRecord item;
    std::string source_mailbox, folder_path;
};

class Ledger {
public:
    virtual ~Ledger() = default;

    virtual std::array<std::byte, 16> uuid() const = 0;
    virtual std::uint64_t incarnation() const = 0;  ///< +1 at each open, durable.
    /// Never the same twice, also across restarts; no I/O on most calls.
    virtual ItemId next_item_id() = 0;
    virtual GroupId next_group_id() = 0;

    // Mailboxes
    /// Finds or makes the pair. invalid_config if the target belongs to another source already.
    virtual awaitable<Result<PairRecord>> open_pair(std::string migration, std::string source,
                                                    std::string target) = 0;
    virtual awaitable<Result<std::vector<FolderRecord>>> folders(PairId pair) = 0;
    /// Inserts (id 0) or updates; the key is (pair, source_id).
    virtual awaitable<Result<FolderId>> save_folder(FolderRecord folder) = 0;
    /// Drops what is known of the folder's items (its generation changed): blocks, rows and
    /// intents.
    virtual awaitable<Result<void>> forget_items(FolderId folder) = 0;
    /// The source folder's numbers became void and `kept` are the stored items under their new
    /// ones: replaces everything known of the folder's items, and the folder's record, in one step.
    virtual awaitable<Result<void>> rekey_items(FolderRecord folder,
                                                std::vector<StoredRecord> kept) = 0;

    // Items
    /// Numbers that need no fetch: stored, and rows in any state. Sorted, disjoint, merged.
    virtual awaitable<Result<std::vector<NumberRun>>> known_numbers(FolderId folder) = 0;
    virtual awaitable<Result<std::uint64_t>> stored_count(FolderId folder) = 0;
    /// Stored items with first <= number <= last, ascending.
    virtual awaitable<Result<std::vector<StoredRecord>>> stored(FolderId folder,
                                                                std::uint64_t first,
                                                                std::uint64_t last) = 0;
    /// The same for scattered numbers, ascending; those that aren't stored are left out. Reads only
    /// the blocks that they lie in.
    virtual awaitable<Result<std::vector<StoredRecord>>> stored_numbers(
        FolderId folder, std::vector<std::uint64_t> numbers) = 0;
    /// Failed newer states of stored items, ascending: the number is known either way, and the
    /// same version need not be tried again.
    virtual awaitable<Result<std::vector<ItemRecord>>> failed_updates(FolderId folder) = 0;
    /// Rows in state spooled and sending of one pair, by folder and number.
    virtual awaitable<Result<std::vector<ItemRecord>>> live_items(PairId pair) = 0;
    virtual awaitable<Result<std::vector<IntentRecord>>> open_intents(PairId pair) = 0;
    /// Every live location, for the spool's recovery.
    virtual awaitable<Result<std::vector<LiveItem>>> live_locations() = 0;

    /// planned -> spooled. Ignored for an item that is sending or stored already (only its location
    /// is filled in while it is sending). A newer state of a stored item (`replaces`) is stored
    /// already if the stored record has its fingerprint.
    virtual awaitable<Result<void>> record_spooled(std::vector<ItemRecord> items) = 0;
    /// -> sending: the intent, before the target can commit. Items without a row get one, newer
    /// states of stored items too.
    virtual awaitable<Result<void>> open_intent(IntentRecord intent) = 0;
    /// Ends an intent: `stored` go to the blocks, `failed` get their reasons, the rest go back to
    /// spooled (or are forgotten, to be fetched again, if they have no location). A record in
    /// `stored` takes the place of an earlier one; the earlier one stays if the newer state fails.
    virtual awaitable<Result<void>> close_intent(GroupId group, std::string target_generation,
                                                 std::vector<StoredRecord> stored,
                                                 std::vector<ItemRecord> failed) = 0;
    /// -> failed without an intent (couldn't be fetched, too large, …). A newer state of a stored
    /// item needs `replaces` and its own fingerprint here, too.
    virtual awaitable<Result<void>> record_failed(std::vector<ItemRecord> items) = 0;
    /// The spool lost these: their rows go, so that they are fetched again. Items in an open intent
    /// keep their row without a location.
    virtual awaitable<Result<void>> forget_spooled(std::vector<ItemId> items) = 0;
    /// New flags and fingerprint of stored items after they were carried (or the source's new state
    /// was noted); the target number or name where none was known.
    virtual awaitable<Result<void>> update_flags(FolderId folder,
                                                 std::vector<StoredRecord> changed) = 0;

    virtual awaitable<Result<std::vector<FailedItem>>> failed_items(std::string migration,
                                                                    std::size_t limit) = 0;
    /// Failed items of the migration ("" for all) are planned again: their rows go. How many.
    virtual awaitable<Result<std::uint64_t>> retry_failed(std::string migration) = 0;

    // Names
    /// The number of each name in the folder's source mailbox, in order: the existing one, or a new
    /// one whose home is `folder`. An item that has moved is answered with its former home. Names
    /// are any bytes; a name that comes twice is answered twice.
    virtual awaitable<Result<std::vector<NamedItem>>> number_items(
        FolderId folder, std::vector<std::string> names) = 0;
    /// Makes `folder` the home of these names; those without a number are ignored. For items of
    /// which the former home has neither a row nor a stored record: those don't move along.
    virtual awaitable<Result<void>> rehome_items(FolderId folder,
                                                 std::vector<std::string> names) = 0;
    /// The names behind target numbers of the folder's target mailbox, in order; "": unknown.
    virtual awaitable<Result<std::vector<std::string>>> target_names(
        FolderId folder, std::vector<std::uint64_t> target_numbers) = 0;

    // Passes
    virtual awaitable<Result<void>> save_pass(PassRecord record) = 0;
    virtual awaitable<Result<std::vector<PassRecord>>> passes(std::string migration) = 0;
    /// Takes the place of what was saved for the pair before.
    virtual awaitable<Result<void>> save_left_out(PairId pair,
                                                  std::vector<LeftOutFolder> folders) = 0;
    /// Those with the most items first. "": of all migrations.
    virtual awaitable<Result<std::vector<LeftOutRecord>>> left_out(std::string migration,
                                                                   std::size_t limit) = 0;

    /// Checkpoints and closes; nothing may be called afterwards.
    virtual awaitable<void> close() = 0;
};

/// Opens or makes the SQLite ledger. Refuses a newer schema version (invalid_config, with the
/// cure), migrates an older one. `file` gets mode 0600. Work is done on a thread of the ledger's
/// own.
Result<std::unique_ptr<Ledger>> open_sqlite_ledger(asio::any_io_executor executor,
                                                   std::filesystem::path file);

}  // namespace mailferry::store
