#pragma once

/// Items that are under way or failed: the statements behind the ledger's operations
/// of the same names. Runs on the ledger's thread; the writing functions inside a transaction.
/// Moves are checked against item_moves.hpp; an illegal one stops the program.

#include "store/ledger.hpp"
#include "store/ledger_statements.hpp"

namespace mailferry::store {

Result<void> record_spooled(Database& database, std::vector<ItemRecord> items);
Result<void> record_failed(Database& database, std::vector<ItemRecord> items);
Result<void> forget_spooled(Database& database, std::vector<ItemId> const& items);
Result<void> forget_items(Database& database, FolderId folder);
Result<void> rekey_items(Database& database, FolderRecord const& folder,
                         std::vector<StoredRecord> kept);
Result<std::uint64_t> retry_failed(Database& database, std::string const& migration);

Result<std::vector<NumberRun>> known_numbers(Database& database, FolderId folder);
Result<std::vector<ItemRecord>> failed_updates(Database& database, FolderId folder);
Result<std::vector<ItemRecord>> live_items(Database& database, PairId pair);
Result<std::vector<IntentRecord>> open_intents(Database& database, PairId pair);
Result<std::vector<LiveItem>> live_locations(Database& database);
Result<std::vector<FailedItem>> failed_items(Database& database, std::string const& migration,
                                             std::size_t limit);

}  // namespace mailferry::store
