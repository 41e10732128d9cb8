#include "tests/support/ledger_values.hpp"

#include <random>

namespace mailferry::store {
namespace {

using Runs = std::vector<NumberRun>;

/// Newer states of items 1 to 5, which are stored in their first version under the names v1-1 and
/// so on.
class LedgerUpdatesTest : public testing::Test {
protected:
    void SetUp() override {
        std::vector<ItemRecord> items;
        std::vector<StoredRecord> records;
        for (std::uint64_t number = 1; number <= 5; ++number) {
            items.push_back(open.hot(number));
            records.push_back(version_of(number, 1));
        }
        auto const intent = open.intent(std::move(items));
        ASSERT_TRUE(open(ledger().open_intent(intent)));
        ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", records, {})));
        first_ = stored();
    }

    static std::string name_of(std::uint64_t number, std::uint64_t version) {
        return "v" + std::to_string(version) + "-" + std::to_string(number);
    }
    static StoredRecord version_of(std::uint64_t number, std::uint64_t version) {
        auto record = stored_of(number);
        record.target_number = 0;
        record.target_name = name_of(number, version);
        record.fingerprint = version;
        record.size = 1000 * version;
        record.flags = {"flag " + std::to_string(version)};
        return record;
    }
    ItemRecord update_of(std::uint64_t number, std::uint64_t version) {
        auto item = open.item(number);
        item.fingerprint = version;
        item.replaces = first_.at(number - 1).target_number;
        return item;
    }
    static ItemRecord failed(ItemRecord item) {
        item.state = ItemState::failed;
        item.location = {};
        item.reason = "item_refused";
        return item;
    }
    template <class Make>
    void twice(Make make) {
        for (int round = 0; round < 2; ++round) {
            auto const done = open(make());
            ASSERT_TRUE(done) << done.error().describe();
        }
    }
    IntentRecord send(std::vector<ItemRecord> items) {
        auto const intent = open.intent(std::move(items));
        twice([&] { return ledger().open_intent(intent); });
        return intent;
    }

    std::vector<StoredRecord> stored() {
        return *open(ledger().stored(open.folder, 0, ~std::uint64_t{0}));
    }
    StoredRecord stored_one(std::uint64_t number) {
        return open(ledger().stored_numbers(open.folder, {number}))->at(0);
    }
    std::string target_name_of(std::uint64_t number) {
        return open(ledger().target_names(open.folder, {stored_one(number).target_number}))->at(0);
    }
    void expect_version(std::uint64_t number, std::uint64_t version) {
        auto const record = stored_one(number);
        EXPECT_EQ(record.fingerprint, version);
        EXPECT_EQ(record.size, 1000 * version);
        EXPECT_EQ(record.flags, version_of(number, version).flags);
        EXPECT_EQ(target_name_of(number), name_of(number, version));
    }
    void expect_known_as_before() {
        EXPECT_EQ(open.known(), (Runs{{1, 5}}));
        EXPECT_EQ(*open(ledger().stored_count(open.folder)), 5u);
    }
    std::vector<ItemRecord> live() { return *open(ledger().live_items(open.pair)); }
    std::vector<ItemRecord> failed_updates() { return *open(ledger().failed_updates(open.folder)); }
    SqliteLedger& ledger() { return *open.ledger; }

