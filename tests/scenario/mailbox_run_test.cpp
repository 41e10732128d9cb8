// Goal: whatever goes wrong between source and target, each item is there once and unaltered, and
// what couldn't cross is named. Method: whole runs of one mailbox between two servers in memory,
// through the real spool and the real ledger, with one fault each.

#include "tests/scenario/world.hpp"

namespace mailferry::daemon {
namespace {

TEST(MailboxRunTest, CopiesEachItemOnceWithFlagsAndDates) {
    World world;
    fill(world.at_source({"INBOX"}), 300);
    fill(world.at_source({"Archive", "2019"}), 20, "old");
    auto const outcome = world.run();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(outcome.counters.stored, 320u);
    EXPECT_EQ(outcome.counters.seen, 320u);
    EXPECT_EQ(contents(world.at_target("INBOX")), contents(&world.at_source({"INBOX"})));
    EXPECT_EQ(world.at_target("Archive/2019")->items.size(), 20u);
    for (auto const& item : world.at_target("INBOX")->items) {
        EXPECT_EQ(item.flags, transport::Flags{"\\Seen"});
        EXPECT_EQ(item.received.zone_minutes, 60);
        EXPECT_NE(
            item.bytes.find("message " +
                            std::to_string(item.received.unix_seconds - 1'600'000'000) + "\r\n"),
            std::string::npos);
    }
    EXPECT_EQ(world.usage_at_end.items_live, 0u);
}

TEST(MailboxRunTest, SecondRunOverUnchangedFoldersReadsAndStoresNothing) {
    World world;
    fill(world.at_source({"INBOX"}), 50);
    ASSERT_FALSE(world.run().error);
    auto const fetches = world.source.fetches, scans = world.source.scans;
    auto const target_logins = world.target.logins;
    auto const outcome = world.run();
    EXPECT_FALSE(outcome.error);
    EXPECT_EQ(outcome.counters.stored, 0u);
    EXPECT_EQ(outcome.counters.unchanged, 50u);
    EXPECT_EQ(world.source.fetches, fetches);
    EXPECT_EQ(world.source.scans, scans);
    EXPECT_EQ(world.target.logins, target_logins) << "nothing to say to the target";
}

// Goal: far servers are signed in to side by side. Method: the source's list waits for the target.
TEST(MailboxRunTest, TheTargetOfANewMailboxIsOpenedWhileTheSourceIsListed) {
    World world;
    fill(world.at_source({"INBOX"}), 3);
    bool opened = false;
    world.source.before_list = [&]() -> awaitable<void> {
        asio::steady_timer timer(world.context);
        for (int look = 0; look < 200 && !opened; ++look) {
            timer.expires_after(std::chrono::milliseconds(10));
            co_await timer.async_wait(asio::use_awaitable);
            opened = world.target.logins > 0;
        }
    };
    auto const outcome = world.run();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_TRUE(opened);
    EXPECT_EQ(outcome.counters.stored, 3u);
}

TEST(MailboxRunTest, LaterRunCarriesNewItemsAndChangedFlagsOnly) {
    World world;
    auto& inbox = world.at_source({"INBOX"});
    fill(inbox, 10);
    ASSERT_FALSE(world.run().error);
    inbox.add("new\r\n");
    inbox.items[3].flags = {"\\Flagged"};
    ++inbox.changes;
    world.at_target("INBOX")->items[3].flags.push_back("Mine");
    auto const outcome = world.run();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(outcome.counters.stored, 1u);
    EXPECT_EQ(outcome.counters.unchanged, 10u);
    EXPECT_EQ(outcome.counters.flags_changed, 1u);
    EXPECT_EQ(contents(world.at_target("INBOX")), contents(&inbox));
    EXPECT_EQ(world.at_target("INBOX")->items[3].flags, (transport::Flags{"Mine", "\\Flagged"}));
}

TEST(MailboxRunTest, LostAnswerAfterCommitMakesNoSecondCopy) {
    for (int group = 1; group <= 5; ++group) {
        SCOPED_TRACE(group);
        World world;
        fill(world.at_source({"INBOX"}), 300);
        world.target.faults.lose_answer_of_group = group;
        auto const outcome = world.run();
        ASSERT_FALSE(outcome.error) << outcome.error->describe();
        EXPECT_EQ(contents(world.at_target("INBOX")), contents(&world.at_source({"INBOX"})));
    }
}

TEST(MailboxRunTest, LostAnswerWithByteIdenticalItemsCountsThem) {
    World world;
    for (int i = 0; i < 130; ++i) world.at_source({"INBOX"}).add("the same\r\n");
    world.target.faults.lose_answer_of_group = 2;
    ASSERT_FALSE(world.run().error);
    EXPECT_EQ(world.at_target("INBOX")->items.size(), 130u);
}

TEST(MailboxRunTest, ConnectionLostBeforeCommitSendsAgain) {
    for (int group = 1; group <= 3; ++group) {
        SCOPED_TRACE(group);
        World world;
        fill(world.at_source({"INBOX"}), 300);
        world.target.faults.lose_group_before_commit = group;
        ASSERT_FALSE(world.run().error);
        EXPECT_EQ(contents(world.at_target("INBOX")), contents(&world.at_source({"INBOX"})));
    }
}

TEST(MailboxRunTest, WhatAKilledTargetBringsBackLaterIsNotStoredTwice) {
    for (int group = 1; group <= 4; ++group) {
        SCOPED_TRACE(group);
        World world;
        fill(world.at_source({"INBOX"}), 300);
        world.target.faults.hide_group = group;
        auto const outcome = world.run();
        ASSERT_FALSE(outcome.error) << outcome.error->describe();
        EXPECT_EQ(contents(world.at_target("INBOX")), contents(&world.at_source({"INBOX"})));
        for (auto const& item : world.at_target("INBOX")->items)
            EXPECT_EQ(item.flags, transport::Flags{"\\Seen"});
    }
}

TEST(MailboxRunTest, MuchThatWaitsIsStoredOverSeveralSessions) {
    World world;
    fill(world.at_source({"INBOX"}), 1000);
    fill(world.at_source({"Sent"}), 300, "sent");
    world.target.faults.target_stands_still = true;
    world.meanwhile = [&](MailboxRun&, store::Spool&) -> awaitable<void> {
        asio::steady_timer timer(world.context, std::chrono::milliseconds(200));
        co_await timer.async_wait(asio::use_awaitable);
        world.target.faults.target_stands_still = false;
        world.target.resumed.notify_all();
    };
    world.target.faults.lose_answer_of_group = 9;
    auto const outcome = world.run();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(contents(world.at_target("INBOX")), contents(&world.at_source({"INBOX"})));
    EXPECT_EQ(contents(world.at_target("Sent")), contents(&world.at_source({"Sent"})));
    EXPECT_GE(world.target.stored_on.size(), 2u);
}

TEST(MailboxRunTest, SourceLostAtAnyItemGoesOnWhereItWas) {
    for (int item = 1; item <= 40; item += 3) {
        SCOPED_TRACE(item);
        World world;
        fill(world.at_source({"INBOX"}), 40);
        world.source.faults.lose_fetch_after_items = item;
        auto const outcome = world.run();
        ASSERT_FALSE(outcome.error) << outcome.error->describe();
        EXPECT_EQ(contents(world.at_target("INBOX")), contents(&world.at_source({"INBOX"})));
        EXPECT_EQ(outcome.counters.stored, 40u);
    }
}

// Goal: what is on its way isn't fetched again, though the ledger doesn't know it yet. Method: the
// target takes nothing while the source is lost and its folder listed anew.
TEST(MailboxRunTest, AFolderListedAnewBringsNothingThatIsOnItsWay) {
    World world;
    fill(world.at_source({"INBOX"}), 40);
    world.source.faults.lose_fetch_after_items = 25;
    world.target.faults.target_stands_still = true;
    world.meanwhile = [&](MailboxRun&, store::Spool&) -> awaitable<void> {
        asio::steady_timer timer(world.context);
        for (int look = 0; look < 500 && world.source.items_delivered < 40; ++look) {
            timer.expires_after(std::chrono::milliseconds(10));
            co_await timer.async_wait(asio::use_awaitable);
        }
        world.target.faults.target_stands_still = false;
        world.target.resumed.notify_all();
    };
    auto const outcome = world.run();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(world.source.items_delivered, 40u);
    EXPECT_EQ(outcome.counters.stored, 40u);
    EXPECT_EQ(contents(world.at_target("INBOX")), contents(&world.at_source({"INBOX"})));
}

TEST(MailboxRunTest, OneRefusedItemIsNamedAndExportedAndTheOthersArrive) {
    for (bool const group_verdicts : {true, false}) {
        World world;
        fill(world.at_source({"INBOX"}), 100);
        world.at_source({"INBOX"}).add("poison\r\n");
        world.target.faults.refused_bytes = {"poison\r\n"};
        world.target.faults.group_verdicts = group_verdicts;
        auto const outcome = world.run();
        EXPECT_EQ(outcome.counters.stored, 100u);
        EXPECT_EQ(outcome.counters.failed, 1u);
        ASSERT_EQ(world.failed.size(), 1u);
        EXPECT_EQ(world.failed[0].item.reason, "item_refused");
        EXPECT_NE(world.failed[0].item.exported, "");
        EXPECT_EQ(world.at_target("INBOX")->items.size(), 100u);
    }
}

TEST(MailboxRunTest, RefusedFolderIsNamedAndItsNeighboursArrive) {
    World world;
    fill(world.at_source({"INBOX"}), 30);
    fill(world.at_source({"Odd"}), 30);
    world.target.faults.refused_folders = {"Odd"};
    auto const outcome = world.run();
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->code, Errc::folder_refused);
    EXPECT_NE(outcome.error->describe().find("Odd"), std::string::npos);
    EXPECT_EQ(world.at_target("INBOX")->items.size(), 30u);
    EXPECT_EQ(world.usage_at_end.items_live, 0u);
}

TEST(MailboxRunTest, WindowsAreHalfOpenAndTheirUnionIsTheMailbox) {
    World world;
    auto& inbox = world.at_source({"INBOX"});
    for (auto const instant : {99, 100, 199, 200})
        inbox.add(std::to_string(instant), {}, {instant, 0});
    world.window = {100, 200};
    EXPECT_EQ(world.run().counters.stored, 2u);
    EXPECT_EQ(contents(world.at_target("INBOX")), (std::multiset<std::string>{"100", "199"}));
    world.window = {};
    EXPECT_EQ(world.run().counters.stored, 2u);
    EXPECT_EQ(contents(world.at_target("INBOX")), contents(&inbox));
}

TEST(MailboxRunTest, DeletedItemsAreLeftOutAndCounted) {
    World world;
    world.at_source({"INBOX"}).add("kept", {});
    world.at_source({"INBOX"}).add("marked", {"\\Deleted"});
    auto const outcome = world.run();
    EXPECT_EQ(outcome.counters.stored, 1u);
    EXPECT_EQ(outcome.counters.left_out, 1u);
}

TEST(MailboxRunTest, StandingTargetFillsTheSpoolAndNoFurtherThenDrains) {
    World world;
    world.settings.max_bytes = ByteCount{8 << 20};
    auto& inbox = world.at_source({"INBOX"});
    for (int i = 0; i < 64; ++i) {
        std::string noise;
        std::uint32_t state = 7u + static_cast<std::uint32_t>(i);
        for (int k = 0; k < 512 * 1024; ++k)
            noise += static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
        inbox.add(std::move(noise));
    }
    world.target.faults.target_stands_still = true;
    std::uint64_t highest = 0;
    world.meanwhile = [&](MailboxRun&, store::Spool& spool) -> awaitable<void> {
        asio::steady_timer timer(world.context);
        std::uint64_t last = 0;
        for (int look = 0, still = 0; still < 150 && look < 2000; ++look) {
            timer.expires_after(std::chrono::milliseconds(10));
            co_await timer.async_wait(asio::use_awaitable);
            auto const used = spool.usage().bytes_allocated;
            still = used == last && used > 0 ? still + 1 : 0;
            last = used;
            highest = std::max(highest, used);
        }
        world.target.faults.target_stands_still = false;
        world.target.resumed.notify_all();
    };
    auto const outcome = world.run();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_LE(highest, std::uint64_t{8} << 20);
    EXPECT_GE(highest, std::uint64_t{4} << 20);
    EXPECT_EQ(contents(world.at_target("INBOX")), contents(&inbox));
}

TEST(MailboxRunTest, StopLeavesWhatWasFetchedForTheNextRun) {
    World world;
    fill(world.at_source({"INBOX"}), 400);
    world.target.faults.target_stands_still = true;
    world.meanwhile = [&](MailboxRun& run, store::Spool&) -> awaitable<void> {
        asio::steady_timer timer(world.context, std::chrono::milliseconds(100));
        co_await timer.async_wait(asio::use_awaitable);
        run.stop();
        world.target.faults.target_stands_still = false;
        world.target.resumed.notify_all();
    };
    auto const stopped = world.run();
    ASSERT_TRUE(stopped.error);
    EXPECT_EQ(stopped.error->code, Errc::stopped);
    world.meanwhile = nullptr;
    auto const fetches = world.source.fetches;
    ASSERT_FALSE(world.run().error);
    EXPECT_EQ(contents(world.at_target("INBOX")), contents(&world.at_source({"INBOX"})));
    EXPECT_LE(world.source.fetches, fetches + 2) << "spooled items are not fetched again";
}

TEST(MailboxRunTest, ReplacedSourceFolderIsRecognisedByContent) {
    World world;
    auto& inbox = world.at_source({"INBOX"});
    fill(inbox, 30);
    inbox.add("twin\r\n");
    inbox.add("twin\r\n");
    ASSERT_FALSE(world.run().error);
    inbox.generation = "2";
    inbox.next = 500;
    for (auto& item : inbox.items) item.number = inbox.next++;
    std::reverse(inbox.items.begin(), inbox.items.end());
    inbox.add("new\r\n");
    inbox.add("twin\r\n");
    auto const outcome = world.run();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(outcome.counters.stored, 2u);
    EXPECT_EQ(contents(world.at_target("INBOX")), contents(&inbox));
}

TEST(MailboxRunTest, UnknownMailboxAndRefusedLoginAreTheMailboxsOwnFailure) {
    World world;
    world.target.mailboxes.clear();
    fill(world.at_source({"INBOX"}), 3);
    auto const outcome = world.run();
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->code, Errc::mailbox_refused);
}

}  // namespace
}  // namespace mailferry::daemon
