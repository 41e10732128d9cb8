#pragma once

/// Open intents: the statements behind the ledger's operations of the same names. Items that had a
/// row keep it while they are sent; the others are packed into the intent's own. Runs on the
/// ledger's thread; the writing functions inside a transaction.

#include "store/ledger.hpp"
#include "store/ledger_statements.hpp"
#include "store/packed_intent.hpp"

#include <utility>
#include <vector>

namespace mailferry::store {

Result<void> open_intent(Database& database, IntentRecord intent);
Result<void> close_intent(Database& database, GroupId group, std::string const& target_generation,
                          std::vector<StoredRecord> stored, std::vector<ItemRecord> const& failed);

/// What stands in an intent's row. Errc::corrupt, naming the intent.
Result<std::vector<PackedItem>> decode_packed_of(Database const& database, GroupId group,
                                                 FolderId folder, std::string_view bytes);
/// The packed items of each open intent of the folder.
Result<std::vector<std::pair<GroupId, std::vector<PackedItem>>>> packed_intents(Database& database,
                                                                                FolderId folder);
/// The packed items of all open intents of the pair.
Result<std::vector<ItemRecord>> packed_items(Database& database, PairId pair);

/// The packed item gets a row of its own, with what `item` says of its bytes and location.
Result<void> unpack_item(Database& database, GroupId group, ItemRecord const& item);

}  // namespace mailferry::store
