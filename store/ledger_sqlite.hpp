#pragma once

/// The ledger in one SQLite file. Tables, states, legal moves and durability: docs/ledger.md.

#include "store/ledger.hpp"
#include "store/ledger_writer.hpp"

#include <atomic>

namespace mailferry::store {

struct SqliteLedgerOptions {
    /// Of 4096 bytes; a write that needs more ends in disk_full. 0: no limit.
    std::uint64_t pages_max = 0;
};

/// Item and group ids are made of the incarnation and a counter, so that they need no I/O at all:
/// incarnations never come twice, and neither does a count within one.
class SqliteLedger final : public Ledger {
public:
    static Result<std::unique_ptr<SqliteLedger>> open(std::filesystem::path const& file,
                                                      SqliteLedgerOptions options = {});

    LedgerStats stats() const { return writer_.stats(); }

    std::array<std::byte, 16> uuid() const override { return uuid_; }
    std::uint64_t incarnation() const override { return incarnation_; }
    ItemId next_item_id() override;
    GroupId next_group_id() override;

    awaitable<Result<PairRecord>> open_pair(std::string migration, std::string source,
                                            std::string target) override;
    awaitable<Result<std::vector<FolderRecord>>> folders(PairId pair) override;
    awaitable<Result<FolderId>> save_folder(FolderRecord folder) override;
    awaitable<Result<void>> forget_items(FolderId folder) override;
    awaitable<Result<void>> rekey_items(FolderRecord folder,
                                        std::vector<StoredRecord> kept) override;

    awaitable<Result<std::vector<NumberRun>>> known_numbers(FolderId folder) override;
    awaitable<Result<std::uint64_t>> stored_count(FolderId folder) override;
    awaitable<Result<std::vector<StoredRecord>>> stored(FolderId folder, std::uint64_t first,
                                                        std::uint64_t last) override;
    awaitable<Result<std::vector<StoredRecord>>> stored_numbers(
        FolderId folder, std::vector<std::uint64_t> numbers) override;
    awaitable<Result<std::vector<ItemRecord>>> failed_updates(FolderId folder) override;
    awaitable<Result<std::vector<ItemRecord>>> live_items(PairId pair) override;
    awaitable<Result<std::vector<IntentRecord>>> open_intents(PairId pair) override;
    awaitable<Result<std::vector<LiveItem>>> live_locations() override;

    awaitable<Result<void>> record_spooled(std::vector<ItemRecord> items) override;
    awaitable<Result<void>> open_intent(IntentRecord intent) override;
    awaitable<Result<void>> close_intent(GroupId group, std::string target_generation,
                                         std::vector<StoredRecord> stored,
                                         std::vector<ItemRecord> failed) override;
    awaitable<Result<void>> record_failed(std::vector<ItemRecord> items) override;
    awaitable<Result<void>> forget_spooled(std::vector<ItemId> items) override;
    awaitable<Result<void>> update_flags(FolderId folder,
                                         std::vector<StoredRecord> changed) override;

    awaitable<Result<std::vector<FailedItem>>> failed_items(std::string migration,
                                                            std::size_t limit) override;
    awaitable<Result<std::uint64_t>> retry_failed(std::string migration) override;

    awaitable<Result<std::vector<NamedItem>>> number_items(FolderId folder,
                                                           std::vector<std::string> names) override;
    awaitable<Result<void>> rehome_items(FolderId folder, std::vector<std::string> names) override;
    awaitable<Result<std::vector<std::string>>> target_names(
        FolderId folder, std::vector<std::uint64_t> target_numbers) override;

    awaitable<Result<void>> save_pass(PassRecord record) override;
    awaitable<Result<std::vector<PassRecord>>> passes(std::string migration) override;
    awaitable<Result<void>> save_left_out(PairId pair, std::vector<LeftOutFolder> folders) override;
    awaitable<Result<std::vector<LeftOutRecord>>> left_out(std::string migration,
                                                           std::size_t limit) override;

    /// A checkpoint that fails is logged: the write-ahead log then keeps what the file lacks.
    awaitable<void> close() override;

private:
    SqliteLedger(Database database, std::array<std::byte, 16> uuid, std::uint64_t incarnation);

    std::array<std::byte, 16> const uuid_;
    std::uint64_t const incarnation_;
    std::atomic<std::uint64_t> items_made_ = 0;
    std::atomic<std::uint64_t> groups_made_ = 0;
    LedgerWriter writer_;
};

}  // namespace mailferry::store