    ScratchDirectory scratch;
    OpenLedger open{scratch.file()};
    std::vector<StoredRecord> first_;
};

TEST_F(LedgerUpdatesTest, RowStandsBesideTheStoredRecordUntilItTakesItsPlace) {
    auto const item = update_of(2, 2);
    twice([&] { return ledger().record_spooled({item}); });
    ASSERT_EQ(live().size(), 1u);
    EXPECT_EQ(live()[0].state, ItemState::spooled);
    EXPECT_EQ(live()[0].replaces, first_[1].target_number);
    EXPECT_EQ(live()[0].location, item.location);
    expect_version(2, 1);
    expect_known_as_before();

    auto const intent = send({item});
    auto const intents = *open(ledger().open_intents(open.pair));
    ASSERT_EQ(intents.size(), 1u);
    EXPECT_EQ(intents[0].items.at(0).replaces, first_[1].target_number);
    expect_version(2, 1);
    expect_known_as_before();

    twice([&] { return ledger().close_intent(intent.id, "t1", {version_of(2, 2)}, {}); });
    EXPECT_TRUE(live().empty());
    expect_version(2, 2);
    expect_version(1, 1);
    expect_known_as_before();
    EXPECT_NE(stored_one(2).target_number, first_[1].target_number);
}

TEST_F(LedgerUpdatesTest, CopyThatWasUpdatedInPlaceKeepsItsNumber) {
    auto const intent = send({update_of(2, 2)});
    auto record = version_of(2, 2);
    record.target_name = name_of(2, 1);
    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", {record}, {})));
    EXPECT_EQ(stored_one(2).target_number, first_[1].target_number);
    EXPECT_EQ(stored_one(2).fingerprint, 2u);
    EXPECT_EQ(target_name_of(2), name_of(2, 1));
}

TEST_F(LedgerUpdatesTest, WithoutReplacesAStoredItemStaysStored) {
    auto item = update_of(2, 2);
    item.replaces = 0;
    ASSERT_TRUE(open(ledger().record_spooled({item})));
    ASSERT_TRUE(open(ledger().record_failed({failed(item)})));
    EXPECT_TRUE(live().empty());
    EXPECT_TRUE(failed_updates().empty());
}

// Goal: the spool's word about an item that is at the target by now comes too late, in whichever
// way the copy was updated.
TEST_F(LedgerUpdatesTest, LateSpoolWriteOfAStoredVersionIsIgnored) {
    for (std::uint64_t const number : {1, 2}) {
        auto const item = update_of(number, 2);
        auto hot = item;
        hot.location = {};
        auto const intent = send({hot});
        auto record = version_of(number, 2);
        if (number == 2) record.target_name = name_of(2, 1);
        ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", {record}, {})));
        twice([&] { return ledger().record_spooled({item}); });
        EXPECT_TRUE(live().empty());
        ASSERT_TRUE(open(ledger().record_failed({failed(item)})));
        EXPECT_TRUE(failed_updates().empty());
    }
    EXPECT_TRUE(open(ledger().live_locations())->empty());
}

TEST_F(LedgerUpdatesTest, FailedUpdateLeavesTheEarlierStateStored) {
    auto const sent = update_of(3, 2);
    auto const unread = update_of(5, 2);
    auto const intent = send({sent});
    twice([&] { return ledger().close_intent(intent.id, "t1", {}, {failed(sent)}); });
    twice([&] { return ledger().record_failed({failed(unread)}); });
    expect_version(3, 1);
    expect_version(5, 1);
    expect_known_as_before();
    auto const rows = failed_updates();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].number, 3u);
    EXPECT_EQ(rows[0].fingerprint, 2u);
    EXPECT_EQ(rows[0].replaces, first_[2].target_number);
    EXPECT_EQ(rows[1].number, 5u);
    EXPECT_EQ(rows[1].reason, "item_refused");
    ASSERT_TRUE(open(ledger().record_failed({failed_item_of(open.folder, ItemId{99}, 8)})));
    EXPECT_EQ(failed_updates().size(), 2u) << "a new item that failed is none";
    EXPECT_EQ(open(ledger().failed_items("merger", 10))->size(), 3u);

    EXPECT_EQ(*open(ledger().retry_failed("merger")), 3u);
    EXPECT_TRUE(failed_updates().empty());
    expect_known_as_before();
}

TEST_F(LedgerUpdatesTest, AnotherVersionTakesTheFailedOnesPlace) {
    ASSERT_TRUE(open(ledger().record_failed({failed(update_of(1, 2)), failed(update_of(2, 2)),
                                             failed(update_of(3, 2)), failed(update_of(4, 2))})));
    // The same version, from the spool: too late. From whoever sends it: tried again.
    ASSERT_TRUE(open(ledger().record_spooled({update_of(1, 2), update_of(2, 3)})));
    ASSERT_EQ(live().size(), 1u);
    EXPECT_EQ(live()[0].number, 2u);
    EXPECT_EQ(live()[0].fingerprint, 3u);
    ASSERT_TRUE(open(ledger().record_failed({failed(update_of(3, 3))})));
    auto const intent = send({update_of(1, 2), update_of(4, 3)});
    auto const rows = failed_updates();
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].number, 3u);
    EXPECT_EQ(rows[0].fingerprint, 3u);
    ASSERT_TRUE(
        open(ledger().close_intent(intent.id, "t1", {version_of(1, 2), version_of(4, 3)}, {})));
    expect_version(1, 2);
    expect_version(4, 3);
    expect_known_as_before();
    // A late write of what is stored doesn't wash away the failure of what came after it.
    auto late = update_of(3, 1);
    ASSERT_TRUE(open(ledger().record_spooled({late})));
    EXPECT_EQ(failed_updates().size(), 1u);
}

