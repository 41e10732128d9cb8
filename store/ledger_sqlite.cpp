#include "store/ledger_sqlite.hpp"

#include "config/base/assert.hpp"
#include "config/base/log.hpp"
#include "store/ledger_blocks.hpp"
#include "store/ledger_intents.hpp"
#include "store/ledger_items.hpp"
#include "store/ledger_mailboxes.hpp"
#include "store/ledger_names.hpp"
#include "store/ledger_schema.hpp"

#include <algorithm>

namespace mailferry::store {
namespace {

/// 2^36 ids in one run of the program, 2^27 runs: below SQLite's 2^63.
constexpr unsigned count_bits = 36;
constexpr std::uint64_t incarnation_max = (std::uint64_t{1} << (63 - count_bits)) - 1;

std::uint64_t next_id(std::uint64_t incarnation, std::atomic<std::uint64_t>& made) {
    auto const count = made.fetch_add(1) + 1;
    MAILFERRY_ASSERT(count < std::uint64_t{1} << count_bits);
    return (incarnation << count_bits) | count;
}

struct Identity {
    std::array<std::byte, 16> uuid{};
    std::uint64_t incarnation = 0;
};

/// One statement, so one transaction, durable when it returns.
Result<Identity> begin_incarnation(Database& database) {
    auto query = database.query("UPDATE meta SET incarnation = incarnation + 1 "
                                "RETURNING uuid, incarnation");
    auto row = query.step();
    if (!row) return row.error();
    if (!*row) return Error{Errc::corrupt, "ledger " + database.file().string() + ": no identity"};
    Identity identity;
    auto const bytes = query.blob(0);
    MAILFERRY_ASSERT(bytes.size() == identity.uuid.size());
    std::transform(bytes.begin(), bytes.end(), identity.uuid.begin(),
                   [](char c) { return static_cast<std::byte>(c); });
    identity.incarnation = query.count(1);
    // The commit happens when the statement ends.
    row = query.step();
    if (!row) return row.error();
    return identity;
}

}  // namespace

Result<std::unique_ptr<SqliteLedger>> SqliteLedger::open(std::filesystem::path const& file,
                                                         SqliteLedgerOptions options) {
    auto database = Database::open(file, options.pages_max);
    if (!database) return database.error();
    auto const current = migrate(*database, schema_steps());
    if (!current) return current.error();
    auto const identity = begin_incarnation(*database);
    if (!identity) return identity.error();
    MAILFERRY_ASSERT(identity->incarnation <= incarnation_max);
    return std::unique_ptr<SqliteLedger>(
        new SqliteLedger(std::move(*database), identity->uuid, identity->incarnation));
}

SqliteLedger::SqliteLedger(Database database, std::array<std::byte, 16> uuid,
                           std::uint64_t incarnation)
    : uuid_(uuid), incarnation_(incarnation), writer_(std::move(database)) {}

ItemId SqliteLedger::next_item_id() { return ItemId{next_id(incarnation_, items_made_)}; }

GroupId SqliteLedger::next_group_id() {
    return GroupId{static_cast<std::int64_t>(next_id(incarnation_, groups_made_))};
}

awaitable<Result<PairRecord>> SqliteLedger::open_pair(std::string migration, std::string source,
                                                      std::string target) {
    return writer_.write<PairRecord>(
        [migration = std::move(migration), source = std::move(source),
         target = std::move(target)](Database& database) {
            return store::open_pair(database, migration, source, target);
        });
}

awaitable<Result<std::vector<FolderRecord>>> SqliteLedger::folders(PairId pair) {
    return writer_.read<std::vector<FolderRecord>>(
        [pair](Database& database) { return read_folders(database, pair); });
}

awaitable<Result<FolderId>> SqliteLedger::save_folder(FolderRecord folder) {
    return writer_.write<FolderId>([folder = std::move(folder)](Database& database) {
        return store::save_folder(database, folder);
    });
}

awaitable<Result<void>> SqliteLedger::forget_items(FolderId folder) {
    return writer_.write<void>(
        [folder](Database& database) { return store::forget_items(database, folder); });
}

awaitable<Result<void>> SqliteLedger::rekey_items(FolderRecord folder,
                                                  std::vector<StoredRecord> kept) {
    return writer_.write<void>(
        [folder = std::move(folder), kept = std::move(kept)](Database& database) {
            return store::rekey_items(database, folder, kept);
        });
}

awaitable<Result<std::vector<NumberRun>>> SqliteLedger::known_numbers(FolderId folder) {
    return writer_.read<std::vector<NumberRun>>(
        [folder](Database& database) { return store::known_numbers(database, folder); });
}

awaitable<Result<std::uint64_t>> SqliteLedger::stored_count(FolderId folder) {
    return writer_.read<std::uint64_t>(
        [folder](Database& database) { return store::stored_count(database, folder); });
}

awaitable<Result<std::vector<StoredRecord>>> SqliteLedger::stored(FolderId folder,
                                                                  std::uint64_t first,
                                                                  std::uint64_t last) {
    return writer_.read<std::vector<StoredRecord>>([folder, first, last](Database& database) {
        return read_stored(database, folder, first, last);
    });
}

awaitable<Result<std::vector<StoredRecord>>> SqliteLedger::stored_numbers(
    FolderId folder, std::vector<std::uint64_t> numbers) {
    return writer_.read<std::vector<StoredRecord>>(
        [folder, numbers = std::move(numbers)](Database& database) mutable {
            return read_stored(database, folder, std::move(numbers));
        });
}

awaitable<Result<std::vector<ItemRecord>>> SqliteLedger::failed_updates(FolderId folder) {
    return writer_.read<std::vector<ItemRecord>>(
        [folder](Database& database) { return store::failed_updates(database, folder); });
}

awaitable<Result<std::vector<ItemRecord>>> SqliteLedger::live_items(PairId pair) {
    return writer_.read<std::vector<ItemRecord>>(
        [pair](Database& database) { return store::live_items(database, pair); });
}

awaitable<Result<std::vector<IntentRecord>>> SqliteLedger::open_intents(PairId pair) {
    return writer_.read<std::vector<IntentRecord>>(
        [pair](Database& database) { return store::open_intents(database, pair); });
}

awaitable<Result<std::vector<LiveItem>>> SqliteLedger::live_locations() {
    return writer_.read<std::vector<LiveItem>>(
        [](Database& database) { return store::live_locations(database); });
}

awaitable<Result<void>> SqliteLedger::record_spooled(std::vector<ItemRecord> items) {
    return writer_.write<void>([items = std::move(items)](Database& database) mutable {
        return store::record_spooled(database, std::move(items));
    });
}

awaitable<Result<void>> SqliteLedger::open_intent(IntentRecord intent) {
    return writer_.write<void>([intent = std::move(intent)](Database& database) mutable {
        return store::open_intent(database, std::move(intent));
    });
}

awaitable<Result<void>> SqliteLedger::close_intent(GroupId group, std::string target_generation,
                                                   std::vector<StoredRecord> stored,
                                                   std::vector<ItemRecord> failed) {
    return writer_.write<void>([group, generation = std::move(target_generation),
                                stored = std::move(stored),
                                failed = std::move(failed)](Database& database) mutable {
        return store::close_intent(database, group, generation, std::move(stored), failed);
    });
}

awaitable<Result<void>> SqliteLedger::record_failed(std::vector<ItemRecord> items) {
    return writer_.write<void>([items = std::move(items)](Database& database) mutable {
        return store::record_failed(database, std::move(items));
    });
}

awaitable<Result<void>> SqliteLedger::forget_spooled(std::vector<ItemId> items) {
    return writer_.write<void>([items = std::move(items)](Database& database) {
        return store::forget_spooled(database, items);
    });
}

awaitable<Result<void>> SqliteLedger::update_flags(FolderId folder,
                                                   std::vector<StoredRecord> changed) {
    return writer_.write<void>(
        [folder, changed = std::move(changed)](Database& database) mutable {
            return update_stored(database, folder, std::move(changed));
        });
}

awaitable<Result<std::vector<FailedItem>>> SqliteLedger::failed_items(std::string migration,
                                                                      std::size_t limit) {
    return writer_.read<std::vector<FailedItem>>(
        [migration = std::move(migration), limit](Database& database) {
            return store::failed_items(database, migration, limit);
        });
}

awaitable<Result<std::uint64_t>> SqliteLedger::retry_failed(std::string migration) {
    return writer_.write<std::uint64_t>([migration = std::move(migration)](Database& database) {
        return store::retry_failed(database, migration);
    });
}

awaitable<Result<std::vector<NamedItem>>> SqliteLedger::number_items(
    FolderId folder, std::vector<std::string> names) {
    return writer_.write<std::vector<NamedItem>>(
        [folder, names = std::move(names)](Database& database) {
            return number_source_names(database, folder, names);
        });
}

awaitable<Result<void>> SqliteLedger::rehome_items(FolderId folder,
                                                   std::vector<std::string> names) {
    return writer_.write<void>([folder, names = std::move(names)](Database& database) {
        return rehome_source_names(database, folder, names);
    });
}

awaitable<Result<std::vector<std::string>>> SqliteLedger::target_names(
    FolderId folder, std::vector<std::uint64_t> target_numbers) {
    return writer_.read<std::vector<std::string>>(
        [folder, numbers = std::move(target_numbers)](Database& database) {
            return read_target_names(database, folder, numbers);
        });
}

awaitable<Result<void>> SqliteLedger::save_pass(PassRecord record) {
    return writer_.write<void>([record = std::move(record)](Database& database) {
        return store::save_pass(database, record);
    });
}

awaitable<Result<std::vector<PassRecord>>> SqliteLedger::passes(std::string migration) {
    return writer_.read<std::vector<PassRecord>>(
        [migration = std::move(migration)](Database& database) {
            return read_passes(database, migration);
        });
}

awaitable<Result<void>> SqliteLedger::save_left_out(PairId pair,
                                                    std::vector<LeftOutFolder> folders) {
    return writer_.write<void>([pair, folders = std::move(folders)](Database& database) {
        return store::save_left_out(database, pair, folders);
    });
}

awaitable<Result<std::vector<LeftOutRecord>>> SqliteLedger::left_out(std::string migration,
                                                                     std::size_t limit) {
    return writer_.read<std::vector<LeftOutRecord>>(
        [migration = std::move(migration), limit](Database& database) {
            return read_left_out(database, migration, limit);
        });
}

awaitable<void> SqliteLedger::close() {
    auto const closed = co_await writer_.close();
    if (!closed) log::warning("ledger not checkpointed", {{"error", closed.error()}});
}

Result<std::unique_ptr<Ledger>> open_sqlite_ledger(asio::any_io_executor,
                                                   std::filesystem::path file) {
    auto opened = SqliteLedger::open(file);
    if (!opened) return opened.error();
    return std::unique_ptr<Ledger>(std::move(*opened));
}

}  // namespace mailferry::store
