#pragma once

/// Pairs, folders and passes: the statements behind the ledger's operations of the same names. Runs
/// on the ledger's thread; the writing functions inside a transaction.

#include "store/ledger.hpp"
#include "store/ledger_statements.hpp"

namespace mailferry::store {

Result<PairRecord> open_pair(Database& database, std::string const& migration,
                             std::string const& source, std::string const& target);
Result<std::vector<FolderRecord>> read_folders(Database& database, PairId pair);
Result<FolderId> save_folder(Database& database, FolderRecord const& folder);

/// Something of the folder is to be fetched again: its last scan no longer counts as complete, or
/// the next pass would pass it by as unchanged.
Result<void> void_scan(Database& database, FolderId folder);

/// The folder's blocks now hold numbers of this target generation. Those of another one are void.
Result<void> set_target_generation(Database& database, FolderId folder,
                                   std::string const& generation);

Result<void> save_pass(Database& database, PassRecord const& record);
/// "" for all migrations; by pair, then by name.
Result<std::vector<PassRecord>> read_passes(Database& database, std::string const& migration);

/// Writes only what isn't so already.
Result<void> save_left_out(Database& database, PairId pair, std::vector<LeftOutFolder> folders);
Result<std::vector<LeftOutRecord>> read_left_out(Database& database, std::string const& migration,
                                                 std::size_t limit);

}  // namespace mailferry::store
