#pragma once

#include "tests/support/ledger_values.hpp"

#include <vector>

namespace mailferry::store {

/// A ledger of its own with one pair and one folder.
class LedgerCase : public testing::Test {
protected:
    /// The operation, twice: a repetition does no harm.
    template <class Make>
    void twice(Make make) {
        for (int round = 0; round < 2; ++round) {
            auto const done = open(make());
            ASSERT_TRUE(done) << done.error().describe();
        }
    }
    std::vector<ItemRecord> live() { return *open(ledger().live_items(open.pair)); }
    std::vector<IntentRecord> intents() { return *open(ledger().open_intents(open.pair)); }
    std::vector<FailedItem> failures() { return *open(ledger().failed_items("merger", 100)); }
    FolderRecord folder_now() { return open(ledger().folders(open.pair))->front(); }
    SqliteLedger& ledger() { return *open.ledger; }

    ScratchDirectory scratch;
    OpenLedger open{scratch.file()};
};

}  // namespace mailferry::store
