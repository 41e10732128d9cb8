// Goal: whatever goes wrong between source and target, each item is there once and unaltered, and
// what couldn't cross is named. Method: whole runs of one mailbox between two servers in memory,
// through the real spool and the real ledger, with one fault each.

#include "daemon/mailbox_run.hpp"
#include "tests/support/fakes/memory_server.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace mailferry::daemon {
namespace {

using test::MemoryFolder;
using test::MemoryServer;

config::Pass everything() {
    config::Pass pass;
    pass.name = "all";
    return pass;
}

/// One process's life: open state, run the mailbox once, close.
class World {
public:
    World() : source(context.get_executor()), target(context.get_executor()) {
        source.mailboxes["anna"].folder({"INBOX"}, transport::FolderRole::inbox);
        target.mailboxes["anna"].folder({"INBOX"}, transport::FolderRole::inbox);
        migration.name = "merger";
        pair.source = pair.target = "anna";
        settings.max_bytes = ByteCount{16 << 20};
        settings.segment_bytes = ByteCount{4 << 20};
    }

    MailboxOutcome run() {
        MailboxOutcome outcome{{}, Error{Errc::stopped, "did not end"}};
        context.restart();
        asio::co_spawn(context, live(outcome), [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
        context.run();
        return outcome;
    }

    MemoryFolder& at_source(transport::FolderPath path) {
        return source.mailboxes["anna"].folder(std::move(path));
    }
    MemoryFolder* at_target(std::string const& id) { return target.mailboxes["anna"].find(id); }

    asio::io_context context{1};
    MemoryServer source, target;
    config::Migration migration;
    config::Pass pass = everything();
    config::MailboxPair pair;
    config::SpoolSettings settings;
    transport::Window window;
    std::vector<store::FailedItem> failed;
    store::SpoolUsage usage_at_end;
    std::function<awaitable<void>(MailboxRun&, store::Spool&)> meanwhile;

private:
    template <class Session, class Memory>
    std::unique_ptr<SessionPool<Session>> pool(MemoryServer& server) {
        AdminSlot<Session> admin;
        admin.name = "admin";
        admin.connect = [&server]() -> awaitable<Result<std::unique_ptr<Session>>> {
            co_return std::unique_ptr<Session>(std::make_unique<Memory>(server));
        };
        std::vector<AdminSlot<Session>> admins;
        admins.push_back(std::move(admin));
        return std::make_unique<SessionPool<Session>>(
            context.get_executor(), "memory", 4, std::move(admins),
            PoolOptions{.unreachable_patience = std::chrono::seconds(0),
                        .silent_patience = std::chrono::seconds(0)});
    }

    awaitable<void> live(MailboxOutcome& outcome) {
        auto const executor = context.get_executor();
        auto ledger = store::open_sqlite_ledger(executor, folder.path() / "ledger.sqlite");
        if (!ledger) ADD_FAILURE() << ledger.error().describe();
        auto const live = co_await (*ledger)->live_locations();
        store::RecoveredSpool report;
        std::vector<store::ItemId> lost;
        store::SpoolOptions options{.directory = folder.path() / "spool",
                                    .settings = settings,
                                    .uuid = (*ledger)->uuid(),
                                    .incarnation = (*ledger)->incarnation()};
        auto spool = co_await store::open_spool(
            executor, std::move(options), Secret(std::string(32, 'k')), *live,
            [&](std::uint64_t item) { lost.push_back(store::ItemId{item}); }, report);
        if (!spool) ADD_FAILURE() << spool.error().describe();
        if (!lost.empty()) static_cast<void>(co_await (*ledger)->forget_spooled(lost));
        MemoryBudget memory(8 << 20);
        Totals totals;
        SystemClock clock;
        std::size_t items_waiting = 0;
        Services services{executor, clock,  **ledger,      **spool,
                          memory,   totals, items_waiting, folder.path() / "quarantine"};
        auto sources = pool<transport::SourceSession, test::MemorySource>(source);
        auto targets = pool<transport::TargetSession, test::MemoryTarget>(target);
        MailboxView view;
        {
            MailboxRun run(services,
                           {.migration = &migration,
                            .pass = &pass,
                            .pair = &pair,
                            .window = window,
                            .source = sources.get(),
                            .target = targets.get(),
                            .source_login = {"anna", nullptr},
                            .target_login = {"anna", nullptr},
                            .settle_interval = std::chrono::milliseconds(1)},
                           view);
            TaskGroup side(executor);
            if (meanwhile) side.spawn(meanwhile(run, **spool));
            outcome = co_await run.run();
            co_await side.join();
        }
        sources->stop();
        targets->stop();
        usage_at_end = (*spool)->usage();
        EXPECT_EQ(memory.used(), 0u);
        auto const given_up = co_await (*ledger)->failed_items({}, 100);
        failed = *given_up;
        co_await (*spool)->close();
        co_await (*ledger)->close();
    }

    test::TemporaryFolder folder;
};

std::multiset<std::string> contents(MemoryFolder const* folder) {
    std::multiset<std::string> bytes;
    if (folder != nullptr)
        for (auto const& item : folder->items) bytes.insert(item.bytes);
    return bytes;
}

void fill(MemoryFolder& folder, int count, std::string const& word = "message") {
    for (int i = 0; i < count; ++i)
        folder.add("Subject: " + word + " " + std::to_string(i) + "\r\n\r\n" +
                       std::string(static_cast<std::size_t>(i) * 37, 'x') + "\r\n",
                   {"\\Seen"}, {1'600'000'000 + i, 60});
}

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
        for (int look = 0, still = 0; still < 20 && look < 2000; ++look) {
            timer.expires_after(std::chrono::milliseconds(10));
            co_await timer.async_wait(asio::use_awaitable);
            auto const used = spool.usage().bytes_allocated;
            still = used == highest && used > 0 ? still + 1 : 0;
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
