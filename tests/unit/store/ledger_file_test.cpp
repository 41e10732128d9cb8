#include "store/ledger_schema.hpp"
#include "tests/support/ledger_values.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/thread_pool.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <sys/stat.h>
#include <thread>

namespace mailferry::store {
namespace {

namespace fs = std::filesystem;

std::string refusal_of(fs::path const& file, Errc code) {
    auto const opened = SqliteLedger::open(file);
    EXPECT_FALSE(opened);
    if (opened) return {};
    EXPECT_EQ(opened.error().code, code);
    EXPECT_NE(opened.error().context.find(file.string()), std::string::npos)
        << opened.error().context;
    return opened.error().context;
}

/// Alters the file as an outsider would.
void alter(fs::path const& file, char const* sql) {
    auto database = Database::open(file, 0);
    ASSERT_TRUE(database) << database.error().describe();
    auto const done = database->execute(sql);
    ASSERT_TRUE(done) << done.error().describe();
    ASSERT_TRUE(database->close());
}

std::vector<ItemRecord> hot_items(OpenLedger& open, std::uint64_t first, std::uint64_t count) {
    std::vector<ItemRecord> items;
    for (auto n = first; n < first + count; ++n) items.push_back(open.hot(n));
    return items;
}

/// GCC 12 can't compile a braced list inside co_await.
std::vector<ItemRecord> one(ItemRecord item) { return std::vector<ItemRecord>(1, std::move(item)); }

void store_range(OpenLedger& open, std::uint64_t first, std::uint64_t count) {
    std::vector<StoredRecord> stored;
    for (auto n = first; n < first + count; ++n) stored.push_back(stored_of(n));
    auto const intent = open.intent(hot_items(open, first, count));
    ASSERT_TRUE(open(open.ledger->open_intent(intent)));
    ASSERT_TRUE(open(open.ledger->close_intent(intent.id, "t1", stored, {})));
}

TEST(LedgerFileTest, IsPrivateAndKeepsItsIdentity) {
    ScratchDirectory scratch;
    std::array<std::byte, 16> uuid{};
    std::set<ItemId> items;
    std::set<GroupId> groups;
    for (std::uint64_t run = 1; run <= 3; ++run) {
        OpenLedger open(scratch.file());
        if (run == 1) uuid = open.ledger->uuid();
        EXPECT_EQ(open.ledger->uuid(), uuid);
        EXPECT_EQ(open.ledger->incarnation(), run);
        for (int i = 0; i < 10'000; ++i) {
            EXPECT_TRUE(items.insert(open.ledger->next_item_id()).second);
            EXPECT_TRUE(groups.insert(open.ledger->next_group_id()).second);
        }
        for (auto const* const suffix : {"", "-wal"}) {
            struct stat status {};
            auto const name = scratch.file().string() + suffix;
            ASSERT_EQ(::stat(name.c_str(), &status), 0) << name;
            EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
        }
        if (run == 2) open.close();
    }
    EXPECT_NE(uuid, (std::array<std::byte, 16>{}));
}

TEST(LedgerFileTest, CloseLeavesOneFile) {
    ScratchDirectory scratch;
    {
        OpenLedger open(scratch.file());
        store_range(open, 1, 10);
        open.close();
    }
    EXPECT_FALSE(fs::exists(scratch.file().string() + "-wal"));
    OpenLedger again(scratch.file());
    EXPECT_EQ(again.known(), (std::vector<NumberRun>{{1, 10}}));
}

// Goal: what was acknowledged is in the file and its log at that moment. Method: copy both while
// the ledger is open, as a kill would leave them, and open the copy.
TEST(LedgerFileTest, AcknowledgedWritesAreInTheFilesAtOnce) {
    ScratchDirectory scratch;
    OpenLedger open(scratch.file());
    for (std::uint64_t step = 0; step < 20; ++step) {
        store_range(open, step * 10, 10);
        auto const intent = open.intent({open.hot(10'000 + step)});
        ASSERT_TRUE(open(open.ledger->open_intent(intent)));
        ScratchDirectory killed;
        fs::copy_file(scratch.file(), killed.file());
        fs::copy_file(scratch.file().string() + "-wal", killed.file().string() + "-wal");
        OpenLedger revived(killed.file());
        EXPECT_EQ(revived.known().front(), (NumberRun{0, step * 10 + 9}));
        EXPECT_EQ(revived(revived.ledger->open_intents(revived.pair))->size(), step + 1);
    }
}

TEST(LedgerFileTest, NewerSchemaIsRefusedWithTheCure) {
    ScratchDirectory scratch;
    { OpenLedger open(scratch.file()); }
    alter(scratch.file(), "UPDATE meta SET needs = '7.5'; PRAGMA user_version = 99;");
    auto const said = refusal_of(scratch.file(), Errc::invalid_config);
    EXPECT_NE(said.find("ledger schema 99 is newer than this program knows (2): install mailferry "
                        ">= 7.5 or restore the backup"),
              std::string::npos)
        << said;
    alter(scratch.file(), "DROP TABLE meta;");
    EXPECT_NE(refusal_of(scratch.file(), Errc::invalid_config).find("a newer mailferry"),
              std::string::npos);
}

TEST(LedgerFileTest, OlderSchemaIsMigratedInOneTransaction) {
    ScratchDirectory scratch;
    {
        OpenLedger open(scratch.file());
        store_range(open, 1, 3);
        open.close();
    }
    auto const now = schema_steps();
    std::vector<SchemaStep> steps(now.begin(), now.end());
    auto const version = steps.back().version;
    steps.push_back({version + 1, "ALTER TABLE pair ADD COLUMN note TEXT;", "7.1"});
    steps.push_back({version + 2, "CREATE TABLE more(one INTEGER);", "7.2"});
    {
        auto database = Database::open(scratch.file(), 0);
        ASSERT_TRUE(database);
        ASSERT_TRUE(migrate(*database, steps));
        ASSERT_TRUE(migrate(*database, steps)) << "a current file stays as it is";
        auto query = database->query("SELECT needs, note, (SELECT count(*) FROM more), "
                                     "(SELECT sum(items) FROM block) FROM meta, pair");
        ASSERT_TRUE(*query.step());
        EXPECT_EQ(query.text(0), "7.2");
        EXPECT_TRUE(query.is_null(1));
        EXPECT_EQ(query.integer(3), 3);
    }
    auto const said = refusal_of(scratch.file(), Errc::invalid_config);
    EXPECT_NE(said.find("mailferry >= 7.2"), std::string::npos) << said;
}

TEST(LedgerFileTest, AnotherProgramsDatabaseIsLeftAlone) {
    ScratchDirectory scratch;
    alter(scratch.file(), "CREATE TABLE theirs(one INTEGER);");
    EXPECT_NE(refusal_of(scratch.file(), Errc::invalid_config).find("another program"),
              std::string::npos);
    auto database = Database::open(scratch.file(), 0);
    ASSERT_TRUE(database);
    auto mode = database->query("PRAGMA journal_mode");
    ASSERT_TRUE(*mode.step());
    EXPECT_EQ(mode.text(0), "delete");
}

TEST(LedgerFileTest, WhatIsNoDatabaseIsCorrupt) {
    ScratchDirectory scratch;
    std::ofstream(scratch.file()) << std::string(8192, 'x');
    EXPECT_NE(refusal_of(scratch.file(), Errc::corrupt).find("restore"), std::string::npos);
}

TEST(LedgerFileTest, DamagedPagesAreCorrupt) {
    ScratchDirectory scratch;
    {
        OpenLedger open(scratch.file());
        store_range(open, 1, 500);
        open.close();
    }
    {
        std::fstream file(scratch.file(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(4096);
        for (auto left = fs::file_size(scratch.file()) - 4096; left > 0; --left) file.put('\x55');
    }
    EXPECT_NE(refusal_of(scratch.file(), Errc::corrupt).find("restore"), std::string::npos);
}

TEST(LedgerFileTest, DirectoryThatIsMissingIsNamed) {
    ScratchDirectory scratch;
    refusal_of(scratch.file().parent_path() / "missing" / "ledger.sqlite", Errc::io_error);
}

TEST(LedgerFileTest, SecondProcessIsRefused) {
    ScratchDirectory scratch;
    OpenLedger open(scratch.file());
    EXPECT_NE(refusal_of(scratch.file(), Errc::invalid_config).find("another process"),
              std::string::npos);
}

// Goal: damage in one block names folder and block, and stays in that folder.
TEST(LedgerFileTest, DamagedBlockNamesFolderAndBlock) {
    struct Damage {
        char const* sql;
        bool numbers_too;
    };
    Damage const damages[] = {
        {"UPDATE block SET data = zeroblob(length(data));", false},
        {"UPDATE block SET runs = x'ffff';", true},
        {"UPDATE block SET first = first + 1, last = last + 1;", true},
    };
    for (auto const& damage : damages) {
        SCOPED_TRACE(damage.sql);
        ScratchDirectory scratch;
        {
            OpenLedger open(scratch.file());
            store_range(open, 1, 10);
            open.close();
        }
        alter(scratch.file(), damage.sql);
        OpenLedger open(scratch.file());
        auto const place = "folder=" + std::to_string(static_cast<std::int64_t>(open.folder)) +
                           " block=1: ";
        auto const stored = open(open.ledger->stored(open.folder, 0, 100));
        ASSERT_FALSE(stored);
        EXPECT_EQ(stored.error().code, Errc::corrupt);
        EXPECT_NE(stored.error().context.find(place), std::string::npos) << stored.error().context;
        auto const known = open(open.ledger->known_numbers(open.folder));
        EXPECT_EQ(!known, damage.numbers_too);
        EXPECT_TRUE(known || known.error().code == Errc::corrupt);
        // The write that fails is undone whole, and the next one is not affected.
        auto const intent = open.intent({open.hot(5000)});
        ASSERT_TRUE(open(open.ledger->open_intent(intent)));
        EXPECT_FALSE(open(open.ledger->close_intent(intent.id, "t1", {stored_of(5000)}, {})));
        EXPECT_EQ(open(open.ledger->open_intents(open.pair))->size(), 1u);
        auto const second = open(open.ledger->save_folder(folder_of(open.pair, "Sent")));
        EXPECT_TRUE(second);
    }
}

TEST(LedgerFileTest, FullDiskUndoesTheWriteAndNoOther) {
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

// Goal: writes that wait together share a commit, each resolves, and one that fails fails alone.
TEST(LedgerFileTest, WaitingWritesShareTransactions) {
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

TEST(LedgerFileTest, NoWriteIsTriedAfterAnIoError) {
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
TEST(LedgerFileTest, ResolvesOnTheCallersExecutor) {
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

TEST(LedgerFileTest, CancelledWriteMayHaveHappenedAndCanBeRepeated) {
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

TEST(LedgerFileTest, EndsWhatIsQueuedWhenItGoes) {
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

constexpr bool sanitized =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    true;
#else
    false;
#endif
#else
    false;
#endif

std::uint64_t items_to_measure() {
    if (auto const* const set = std::getenv("MAILFERRY_LEDGER_ITEMS"))
        return std::strtoull(set, nullptr, 10);
    return sanitized ? 20'000 : 1'000'000;
}

/// A mailbox as mailboxes are: every third number deleted, mail every few minutes, here and there
/// something dragged in from years ago, sizes from 1 KiB to some MiB, eight flag sets.
awaitable<void> fill_folder(OpenLedger& open, FolderId folder, std::uint64_t count, unsigned seed) {
    std::vector<std::vector<std::string>> const sets{
        {},          {"\\Seen"}, {"\\Seen", "\\Answered"}, {"\\Seen", "\\Flagged"},
        {"\\Draft"}, {"$Forwarded", "\\Seen"}, {"NonJunk", "\\Seen"}, {"$Label1"}};
    std::mt19937_64 random(seed);
    std::lognormal_distribution<double> sizes(9.5, 1.6);
    std::exponential_distribution<double> gaps(1.0 / 3000);
    std::uint64_t number = 0, target = 0;
    std::int64_t received = 1'400'000'000;
    while (count > 0) {
        std::vector<ItemRecord> items;
        std::vector<StoredRecord> stored;
        for (auto left = random() % 1000 + 1; left > 0 && count > 0; --left, --count) {
            number += random() % 3 == 0 ? 2 : 1;
            target += 1;
            received += static_cast<std::int64_t>(gaps(random));
            auto const dated =
                random() % 50 == 0 ? received - static_cast<std::int64_t>(random() % 100'000'000)
                                   : received;
            items.push_back(hot_item_of(folder, open.ledger->next_item_id(), number));
            stored.push_back({number, target, random(), dated,
                              static_cast<std::uint64_t>(sizes(random)),
                              sets[random() % 10 < 7 ? 1 : random() % sets.size()]});
        }
        IntentRecord const intent{open.ledger->next_group_id(), folder, "t1", 1, 1, items};
        auto const opened = co_await open.ledger->open_intent(intent);
        auto const closed = co_await open.ledger->close_intent(intent.id, "t1", stored, {});
        EXPECT_TRUE(opened && closed);
    }
}

// Goal: at most 40 bytes on disk for each stored item, everything included.
TEST(LedgerSizeTest, StoredItemsTakeAtMostFortyBytes) {
    using Clock = std::chrono::steady_clock;
    auto const ms_since = [](Clock::time_point start) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
    };
    ScratchDirectory scratch;
    constexpr std::uint64_t small_folders = 20;
    auto const items = items_to_measure();
    auto const begun = Clock::now();
    std::uint64_t bytes = 0;
    {
        OpenLedger open(scratch.file());
        // Half of the items in one folder, the rest in twenty, all growing at the same time.
        asio::co_spawn(open.context, fill_folder(open, open.folder, items / 2, 1), asio::detached);
        for (unsigned f = 0; f < small_folders; ++f) {
            auto const folder =
                *open(open.ledger->save_folder(folder_of(open.pair, "F" + std::to_string(f))));
            asio::co_spawn(open.context,
                           fill_folder(open, folder, items / 2 / small_folders, f + 2),
                           asio::detached);
        }
        open.context.restart();
        open.context.run();
        open.close();
        bytes = fs::file_size(scratch.file());
    }
    auto const filled = ms_since(begun);
    OpenLedger open(scratch.file());
    auto const asked = Clock::now();
    auto const known = open.known();
    auto const known_ms = ms_since(asked);
    std::uint64_t count = 0;
    for (auto const& run : known) count += run.last - run.first + 1;
    EXPECT_EQ(count, items / 2);
    auto const each = static_cast<double>(bytes) / static_cast<double>(items);
    std::printf("ledger: items=%llu bytes=%llu bytes_per_item=%.1f fill_ms=%lld "
                "known_numbers_ms=%lld (of %llu items)\n",
                static_cast<unsigned long long>(items), static_cast<unsigned long long>(bytes),
                each, static_cast<long long>(filled), static_cast<long long>(known_ms),
                static_cast<unsigned long long>(count));
    EXPECT_LE(each, 40.0);
}

}  // namespace
}  // namespace mailferry::store
