#pragma once

/// Stored items of a folder, in the table of packed blocks. Runs on the ledger's thread; the
/// writing functions inside a transaction. A damaged block is Errc::corrupt, naming folder and
/// block.

#include "store/ledger.hpp"
#include "store/ledger_statements.hpp"

#include <optional>

namespace mailferry::store {

/// `records` in any order. A number that is there already is replaced.
Result<void> insert_stored(Database& database, FolderId folder, std::vector<StoredRecord> records);

/// Ascending, first <= number <= last.
Result<std::vector<StoredRecord>> read_stored(Database& database, FolderId folder,
                                              std::uint64_t first, std::uint64_t last);

/// Those of `numbers` (in any order) that are stored, ascending. Reads each block once.
Result<std::vector<StoredRecord>> read_stored(Database& database, FolderId folder,
                                              std::vector<std::uint64_t> numbers);

/// All stored numbers, ascending, disjoint, merged. Reads no item's data.
Result<std::vector<NumberRun>> stored_runs(Database& database, FolderId folder);
Result<std::uint64_t> stored_count(Database& database, FolderId folder);

/// New flags and fingerprint for the numbers that are stored, and their target number (or a number
/// for their target's name) where none was known; the others are ignored.
Result<void> update_stored(Database& database, FolderId folder, std::vector<StoredRecord> changed);

/// The target's numbers became void: all are unknown again.
Result<void> forget_target_numbers(Database& database, FolderId folder);

/// Answers for many numbers, cheapest in ascending order: keeps the last block's runs. For as
/// long as no block of the folder changes.
class StoredNumbers {
public:
    StoredNumbers(Database& database, FolderId folder) : database_(database), folder_(folder) {}
    Result<bool> contains(std::uint64_t number);

private:
    Result<void> read_around(std::uint64_t number);

    Database& database_;
    FolderId folder_;
    std::uint64_t first_ = 1, last_ = 0;  ///< Where runs_ is the whole truth.
    std::vector<NumberRun> runs_;
};

/// Joins runs that overlap or touch. `runs` in any order.
std::vector<NumberRun> merge_runs(std::vector<NumberRun> runs);

}  // namespace mailferry::store
