// Goal: items of servers that name them (and hand out other bytes at each reading) are stored once,
// follow their changes, and are known after a move. Method: as in mailbox_run_test.cpp.

#include "tests/scenario/world.hpp"

namespace mailferry::daemon {
namespace {

class NamedItemsTest : public testing::Test {
protected:
    NamedItemsTest() {
        world.source.names_items = world.target.names_items = true;
        for (int i = 0; i < count; ++i) {
            auto const number = std::to_string(i);
            auto& item = inbox().add_named("AAMk-" + number, "bytes " + number);
            item.content = "content " + number;
        }
    }
    MemoryFolder& inbox() { return world.at_source({"INBOX"}); }
    std::multiset<std::string> at_target(std::string const& folder = "INBOX") {
        return contents(world.at_target(folder));
    }

    static constexpr int count = 90;
    World world;
};

TEST_F(NamedItemsTest, AreStoredOnce) {
    auto const first = world.run();
    ASSERT_FALSE(first.error) << first.error->describe();
    EXPECT_EQ(first.counters.stored, std::uint64_t{count});
    EXPECT_EQ(at_target(), contents(&inbox()));
    inbox().add_named("AAMk-new", "new");
    auto const second = world.run();
    ASSERT_FALSE(second.error) << second.error->describe();
    EXPECT_EQ(second.counters.stored, 1u);
    EXPECT_EQ(second.counters.unchanged, std::uint64_t{count});
    EXPECT_EQ(at_target(), contents(&inbox()));
}

TEST_F(NamedItemsTest, ANewerStateTakesThePlaceOfTheOlder) {
    ASSERT_FALSE(world.run().error);
    auto* const item = inbox().named("AAMk-7");
    item->bytes = "edited";
    ++item->version;
    ++inbox().changes;
    auto const outcome = world.run();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(outcome.counters.stored, 1u);
    EXPECT_EQ(outcome.counters.unchanged, std::uint64_t{count} - 1);
    EXPECT_EQ(at_target(), contents(&inbox()));
    EXPECT_EQ(world.run().counters.stored, 0u);
}

TEST_F(NamedItemsTest, AMovedItemIsNotStoredAgainAndItsChangesFollowIt) {
    ASSERT_FALSE(world.run().error);
    auto& archive = world.at_source({"Archive"});
    archive.items.push_back(inbox().items.back());
    inbox().items.pop_back();
    ++inbox().changes;
    ++archive.changes;
    auto const moved = world.run();
    ASSERT_FALSE(moved.error) << moved.error->describe();
    EXPECT_EQ(moved.counters.stored, 0u);
    EXPECT_EQ(at_target().size(), std::size_t{count});

    archive.items.front().bytes = "edited after the move";
    ++archive.items.front().version;
    ++archive.changes;
    auto const edited = world.run();
    ASSERT_FALSE(edited.error) << edited.error->describe();
    EXPECT_EQ(edited.counters.stored, 1u);
    EXPECT_EQ(at_target().count("edited after the move"), 1u);
    EXPECT_EQ(at_target().size(), std::size_t{count});
}

TEST_F(NamedItemsTest, LostAnswersAreSettledByIdentityThoughBytesDiffer) {
    for (int group = 1; group <= 2; ++group) {
        SCOPED_TRACE(group);
        World other;
        other.source.names_items = other.target.names_items = true;
        for (int i = 0; i < count; ++i)
            other.at_source({"INBOX"}).add_named("n" + std::to_string(i), std::to_string(i));
        other.target.faults.lose_answer_of_group = group;
        auto const outcome = other.run();
        ASSERT_FALSE(outcome.error) << outcome.error->describe();
        EXPECT_EQ(contents(other.at_target("INBOX")), contents(&other.at_source({"INBOX"})));
        EXPECT_EQ(other.run().counters.stored, 0u);
    }
}

class InterruptedUpdateTest : public NamedItemsTest {
protected:
    /// Edits item 7, and stops a run between its fetch and its store.
    void fetch_an_update_and_stop() {
        ASSERT_FALSE(world.run().error);
        edit("second state");
        world.target.faults.target_stands_still = true;
        world.meanwhile = [this](MailboxRun& run, store::Spool&) -> awaitable<void> {
            asio::steady_timer timer(world.context, std::chrono::milliseconds(100));
            co_await timer.async_wait(asio::use_awaitable);
            run.stop();
            world.target.faults.target_stands_still = false;
            world.target.resumed.notify_all();
        };
        world.target.faults.lose_group_before_commit = 1;
        ASSERT_TRUE(world.run().error);
        world.meanwhile = nullptr;
    }
    void edit(std::string bytes) {
        auto* const item = inbox().named("AAMk-7");
        item->bytes = std::move(bytes);
        ++item->version;
        ++inbox().changes;
    }
};

TEST_F(InterruptedUpdateTest, GoesOnFromTheSpool) {
    fetch_an_update_and_stop();
    auto const fetches = world.source.fetches;
    auto const outcome = world.run();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(at_target(), contents(&inbox()));
    EXPECT_EQ(world.source.fetches, fetches) << "it is in the spool";
}

TEST_F(InterruptedUpdateTest, AStateThatComesMeanwhileIsCarriedByTheNextRun) {
    fetch_an_update_and_stop();
    edit("third state");
    // The scan has to find the second state still on its way.
    world.target.faults.target_stands_still = true;
    world.meanwhile = [this, scans = world.source.scans](MailboxRun&,
                                                         store::Spool&) -> awaitable<void> {
        asio::steady_timer timer(world.context);
        while (world.source.scans == scans) {
            timer.expires_after(std::chrono::milliseconds(1));
            co_await timer.async_wait(asio::use_awaitable);
        }
        timer.expires_after(std::chrono::milliseconds(20));
        co_await timer.async_wait(asio::use_awaitable);
        world.target.faults.target_stands_still = false;
        world.target.resumed.notify_all();
    };
    auto const outcome = world.run();
    world.meanwhile = nullptr;
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(at_target().count("second state"), 1u);
    ASSERT_FALSE(world.run().error);
    EXPECT_EQ(at_target(), contents(&inbox()));
}

TEST_F(NamedItemsTest, AnUpdateWhoseFolderIsScannedAnewIsFetchedOnce) {
    ASSERT_FALSE(world.run().error);
    for (auto& item : inbox().items) {
        item.bytes += " edited";
        ++item.version;
    }
    ++inbox().changes;
    world.source.faults.lose_fetch_after_items = 40;
    auto const outcome = world.run();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(outcome.counters.stored, std::uint64_t{count});
    EXPECT_EQ(at_target(), contents(&inbox()));
}

TEST_F(NamedItemsTest, AnotherMailboxUnderTheSameAddressIsNotCopiedOverTheFirst) {
    ASSERT_FALSE(world.run().error);
    auto const before = at_target();
    inbox().generation = "2";
    inbox().add_named("BBMk-1", "of somebody else");
    auto const outcome = world.run();
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->code, Errc::mailbox_refused) << outcome.error->describe();
    EXPECT_EQ(at_target(), before);
}

TEST_F(NamedItemsTest, AStateThatTheTargetRefusesIsNotTriedAtEachRun) {
    ASSERT_FALSE(world.run().error);
    inbox().named("AAMk-3")->bytes = "poison";
    ++inbox().named("AAMk-3")->version;
    ++inbox().changes;
    world.target.faults.refused_bytes = {"poison"};
    EXPECT_EQ(world.run().counters.failed, 1u);
    EXPECT_EQ(at_target().count("bytes 3"), 1u) << "the older state stays";
    auto const groups = world.target.groups;
    ++inbox().changes;
    static_cast<void>(world.run());
    EXPECT_EQ(world.target.groups, groups);
}

}  // namespace
}  // namespace mailferry::daemon
