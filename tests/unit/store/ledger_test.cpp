#include "store/item_moves.hpp"
#include "tests/support/ledger_values.hpp"

#include <algorithm>
#include <map>
#include <random>

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

class LedgerTest : public testing::Test {
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

TEST_F(LedgerTest, PairsMatchWithoutCaseAndATargetHasOneSource) {
    auto const again = open(ledger().open_pair("merger", "A@OLD.example", "A@New.Example"));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->id, open.pair);
    EXPECT_EQ(again->source, "a@old.example");

    auto const stolen = open(ledger().open_pair("merger", "b@old.example", "A@NEW.example"));
    ASSERT_FALSE(stolen);
    EXPECT_EQ(stolen.error().code, Errc::invalid_config);
    EXPECT_NE(stolen.error().context.find("a@old.example"), std::string::npos);

    // A source may go to several targets, and the same pair may stand in several migrations.
    auto const second = open(ledger().open_pair("merger", "a@old.example", "other@new.example"));
    ASSERT_TRUE(second);
    EXPECT_NE(second->id, open.pair);
    auto const elsewhere = open(ledger().open_pair("rehearsal", "b@old.example", "a@new.example"));
    ASSERT_TRUE(elsewhere);
    EXPECT_NE(elsewhere->id, open.pair);
}

TEST_F(LedgerTest, FoldersAreKeptUnderTheSourcesHandle) {
    auto folder = folder_of(open.pair, "Archive");
    folder.mark = "42";
    folder.covered = true;
    folder.covered_since = -5;
    folder.target_generation = "t1";
    auto const id = open(ledger().save_folder(folder));
    ASSERT_TRUE(id);
    EXPECT_EQ(*open(ledger().save_folder(folder)), *id);
    folder.id = *id;
    folder.target_id = "T/Archive";
    folder.covered_before = 9;
    EXPECT_EQ(*open(ledger().save_folder(folder)), *id);

    auto const found = *open(ledger().folders(open.pair));
    ASSERT_EQ(found.size(), 2u);
    auto const& back = found[1];
    EXPECT_EQ(back.id, *id);
    EXPECT_EQ(back.pair, open.pair);
    EXPECT_EQ(back.source_id, "Archive");
    EXPECT_EQ(back.source_path, "Path/Archive");
    EXPECT_EQ(back.target_id, "T/Archive");
    EXPECT_EQ(back.target_path, "Target/Archive");
    EXPECT_EQ(back.generation, "g1");
    EXPECT_EQ(back.mark, "42");
    EXPECT_TRUE(back.covered);
    EXPECT_EQ(back.covered_since, -5);
    EXPECT_EQ(back.covered_before, 9);
    EXPECT_EQ(back.target_generation, "t1");
}