TEST_F(LedgerUpdatesTest, UpdateThatComesBackIsSpooledOrFoundByTheNextScan) {
    auto hot = update_of(1, 2);
    hot.location = {};
    auto const intent = send({hot, update_of(2, 2)});
    auto folder = open(ledger().folders(open.pair))->front();
    folder.mark = "77";
    ASSERT_TRUE(open(ledger().save_folder(folder)));
    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", {}, {})));
    ASSERT_EQ(live().size(), 1u);
    EXPECT_EQ(live()[0].number, 2u);
    EXPECT_EQ(live()[0].replaces, first_[1].target_number);
    EXPECT_EQ(open(ledger().folders(open.pair))->front().mark, "");
    expect_version(1, 1);
    expect_known_as_before();
    ASSERT_TRUE(open(ledger().forget_spooled({live()[0].id})));
    EXPECT_TRUE(live().empty());
    expect_version(2, 1);
    expect_known_as_before();
}

TEST_F(LedgerUpdatesTest, NewItemsAndUpdatesShareAnIntent) {
    auto const intent = send({open.hot(9), update_of(4, 2), open.hot(8), update_of(1, 2)});
    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", {version_of(9, 1), version_of(4, 2)},
                                           {failed(open.hot(8)), failed(update_of(1, 2))})));
    EXPECT_EQ(open.known(), (Runs{{1, 5}, {8, 9}}));
    EXPECT_EQ(*open(ledger().stored_count(open.folder)), 6u);
    expect_version(9, 1);
    expect_version(4, 2);
    expect_version(1, 1);
}

TEST_F(LedgerUpdatesTest, VersionIsNotedWithTheFlags) {
    auto changed = stored_one(3);
    changed.fingerprint = 77;
    twice([&] { return ledger().update_flags(open.folder, {changed}); });
    EXPECT_EQ(stored_one(3).fingerprint, 77u);
    EXPECT_EQ(stored_one(3).size, 1000u);
    EXPECT_EQ(stored_one(3).flags, first_[2].flags);
    EXPECT_EQ(stored_one(4).fingerprint, 1u);
}

TEST_F(LedgerUpdatesTest, ForgottenFolderForgetsItsUpdates) {
    ASSERT_TRUE(open(ledger().record_spooled({update_of(1, 2)})));
    send({update_of(2, 2)});
    ASSERT_TRUE(open(ledger().record_failed({failed(update_of(3, 2))})));
    ASSERT_TRUE(open(ledger().forget_items(open.folder)));
    EXPECT_TRUE(open.known().empty());
    EXPECT_TRUE(failed_updates().empty());
    // What it would replace is unknown now: it is as good as new.
    ASSERT_TRUE(open(ledger().record_spooled({update_of(1, 2)})));
    EXPECT_EQ(open.known(), (Runs{{1, 1}}));
}

// Goal: scattered numbers are found, and nothing else. Method: a folder of many blocks with gaps.
TEST_F(LedgerUpdatesTest, ScatteredNumbersAreFound) {
    auto const other = *open(ledger().save_folder(folder_of(open.pair, "Archive")));
    std::vector<ItemRecord> items;
    std::vector<StoredRecord> records;
    for (std::uint64_t number = 10; number < 30'000; number += number % 5'000 < 1'500 ? 3 : 7) {
        items.push_back(hot_item_of(other, ledger().next_item_id(), number));
        records.push_back(stored_of(number));
    }
    IntentRecord const intent{ledger().next_group_id(), other, "t1", 1, 1, items};
    ASSERT_TRUE(open(ledger().open_intent(intent)));
    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", records, {})));

    std::mt19937_64 random(4);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::uint64_t> asked;
        for (auto left = random() % 60; left > 0; --left) asked.push_back(random() % 31'000);
        std::vector<std::uint64_t> expected, got;
        for (auto const& record : records)
            if (std::find(asked.begin(), asked.end(), record.number) != asked.end())
                expected.push_back(record.number);
        for (auto const& record : *open(ledger().stored_numbers(other, asked))) {
            got.push_back(record.number);
            EXPECT_EQ(record.target_number, record.number + 100);
        }
        EXPECT_EQ(got, expected);
    }
    EXPECT_TRUE(open(ledger().stored_numbers(other, {}))->empty());
    EXPECT_EQ(open(ledger().stored_numbers(other, {10, 10, 10}))->size(), 1u);
}

using LedgerUpdatesDeathTest = LedgerUpdatesTest;

TEST_F(LedgerUpdatesDeathTest, OneStateOfAnItemIsUnderWayAtATime) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    send({update_of(1, 2)});
    EXPECT_DEATH(open(ledger().open_intent(open.intent({update_of(1, 3)}))), "number=1");
}

}  // namespace
}  // namespace mailferry::store
