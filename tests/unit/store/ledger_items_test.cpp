// Items under way: spooled, in intents, failed, lost; and the table of their moves.

#include "store/item_moves.hpp"
#include "tests/support/ledger_case.hpp"

namespace mailferry::store {
namespace {

using Runs = std::vector<NumberRun>;

void expect_same(ItemRecord const& a, ItemRecord const& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.folder, b.folder);
    EXPECT_EQ(a.number, b.number);
    EXPECT_EQ(a.state, b.state);
    EXPECT_EQ(a.size, b.size);
    EXPECT_EQ(a.digest, b.digest);
    EXPECT_EQ(a.fingerprint, b.fingerprint);
    EXPECT_EQ(a.received, b.received);
    EXPECT_EQ(a.zone_minutes, b.zone_minutes);
    EXPECT_EQ(a.flags, b.flags);
    EXPECT_EQ(a.location, b.location);
    EXPECT_EQ(a.attempts, b.attempts);
    EXPECT_EQ(a.reason, b.reason);
    EXPECT_EQ(a.detail, b.detail);
    EXPECT_EQ(a.exported, b.exported);
}

using LedgerItemsTest = LedgerCase;

TEST_F(LedgerItemsTest, SpooledItemComesBackAsItWas) {
    auto const item = open.item(5);
    twice([&] { return ledger().record_spooled({item}); });
    ASSERT_EQ(live().size(), 1u);
    expect_same(live().front(), item);
    auto const locations = *open(ledger().live_locations());
    ASSERT_EQ(locations.size(), 1u);
    EXPECT_EQ(locations.front().item, static_cast<std::uint64_t>(item.id));
    EXPECT_EQ(locations.front().location, item.location);
    EXPECT_EQ(open.known(), (Runs{{5, 5}}));
}

TEST_F(LedgerItemsTest, LiveItemsAreOrderedByFolderAndNumber) {
    auto const second = *open(ledger().save_folder(folder_of(open.pair, "Sent")));
    std::vector<ItemRecord> items;
    for (std::uint64_t const n : {9, 2, 5}) {
        items.push_back(item_of(second, ledger().next_item_id(), n));
        items.push_back(open.item(n));
    }
    ASSERT_TRUE(open(ledger().record_spooled(items)));
    std::vector<std::uint64_t> numbers;
    for (auto const& item : live()) numbers.push_back(item.number);
    EXPECT_EQ(numbers, (std::vector<std::uint64_t>{2, 5, 9, 2, 5, 9}));
}

TEST_F(LedgerItemsTest, IntentIsDurableInSendingOrderAndEndsItemByItem) {
    auto const stays = open.item(1);
    ASSERT_TRUE(open(ledger().record_spooled({stays})));
    auto const intent = open.intent({open.hot(9), stays, open.hot(4), open.hot(6)});
    twice([&] { return ledger().open_intent(intent); });

    auto const open_now = intents();
    ASSERT_EQ(open_now.size(), 1u);
    EXPECT_EQ(open_now[0].id, intent.id);
    EXPECT_EQ(open_now[0].target_generation, "t1");
    EXPECT_EQ(open_now[0].target_next, 50u);
    EXPECT_EQ(open_now[0].opened, 1'700'000'000);
    std::vector<std::uint64_t> order;
    for (auto const& item : open_now[0].items) {
        order.push_back(item.number);
        EXPECT_EQ(item.state, ItemState::sending);
        EXPECT_EQ(item.attempts, 1u);
    }
    EXPECT_EQ(order, (std::vector<std::uint64_t>{9, 1, 4, 6}));

    twice([&] {
        return ledger().close_intent(intent.id, "t1", {stored_of(9)},
                                     {failed_item_of(open.folder, {}, 4)});
    });
    EXPECT_TRUE(intents().empty());
    ASSERT_EQ(live().size(), 1u) << "6 has no location and is forgotten";
    EXPECT_EQ(live()[0].number, 1u);
    EXPECT_EQ(live()[0].state, ItemState::spooled);
    EXPECT_EQ(live()[0].location, stays.location);
    EXPECT_EQ(open.known(), (Runs{{1, 1}, {4, 4}, {9, 9}}));
    EXPECT_EQ(*open(ledger().stored_count(open.folder)), 1u);

    auto const failed = failures();
    ASSERT_EQ(failed.size(), 1u);
    auto expected = failed_item_of(open.folder, intent.items[2].id, 4);
    expect_same(failed[0].item, expected);
    EXPECT_EQ(failed[0].source_mailbox, "a@old.example");
    EXPECT_EQ(failed[0].folder_path, "Path/INBOX");
    EXPECT_EQ(folder_now().target_generation, "t1");
}

TEST_F(LedgerItemsTest, LateSpoolWritesOnlyFillInALocation) {
    auto item = open.hot(3);
    item.digest = {};
    auto const intent = open.intent({item});
    ASSERT_TRUE(open(ledger().open_intent(intent)));
    auto const spooled = item_of(open.folder, item.id, 3);
    twice([&] { return ledger().record_spooled({spooled}); });
    ASSERT_EQ(live().size(), 1u);
    EXPECT_EQ(live()[0].state, ItemState::sending);
    EXPECT_EQ(live()[0].location, spooled.location);
    EXPECT_EQ(live()[0].digest, spooled.digest);

    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", {stored_of(3)}, {})));
    twice([&] { return ledger().record_spooled({spooled}); });
    EXPECT_TRUE(live().empty()) << "it is stored: the row must not come back";
    EXPECT_TRUE(open(ledger().live_locations())->empty());
}

TEST_F(LedgerItemsTest, LocationIsTakenOnlyForTheRowsOwnId) {
    auto const intent = open.intent({open.hot(3)});
    ASSERT_TRUE(open(ledger().open_intent(intent)));
    ASSERT_TRUE(open(ledger().record_spooled({open.item(3)})));
    ASSERT_EQ(live().size(), 1u);
    EXPECT_EQ(live()[0].id, intent.items[0].id);
    EXPECT_EQ(live()[0].location, SpoolLocation{}) << "the frames there bear another id";
}

TEST_F(LedgerItemsTest, ReturnedItemWithoutLocationIsFoundByTheNextScan) {
    auto const intent = open.intent({open.hot(3)});
    ASSERT_TRUE(open(ledger().open_intent(intent)));
    auto folder = folder_now();
    folder.mark = "77";
    folder.covered = true;
    ASSERT_TRUE(open(ledger().save_folder(folder)));
    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", {}, {})));
    EXPECT_TRUE(open.known().empty());
    EXPECT_EQ(folder_now().mark, "");
    EXPECT_FALSE(folder_now().covered);
}

TEST_F(LedgerItemsTest, LateSpoolWriteOfAFailedItemIsIgnored) {
    auto const item = open.item(3);
    twice([&] { return ledger().record_failed({failed_item_of(open.folder, item.id, 3)}); });
    ASSERT_TRUE(open(ledger().record_spooled({item})));
    EXPECT_TRUE(live().empty());
    EXPECT_EQ(failures().size(), 1u);
}

TEST_F(LedgerItemsTest, FailedItemsStayKnownUntilRetried) {
    auto const spooled = open.item(8);
    ASSERT_TRUE(open(ledger().record_spooled({spooled})));
    twice([&] {
        return ledger().record_failed({failed_item_of(open.folder, spooled.id, 8),
                                       failed_item_of(open.folder, ItemId{999}, 2)});
    });
    EXPECT_TRUE(open(ledger().live_locations())->empty());
    EXPECT_EQ(open.known(), (Runs{{2, 2}, {8, 8}}));
    EXPECT_EQ(open(ledger().failed_items("merger", 1))->size(), 1u);
    EXPECT_EQ(open(ledger().failed_items("", ~std::size_t{0}))->size(), 2u);
    EXPECT_TRUE(open(ledger().failed_items("other", 10))->empty());

    auto folder = folder_now();
    folder.mark = "77";
    folder.covered = true;
    ASSERT_TRUE(open(ledger().save_folder(folder)));
    EXPECT_EQ(*open(ledger().retry_failed("other")), 0u);
    EXPECT_EQ(folder_now().mark, "77");
    EXPECT_EQ(*open(ledger().retry_failed("merger")), 2u);
    EXPECT_EQ(*open(ledger().retry_failed("")), 0u);
    EXPECT_TRUE(open.known().empty());
    EXPECT_EQ(folder_now().mark, "") << "an unchanged folder must be listed again";
    EXPECT_FALSE(folder_now().covered);
}

TEST_F(LedgerItemsTest, WhatTheSpoolLostIsFetchedAgain) {
    auto const lost = open.item(1);
    auto const sending = open.item(2);
    auto const stays = open.item(3);
    ASSERT_TRUE(open(ledger().record_spooled({lost, sending, stays})));
    auto const intent = open.intent({sending});
    ASSERT_TRUE(open(ledger().open_intent(intent)));
    auto folder = folder_now();
    folder.mark = "77";
    ASSERT_TRUE(open(ledger().save_folder(folder)));

    twice([&] { return ledger().forget_spooled({lost.id, sending.id, ItemId{12345}}); });
    EXPECT_EQ(open.known(), (Runs{{2, 3}}));
    EXPECT_EQ(folder_now().mark, "");
    ASSERT_EQ(intents().size(), 1u);
    EXPECT_EQ(intents()[0].items[0].location, SpoolLocation{});
    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", {}, {})));
    EXPECT_EQ(open.known(), (Runs{{3, 3}}));
}

/// One letter per place the item is in afterwards; '-' is illegal.
struct MoveCase {
    ItemEvent event;
    std::string_view located, unlocated;  ///< From planned, spooled, sending, failed, stored.
};

TEST(ItemMovesTest, TheTableIsAsDocumented) {
    MoveCase const cases[] = {
        {ItemEvent::spooled, "ssSfx", "ssSfx"},      {ItemEvent::intent_opened, "SS---", "SS---"},
        {ItemEvent::acknowledged, "--x--", "--x--"}, {ItemEvent::refused, "--f--", "--f--"},
        {ItemEvent::returned, "--s--", "--p--"},     {ItemEvent::given_up, "ff-fx", "ff-fx"},
        {ItemEvent::spool_lost, "ppSfx", "ppSfx"},   {ItemEvent::retried, "psSpx", "psSpx"},
    };
    std::string_view const letters = "psSfx";
    for (auto const& c : cases) {
        for (std::size_t from = 0; from < letters.size(); ++from) {
            for (bool const located : {true, false}) {
                auto const to = next_place(static_cast<ItemPlace>(from), c.event, located);
                auto const letter = to ? letters[static_cast<std::size_t>(*to)] : '-';
                EXPECT_EQ(letter, (located ? c.located : c.unlocated)[from])
                    << "event=" << static_cast<int>(c.event) << " from=" << letters[from];
            }
        }
    }
}

using LedgerDeathTest = LedgerCase;

TEST_F(LedgerDeathTest, IllegalMovesStopTheProgram) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    auto const intent = open.intent({open.hot(1)});
    ASSERT_TRUE(open(ledger().open_intent(intent)));
    EXPECT_DEATH(open(ledger().open_intent(open.intent({open.hot(1)}))), "number=1");
    EXPECT_DEATH(open(ledger().record_failed({open.hot(1)})), "number=1");
    EXPECT_DEATH(open(ledger().close_intent(intent.id, "t1", {stored_of(2)}, {})), "number=2");
    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", {stored_of(1)}, {})));
    EXPECT_DEATH(open(ledger().open_intent(open.intent({open.hot(1)}))), "number=1")
        << "stored already: it would be there twice";
}

}  // namespace
}  // namespace mailferry::store