TEST_F(LedgerTest, SpooledItemComesBackAsItWas) {
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

TEST_F(LedgerTest, LiveItemsAreOrderedByFolderAndNumber) {
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

TEST_F(LedgerTest, IntentIsDurableInSendingOrderAndEndsItemByItem) {
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

TEST_F(LedgerTest, LateSpoolWritesOnlyFillInALocation) {
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

TEST_F(LedgerTest, LocationIsTakenOnlyForTheRowsOwnId) {
    auto const intent = open.intent({open.hot(3)});
    ASSERT_TRUE(open(ledger().open_intent(intent)));
    ASSERT_TRUE(open(ledger().record_spooled({open.item(3)})));
    ASSERT_EQ(live().size(), 1u);
    EXPECT_EQ(live()[0].id, intent.items[0].id);
    EXPECT_EQ(live()[0].location, SpoolLocation{}) << "the frames there bear another id";
}

TEST_F(LedgerTest, ReturnedItemWithoutLocationIsFoundByTheNextScan) {
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

TEST_F(LedgerTest, LateSpoolWriteOfAFailedItemIsIgnored) {
    auto const item = open.item(3);
    twice([&] { return ledger().record_failed({failed_item_of(open.folder, item.id, 3)}); });
    ASSERT_TRUE(open(ledger().record_spooled({item})));
    EXPECT_TRUE(live().empty());
    EXPECT_EQ(failures().size(), 1u);
}

TEST_F(LedgerTest, FailedItemsStayKnownUntilRetried) {
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

TEST_F(LedgerTest, WhatTheSpoolLostIsFetchedAgain) {
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

TEST_F(LedgerTest, FolderThatChangedItsGenerationForgetsEverything) {
    auto const intent = open.intent({open.hot(1), open.hot(2)});
    ASSERT_TRUE(open(ledger().open_intent(intent)));
    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", {stored_of(1), stored_of(2)}, {})));
    auto const other = open.intent({open.hot(3)});
    ASSERT_TRUE(open(ledger().open_intent(other)));
    ASSERT_TRUE(open(ledger().record_spooled({open.item(4)})));
    twice([&] { return ledger().forget_items(open.folder); });
    EXPECT_TRUE(open.known().empty());
    EXPECT_TRUE(intents().empty());
    EXPECT_EQ(*open(ledger().stored_count(open.folder)), 0u);
    EXPECT_TRUE(open(ledger().close_intent(other.id, "t1", {stored_of(3)}, {})))
        << "the intent is gone, and its end is no news";
    EXPECT_TRUE(open.known().empty());
}

TEST_F(LedgerTest, FolderWithNewNumbersKeepsWhatWasRecognised) {
    auto const intent = open.intent({open.hot(1), open.hot(2)});
    ASSERT_TRUE(open(ledger().open_intent(intent)));
    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", {stored_of(1), stored_of(2)}, {})));
    ASSERT_TRUE(open(ledger().record_spooled({open.item(4)})));
    auto folder = folder_now();
    folder.generation = "g2";
    auto kept = stored_of(2);
    kept.number = 900;
    twice([&] { return ledger().rekey_items(folder, {kept}); });
    EXPECT_EQ(open.known(), (Runs{{900, 900}}));
    EXPECT_TRUE(live().empty());
    EXPECT_EQ(open(ledger().stored(open.folder, 0, 1000))->front().target_number, 102u);
    EXPECT_EQ(folder_now().generation, "g2");
    EXPECT_EQ(folder_now().target_generation, "t1");
}

TEST_F(LedgerTest, FlagsOfStoredItemsAreReplaced) {
    std::vector<ItemRecord> items;
    std::vector<StoredRecord> stored;
    for (std::uint64_t n = 1; n <= 5; ++n) {
        items.push_back(open.hot(n));
        stored.push_back(stored_of(n));
    }
    stored[3].target_number = 0;
    auto const intent = open.intent(items);
    ASSERT_TRUE(open(ledger().open_intent(intent)));
    ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", stored, {})));

    auto changed = stored_of(4);
    changed.flags = {"\\Flagged"};
    changed.size = 1;
    auto unknown = stored_of(77);
    auto other = stored_of(2);
    other.flags = {};
    other.target_number = 9999;
    twice([&] { return ledger().update_flags(open.folder, {unknown, changed, other}); });
    auto const back = *open(ledger().stored(open.folder, 0, ~std::uint64_t{0}));
    ASSERT_EQ(back.size(), 5u);
    EXPECT_EQ(back[3].flags, std::vector<std::string>{"\\Flagged"});
    EXPECT_EQ(back[3].size, 1004u) << "only flags change";
    EXPECT_EQ(back[3].target_number, 104u) << "and a target number that was unknown";
    EXPECT_TRUE(back[1].flags.empty());
    EXPECT_EQ(back[1].target_number, 102u);
    EXPECT_EQ(back[0].flags, std::vector<std::string>{"\\Seen"});
}

TEST_F(LedgerTest, TargetNumbersOfAnotherGenerationAreVoid) {
    auto const first = open.intent({open.hot(1)});
    ASSERT_TRUE(open(ledger().open_intent(first)));
    ASSERT_TRUE(open(ledger().close_intent(first.id, "t1", {stored_of(1)}, {})));
    auto const second = open.intent({open.hot(2)});
    ASSERT_TRUE(open(ledger().open_intent(second)));
    ASSERT_TRUE(open(ledger().close_intent(second.id, "t2", {stored_of(2)}, {})));
    auto const back = *open(ledger().stored(open.folder, 1, 2));
    ASSERT_EQ(back.size(), 2u);
    EXPECT_EQ(back[0].target_number, 0u);
    EXPECT_EQ(back[1].target_number, 102u);
    auto folder = folder_now();
    EXPECT_EQ(folder.target_generation, "t2");
    // A folder saved by somebody who doesn't know the target's generation changes nothing.
    folder.target_generation = "";
    ASSERT_TRUE(open(ledger().save_folder(folder)));
    EXPECT_EQ(folder_now().target_generation, "t2");
    EXPECT_EQ(open(ledger().stored(open.folder, 2, 2))->front().target_number, 102u);
}

TEST_F(LedgerTest, PassesAreKeptByPairAndName) {
    PassRecord record{open.pair, "first", PassState::running, {}, "", 5, 0};
    record.counters = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    twice([&] { return ledger().save_pass(record); });
    record.state = PassState::failed;
    record.error = "no such mailbox";
    record.ended = 6;
    twice([&] { return ledger().save_pass(record); });
    auto const passes = *open(ledger().passes("merger"));
    ASSERT_EQ(passes.size(), 1u);
    EXPECT_EQ(passes[0].pair, open.pair);
    EXPECT_EQ(passes[0].pass, "first");
    EXPECT_EQ(passes[0].state, PassState::failed);
    EXPECT_EQ(passes[0].counters, record.counters);
    EXPECT_EQ(passes[0].error, "no such mailbox");
    EXPECT_EQ(passes[0].started, 5);
    EXPECT_EQ(passes[0].ended, 6);
    EXPECT_TRUE(open(ledger().passes("other"))->empty());
    EXPECT_EQ(open(ledger().passes(""))->size(), 1u);
}

TEST_F(LedgerTest, WhatCantCrossIsKeptByMailboxAndReplacedAsAWhole) {
    auto const other = open(open.ledger->open_pair("merger", "zoe@old.example", "zoe@new.example"));
    ASSERT_TRUE(other);
    twice([&] {
        return open.ledger->save_left_out(
            open.pair, {{"Sync Issues", "the store's own", 3}, {"Outbox", "", 9}});
    });
    twice([&] { return open.ledger->save_left_out(other->id, {{"Outbox", "", 5}}); });
    auto const limited = open(open.ledger->left_out("", 2));
    ASSERT_EQ(limited->size(), 2U);
    EXPECT_EQ(limited->at(0).folder, (LeftOutFolder{"Outbox", "", 9}));
    EXPECT_EQ(limited->at(1).source_mailbox, "zoe@old.example");

    ASSERT_TRUE(open(open.ledger->save_left_out(open.pair, {{"Files", "", 1}})));
    auto const all = open(open.ledger->left_out("merger", 10));
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ(all->at(1).folder, (LeftOutFolder{"Files", "", 1}));
    EXPECT_TRUE(open(open.ledger->left_out("another", 10))->empty());
}

TEST(PassCountersTest, AddUp) {
    PassCounters sum{1, 2, 3, 4, 5, 6, 7, 8, 9};
    sum += PassCounters{10, 20, 30, 40, 50, 60, 70, 80, 90};
    EXPECT_EQ(sum, (PassCounters{11, 22, 33, 44, 55, 66, 77, 88, 99}));
    EXPECT_EQ(to_string(PassState::cancelled), "cancelled");
}

/// Stores numbers through an intent, as the daemon does.
void store(OpenLedger& open, std::vector<StoredRecord> const& records) {
    std::vector<ItemRecord> items;
    for (auto const& record : records) items.push_back(open.hot(record.number));
    auto const intent = open.intent(std::move(items));
    ASSERT_TRUE(open(open.ledger->open_intent(intent)));
    auto const closed = open(open.ledger->close_intent(intent.id, "t1", records, {}));
    ASSERT_TRUE(closed) << closed.error().describe();
}

Runs runs_of(std::map<std::uint64_t, StoredRecord> const& model) {
    Runs runs;
    for (auto const& [number, record] : model) {
        if (!runs.empty() && runs.back().last + 1 == number)
            runs.back().last = number;
        else
            runs.push_back({number, number});
    }
    return runs;
}

enum class Order { ascending, descending, scattered };

// Goal: blocks hold what was stored, whatever the order it came in. Method: a map as the model.
void expect_blocks_like_a_map(Order order, unsigned seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed) +
                 " order=" + std::to_string(static_cast<int>(order)));
    ScratchDirectory scratch;
    OpenLedger open(scratch.file());
    std::mt19937_64 random(seed);
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t n = random() % 2; numbers.size() < 3000; n += random() % 5 ? 1 : 9)
        numbers.push_back(n);
    if (order == Order::descending) std::reverse(numbers.begin(), numbers.end());
    if (order == Order::scattered) std::shuffle(numbers.begin(), numbers.end(), random);

    std::map<std::uint64_t, StoredRecord> model;
    for (std::size_t done = 0; done < numbers.size();) {
        std::vector<StoredRecord> records;
        for (auto left = random() % 200 + 1; left > 0 && done < numbers.size(); --left, ++done) {
            auto record = stored_of(numbers[done]);
            record.fingerprint = random();
            if (random() % 3 == 0) record.flags = {"k" + std::to_string(random() % 5)};
            model[record.number] = record;
            records.push_back(record);
        }
        store(open, records);
        EXPECT_EQ(open.known(), runs_of(model));
        auto const first = numbers[random() % numbers.size()];
        auto const last = first + random() % 500;
        auto const range = *open(open.ledger->stored(open.folder, first, last));
        auto expected = model.lower_bound(first);
        for (auto const& record : range) {
            ASSERT_NE(expected, model.end());
            EXPECT_EQ(record.number, expected->first);
            EXPECT_EQ(record.fingerprint, expected->second.fingerprint);
            EXPECT_EQ(record.flags, expected->second.flags);
            ++expected;
        }
        EXPECT_EQ(expected, model.upper_bound(last));
    }
    EXPECT_EQ(*open(open.ledger->stored_count(open.folder)), model.size());
    EXPECT_EQ(open(open.ledger->stored(open.folder, 0, ~std::uint64_t{0}))->size(), model.size());
}

TEST(LedgerBlocksTest, HoldWhatWasStoredInAnyOrder) {
    for (unsigned seed = 1; seed <= 3; ++seed)
        for (auto const order : {Order::ascending, Order::descending, Order::scattered})
            expect_blocks_like_a_map(order, seed);
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

using LedgerDeathTest = LedgerTest;

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
