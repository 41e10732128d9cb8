// Pairs, folders, flags, passes; items are in ledger_items_test.cpp.

#include "tests/support/ledger_case.hpp"

namespace mailferry::store {
namespace {

using Runs = std::vector<NumberRun>;
using LedgerTest = LedgerCase;

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

}  // namespace
}  // namespace mailferry::store
