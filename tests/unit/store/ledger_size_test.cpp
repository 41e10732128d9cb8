#include "tests/support/ledger_values.hpp"
#include "tests/support/sanitized.hpp"

#include <chrono>
#include <cstdlib>
#include <random>

namespace mailferry::store {
namespace {

namespace fs = std::filesystem;

std::uint64_t items_to_measure() {
    if (auto const* const set = std::getenv("MAILFERRY_LEDGER_ITEMS"))
        return std::strtoull(set, nullptr, 10);
    return test::sanitized ? 20'000 : 1'000'000;
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

std::uint64_t bytes_of_file(fs::path const& file, std::uint64_t count, bool named) {
    OpenLedger open(file);
    std::mt19937_64 random(9);
    for (std::uint64_t number = 1; number <= count;) {
        std::vector<std::string> names;
        std::vector<ItemRecord> items;
        std::vector<StoredRecord> records;
        for (int left = 64; left > 0 && number <= count; --left, ++number) {
            auto record = stored_of(number);
            record.fingerprint = random();
            names.push_back(long_name(random));
            if (named) record = named_of(number, long_name(random));
            items.push_back(open.hot(number));
            records.push_back(std::move(record));
        }
        auto const numbered = open(open.ledger->number_items(open.folder, named ? names : std::vector<std::string>()));
        EXPECT_TRUE(numbered);
        auto const intent = open.intent(std::move(items));
        EXPECT_TRUE(open(open.ledger->open_intent(intent)));
        EXPECT_TRUE(open(open.ledger->close_intent(intent.id, "t1", records, {})));
    }
    open.close();
    return fs::file_size(file);
}

// Goal: names cost little more than what distinguishes them. Method: items with a name at either
// end, of 152 characters that share the first 108, beside the same items without names.
TEST(LedgerSizeTest, NamesTakeAtMostAHundredAndThirtyBytesAnItem) {
    auto const* const set = std::getenv("MAILFERRY_LEDGER_NAMES");
    auto const count = set == nullptr ? std::uint64_t{10'000} : std::strtoull(set, nullptr, 10);
    ScratchDirectory bare, named;
    auto const without = bytes_of_file(bare.file(), count, false);
    auto const with = bytes_of_file(named.file(), count, true);
    auto const each = [count](std::uint64_t bytes) {
        return static_cast<double>(bytes) / static_cast<double>(count);
    };
    std::printf("ledger: named_items=%llu bytes=%llu bytes_per_item=%.1f without_names=%.1f\n",
                static_cast<unsigned long long>(count), static_cast<unsigned long long>(with),
                each(with), each(without));
    EXPECT_LE(each(with) - each(without), 130.0);
}

}  // namespace
}  // namespace mailferry::store
