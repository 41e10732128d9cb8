#include "store/ledger_schema.hpp"
#include "tests/support/ledger_values.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <atomic>
#include <thread>

namespace mailferry::store {
namespace {

/// GCC 12 can't compile a braced list inside co_await.
std::vector<ItemRecord> one(ItemRecord item) { return std::vector<ItemRecord>(1, std::move(item)); }

// Goal: writes that wait together share a commit, each resolves, and one that fails fails alone.
TEST(LedgerWriterTest, WaitingWritesShareTransactions) {
    ScratchDirectory scratch;
    OpenLedger open(scratch.file());
    auto const before = open.ledger->stats();
    constexpr std::uint64_t count = 1000;
    std::uint64_t done = 0, refused = 0;
    for (std::uint64_t n = 0; n < count; ++n) {
        asio::co_spawn(
            open.context,
            [](OpenLedger& ledger, std::uint64_t number, std::uint64_t& counter)
                -> awaitable<void> {
                auto const written =
                    co_await ledger.ledger->record_spooled(one(ledger.item(number)));
                EXPECT_TRUE(written);
                ++counter;
            }(open, n, done),
            asio::detached);
        if (n % 100 != 0) continue;
        asio::co_spawn(
            open.context,
            [](OpenLedger& ledger, std::uint64_t& counter) -> awaitable<void> {
                auto const pair =
                    co_await ledger.ledger->open_pair("merger", "b@old.example", "a@new.example");
                if (!pair) ++counter;
            }(open, refused),
            asio::detached);
    }
    open.context.restart();
    open.context.run();
    EXPECT_EQ(done, count);
    EXPECT_EQ(refused, 10u);
    auto const after = open.ledger->stats();
    EXPECT_EQ(after.writes - before.writes, count);
    EXPECT_LT(after.transactions - before.transactions, 50u);
    EXPECT_EQ(open.known(), (std::vector<NumberRun>{{0, count - 1}}));
}

TEST(LedgerWriterTest, FullDiskUndoesTheWriteAndNoOther) {
    ScratchDirectory scratch;
    OpenLedger open(scratch.file(), {.pages_max = 60});
    std::uint64_t spooled = 0;
    for (;;) {
        auto const done = open(open.ledger->record_spooled({open.item(spooled)}));
        if (!done) {
            EXPECT_EQ(done.error().code, Errc::disk_full) << done.error().describe();
            break;
        }
        ++spooled;
        ASSERT_LT(spooled, 10'000u);
    }
    EXPECT_GT(spooled, 100u);
    EXPECT_EQ(open.known(), (std::vector<NumberRun>{{0, spooled - 1}}));
    EXPECT_FALSE(open(open.ledger->record_spooled({open.item(spooled)})));
    ASSERT_TRUE(open(open.ledger->forget_items(open.folder))) << "room can be made";
    EXPECT_TRUE(open(open.ledger->record_spooled({open.item(1)})));
}

TEST(LedgerWriterTest, NoWriteIsTriedAfterAnIoError) {
    ScratchDirectory scratch;
    auto database = Database::open(scratch.file(), 0);
    ASSERT_TRUE(database);
    ASSERT_TRUE(migrate(*database, schema_steps()));
    LedgerWriter writer(std::move(*database));
    asio::io_context context(1);
    int tried = 0;
    auto const note = [&tried](Database&) {
        ++tried;
        return Result<void>();
    };
    EXPECT_TRUE(await(context, writer.write<void>(note)));
    auto const failed = await(context, writer.write<void>([](Database&) -> Result<void> {
        return Error{Errc::io_error, "a cable came loose"};
    }));
    ASSERT_FALSE(failed);
    auto const later = await(context, writer.write<void>(note));
    ASSERT_FALSE(later);
    EXPECT_EQ(later.error().context, "a cable came loose");
    EXPECT_EQ(tried, 1);
    EXPECT_TRUE(await(context, writer.read<void>(note))) << "what is there can be read";
    EXPECT_EQ(writer.stats().transactions, 1u);
}

// Goal: each caller resumes on its own executor, also with many threads and contexts.
TEST(LedgerWriterTest, ResolvesOnTheCallersExecutor) {
    ScratchDirectory scratch;
    OpenLedger open(scratch.file());
    std::atomic<std::uint64_t> ended = 0;
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&open, &ended, t] {
            asio::io_context context(1);
            for (std::uint64_t chain = 0; chain < 8; ++chain) {
                asio::co_spawn(
                    context,
                    [](OpenLedger& ledger, std::uint64_t base,
                       std::atomic<std::uint64_t>& counter) -> awaitable<void> {
                        auto const home = std::this_thread::get_id();
                        for (std::uint64_t n = base; n < base + 10; ++n) {
                            EXPECT_TRUE(
                                co_await ledger.ledger->record_spooled(one(ledger.item(n))));
                            EXPECT_EQ(std::this_thread::get_id(), home);
                            EXPECT_TRUE(co_await ledger.ledger->known_numbers(ledger.folder));
                            EXPECT_EQ(std::this_thread::get_id(), home);
                            ++counter;
                        }
                    }(open, t * 1000 + chain * 10, ended),
                    asio::detached);
            }
            context.run();
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(ended, 4U * 8 * 10);
    EXPECT_EQ(open.known(), (std::vector<NumberRun>{{0, 79}, {1000, 1079}, {2000, 2079},
                                                    {3000, 3079}}));
}

TEST(LedgerWriterTest, CancelledWriteMayHaveHappenedAndCanBeRepeated) {
    ScratchDirectory scratch;
    OpenLedger open(scratch.file());
    auto const item = open.item(1);
    asio::cancellation_signal signal;
    bool resumed = false;
    asio::co_spawn(
        open.context,
        [](OpenLedger& ledger, ItemRecord spooled, bool& flag) -> awaitable<void> {
            auto const written = co_await ledger.ledger->record_spooled(one(std::move(spooled)));
            EXPECT_TRUE(written);
            flag = true;
        }(open, item, resumed),
        asio::bind_cancellation_slot(signal.slot(), asio::detached));
    open.context.restart();
    open.context.poll();
    signal.emit(asio::cancellation_type::terminal);
    open.context.run();
    EXPECT_TRUE(resumed);
    EXPECT_TRUE(open(open.ledger->record_spooled({item})));
    EXPECT_EQ(open(open.ledger->live_items(open.pair))->size(), 1u);
}

TEST(LedgerWriterTest, EndsWhatIsQueuedWhenItGoes) {
    ScratchDirectory scratch;
    bool resumed = false;
    {
        OpenLedger open(scratch.file());
        asio::co_spawn(
            open.context,
            [](OpenLedger& ledger, bool& flag) -> awaitable<void> {
                EXPECT_TRUE(co_await ledger.ledger->record_spooled(one(ledger.item(1))));
                flag = true;
            }(open, resumed),
            asio::detached);
        open.context.restart();
        open.context.poll_one();
        open.ledger.reset();
        open.context.run();
    }
    EXPECT_TRUE(resumed);
    OpenLedger again(scratch.file());
    EXPECT_EQ(again.known(), (std::vector<NumberRun>{{1, 1}}));
}

}  // namespace
}  // namespace mailferry::store
