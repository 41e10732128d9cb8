#pragma once

/// Numbers for the names of mail systems that name their items: the statements behind the ledger's
/// operations. Runs on the ledger's thread; the writing functions inside a transaction. What the
/// tables hold, and why source names are digests: docs/ledger.md.

#include "store/ledger.hpp"
#include "store/ledger_statements.hpp"

namespace mailferry::store {

/// The numbers of source names, in order; those without one get it, and `folder` as their home.
Result<std::vector<NamedItem>> number_source_names(Database& database, FolderId folder,
                                                   std::vector<std::string> const& names);
/// Names without a number are ignored.
Result<void> rehome_source_names(Database& database, FolderId folder,
                                 std::vector<std::string> const& names);

/// Gives numbers to the target names of the folder's pair, one after the other.
class TargetNames {
public:
    TargetNames(Database& database, FolderId folder) : database_(database), folder_(folder) {}
    /// A new number, unless `replaces` (0: nothing) is the number of this very name: a copy that
    /// was updated in place keeps its number.
    Result<std::uint64_t> number(std::string const& name, std::uint64_t replaces);

private:
    Result<void> read_last();

    Database& database_;
    FolderId folder_;
    PairId pair_{};
    std::uint64_t last_ = 0;  ///< Number of the last name.
    std::uint64_t base_ = 0;  ///< Number of the last name that is kept whole; 0: there is none.
    std::string base_name_;
    bool known_ = false;
};

/// In order; "" for a number without a name.
Result<std::vector<std::string>> read_target_names(Database& database, FolderId folder,
                                                   std::vector<std::uint64_t> const& numbers);

}  // namespace mailferry::store
