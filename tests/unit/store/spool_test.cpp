#include "store/spool.hpp"

#include "async/task_group.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/spool_values.hpp"

namespace mailferry::store {
namespace {

using test::mebibyte;
using test::noise;
using test::SimDisk;
using test::SpoolLife;
using test::words;

TEST(SpoolTest, ItemsOfAllSizesComeBackAsTheyWere) {
    SimDisk disk;
    SpoolLife life(disk.directory(), {.max_bytes = 64 * mebibyte});
    std::vector<std::pair<SpoolLocation, std::string>> items;
    for (std::size_t const size : {0U, 1U, 100U, 65'535U, 65'536U, 65'537U, 196'608U, 3'000'000U})
        for (auto const& text : {words(size), noise(size)}) {
            auto const location = life.put(items.size() + 1, text);
            ASSERT_TRUE(location) << location.error().describe();
            items.emplace_back(*location, text);
        }
    for (std::uint64_t item = 1; item <= items.size(); ++item) {
        auto const& [location, text] = items[item - 1];
        auto const found = life.get(item, location);
        ASSERT_TRUE(found) << found.error().describe();
        EXPECT_TRUE(*found == text) << text.size();
    }
    auto const usage = life.spool->usage();
    EXPECT_EQ(usage.items_live, items.size());
    EXPECT_LT(usage.bytes_compressed, usage.bytes_plain_in * 9 / 10);
    EXPECT_LE(usage.bytes_allocated, usage.bytes_max);
}

TEST(SpoolTest, InterleavedItemsComeBackAsTheyWere) {
    SimDisk disk;
    SpoolLife life(disk.directory(), {.max_bytes = 32 * mebibyte});
    auto const pieces =
        std::vector<std::string>{words(1'000'000, 1), noise(1'000'000, 2), words(1'000'000, 3)};
    std::vector<SpoolLocation> locations;
    test::run_in(life.context(), [&]() -> awaitable<void> {
        std::vector<std::unique_ptr<ItemWriter>> writers;
        for (std::uint64_t item = 0; item < pieces.size(); ++item) {
            EXPECT_TRUE(co_await life.spool->reserve(1'000'000));
            auto writer = co_await life.spool->begin_item(item, 1'000'000);
            EXPECT_TRUE(writer);
            writers.push_back(std::move(*writer));
        }
        for (std::size_t at = 0; at < 1'000'000; at += 10'000)
            for (std::size_t i = 0; i < pieces.size(); ++i) {
                auto const piece = std::string_view(pieces[i]).substr(at, 10'000);
                EXPECT_TRUE(co_await writers[i]->write(bytes_of(piece)));
            }
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            auto const location = co_await writers[i]->finish(test::digest_of(pieces[i]), "");
            EXPECT_TRUE(location);
            locations.push_back(*location);
        }
    }());
    ASSERT_EQ(locations[0].segment, locations[2].segment);
    EXPECT_LT(locations[2].offset, locations[0].end) << "they were to interleave";
    for (std::uint64_t item = 0; item < pieces.size(); ++item) {
        auto const text = life.get(item, locations[item]);
        ASSERT_TRUE(text) << text.error().describe();
        EXPECT_TRUE(*text == pieces[item]);
    }
}

TEST(SpoolTest, ASourceCanBeRewound) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    auto const text = words(200'000);
    auto const location = life.put(1, text);
    auto source = life.spool->open_item(1, *location);
    ASSERT_TRUE(source);
    auto const read_some = [&]() -> awaitable<std::size_t> {
        auto const piece = co_await (*source)->next();
        co_return piece ? piece->size() : 0;
    };
    EXPECT_EQ(test::run_in(life.context(), read_some()), 65'536U);
    (*source)->rewind();
    EXPECT_EQ(test::run_in(life.context(), read_some()), 65'536U);
    EXPECT_EQ(test::run_in(life.context(), read_some()), 131'072U);
    EXPECT_EQ(test::run_in(life.context(), read_some()), 200'000U - 196'608U);
    EXPECT_EQ(test::run_in(life.context(), read_some()), 0U);
}

// Goal: many items, few syncs; and a lone one at once. Method: 64 tasks, each waits for its own.
TEST(SpoolTest, ConcurrentItemsShareSyncs) {
    SimDisk disk;
    SpoolLife life(disk.directory(), {.max_bytes = 256 * mebibyte});
    ASSERT_TRUE(life.make_durable(*life.put(1000, "lone")));
    auto const before = life.spool->usage().syncs;
    std::size_t durable = 0;
    test::run_in(life.context(), [&]() -> awaitable<void> {
        TaskGroup group(life.context().get_executor());
        for (std::uint64_t item = 0; item < 64; ++item)
            group.spawn(
                [](SpoolLife& spool_life, std::uint64_t id, std::size_t& done) -> awaitable<void> {
                    auto const location = co_await spool_life.put_task(id, words(4000), "");
                    EXPECT_TRUE(location);
                    EXPECT_TRUE(co_await spool_life.spool->durable(id, *location));
                    ++done;
                }(life, item, durable));
        co_await group.join();
    }());
    EXPECT_EQ(durable, 64U);
    EXPECT_LE(life.spool->usage().syncs - before, 4U);
}

TEST(SpoolTest, SegmentsGoWhenNothingInThemLives) {
    SimDisk disk;
    SpoolLife life(disk.directory());  // 8 MiB, segments of 2 MiB
    std::vector<SpoolLocation> locations;
    for (std::uint64_t item = 0; item < 5; ++item)
        locations.push_back(*life.put(item, noise(1'000'000)));
    ASSERT_GE(locations.back().segment, 3U);
    auto const first = locations.front().segment;
    for (std::uint64_t item = 0; item < 5; ++item)
        if (locations[item].segment == first) life.spool->release(item, locations[item]);
    life.make_durable(locations.back());
    EXPECT_FALSE(disk.files().contains(segment_name(0, first)));
    EXPECT_TRUE(disk.files().contains(segment_name(0, locations.back().segment)));
    for (std::uint64_t item = 0; item < 5; ++item) life.spool->release(item, locations[item]);
    life.close();
    EXPECT_TRUE(disk.files().empty()) << "nothing lives, nothing stays";
}

// Goal: a neighbour's second release takes nothing with it.
TEST(SpoolTest, ReleasingTwiceHarmsNobody) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    auto const first = *life.put(1, "first"), second = *life.put(2, "second");
    life.spool->release(1, first);
    life.spool->release(1, first);
    EXPECT_EQ(life.spool->usage().items_live, 1U);
    EXPECT_EQ(*life.get(2, second), "second");
}

// Goal: full means stop until the low water, and the limit holds at every moment. Method: items are
// taken until one has to wait; then they are released one by one.
TEST(SpoolTest, HysteresisBetweenHighAndLowWater) {
    SimDisk disk;
    SpoolLife life(disk.directory(), {.low_water = 4 * mebibyte});
    std::vector<SpoolLocation> stored;
    std::size_t released = 0, released_at_wait = 0;
    bool waiting = false, ended = false;
    std::uint64_t resumed_at = 0;  // Allocated bytes right after the first wait.
    auto const max = life.spool->usage().bytes_max;
    auto fill = [&]() -> awaitable<void> {
        for (std::uint64_t item = 0; item < 16; ++item) {
            waiting = true;
            released_at_wait = released;
            auto const location = co_await life.put_task(item, noise(900'000), "");
            waiting = false;
            if (resumed_at == 0 && released > released_at_wait)
                resumed_at = life.spool->usage().bytes_allocated;
            EXPECT_TRUE(location);
            EXPECT_TRUE(co_await life.spool->durable(item, *location));
            stored.push_back(*location);
            EXPECT_LE(disk.bytes_allocated(), max);
        }
        ended = true;
    };
    // Releases only while the other one has been waiting for a while.
    auto drain = [&]() -> awaitable<void> {
        asio::steady_timer pause(life.context());
        while (!ended) {
            pause.expires_after(std::chrono::milliseconds(20));
            co_await pause.async_wait(asio::use_awaitable);
            if (waiting && released < stored.size()) {
                life.spool->release(released, stored[released]);
                ++released;
            }
        }
    };
    asio::co_spawn(life.context(), drain(), asio::detached);
    test::run_in(life.context(), fill());
    EXPECT_EQ(stored.size(), 16U);
    EXPECT_GT(resumed_at, 0U);
    EXPECT_LE(resumed_at, (4 + 2) * mebibyte) << "the low water and the one new segment";
}

TEST(SpoolTest, WhatHasReservedCanAlwaysEnd) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    std::size_t ended = 0;
    // 200 tasks want more than the spool holds; only the stored ones make room again.
    test::run_in(life.context(), [&]() -> awaitable<void> {
        TaskGroup group(life.context().get_executor());
        for (std::uint64_t item = 0; item < 200; ++item)
            group.spawn([](SpoolLife& owner, std::uint64_t id,
                           std::size_t& done) -> awaitable<void> {
                auto const text = noise(id % 7 == 0 ? 700'000 : 50'000, static_cast<unsigned>(id));
                auto const location = co_await owner.put_task(id, text, "");
                EXPECT_TRUE(location);
                EXPECT_TRUE(co_await owner.spool->durable(id, *location));
                EXPECT_TRUE(*co_await owner.get_task(id, *location) == text);
                owner.spool->release(id, *location);
                EXPECT_LE(owner.spool->usage().bytes_allocated, owner.spool->usage().bytes_max);
                ++done;
            }(life, item, ended));
        co_await group.join();
    }());
    EXPECT_EQ(ended, 200U);
    EXPECT_EQ(life.spool->usage().items_live, 0U);
}

TEST(SpoolTest, AnItemLargerThanASegmentGetsItsOwn) {
    SimDisk disk;
    SpoolLife life(disk.directory());  // 8 MiB, segments of 2 MiB
    auto const small = *life.put(1, "small");
    life.spool->release(1, small);
    auto const text = noise(7 * mebibyte);
    auto const location = life.put(2, text);
    ASSERT_TRUE(location) << location.error().describe();
    EXPECT_TRUE(*life.get(2, *location) == text);
    EXPECT_LE(disk.bytes_allocated(), 8 * mebibyte);
}

TEST(SpoolTest, AnItemLargerThanTheSpoolIsRefused) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    for (std::uint64_t const size : {8 * mebibyte, ~std::uint64_t{0}}) {
        auto const reserved = test::run_in(life.context(), life.spool->reserve(size));
        ASSERT_FALSE(reserved);
        EXPECT_EQ(reserved.error().code, Errc::item_too_large);
        EXPECT_NE(reserved.error().context.find("spool.max_bytes"), std::string::npos);
    }
}

TEST(SpoolTest, AnItemThatOutgrowsItsAnnouncementIsRefused) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    test::run_in(life.context(), [&]() -> awaitable<void> {
        auto const slack = std::string(64U << 10, 'x');
        EXPECT_TRUE(co_await life.spool->reserve(1000));
        auto writer = co_await life.spool->begin_item(1, 1000);
        EXPECT_TRUE(co_await (*writer)->write(bytes_of(slack)));
        auto const beyond = co_await (*writer)->write(bytes_of(slack));
        EXPECT_FALSE(beyond);
        EXPECT_EQ(beyond.error().code, Errc::item_too_large);
    }());
    // Its dead bytes hurt nobody.
    auto const other = *life.put(2, "other");
    EXPECT_EQ(*life.get(2, other), "other");
}

TEST(SpoolTest, ReservationsCanBeGivenBack) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(test::run_in(life.context(), life.spool->reserve(mebibyte)));
        EXPECT_GT(life.spool->usage().bytes_reserved, mebibyte);
        life.spool->unreserve(mebibyte);
    }
    EXPECT_EQ(life.spool->usage().bytes_reserved, 0U);
}

TEST(SpoolTest, CloseEndsThoseWhoWaitForRoom) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    std::optional<Errc> ended;
    test::run_in(life.context(), [&]() -> awaitable<void> {
        TaskGroup group(life.context().get_executor());
        group.spawn([](SpoolLife& owner, std::optional<Errc>& out) -> awaitable<void> {
            for (std::uint64_t item = 0; item < 20; ++item) {
                auto const location = co_await owner.put_task(item, noise(900'000), "");
                if (location) continue;
                out = location.error().code;
                co_return;
            }
        }(life, ended));
        asio::steady_timer pause(life.context(), std::chrono::milliseconds(50));
        co_await pause.async_wait(asio::use_awaitable);
        EXPECT_FALSE(ended);
        co_await life.spool->close();
        co_await group.join();
    }());
    EXPECT_EQ(ended, Errc::stopped);
}

TEST(SpoolTest, AClosedSpoolIsReadByTheNextLife) {
    SimDisk disk;
    std::vector<LiveItem> live;
    auto const text = words(300'000);
    {
        SpoolLife life(disk.directory());
        for (std::uint64_t item = 1; item <= 5; ++item)
            live.push_back({item, *life.put(item, text + std::to_string(item))});
    }
    SpoolLife next(disk.directory(), {.incarnation = 2, .seed = 2}, live);
    ASSERT_NE(next.spool, nullptr) << next.refusal->describe();
    EXPECT_TRUE(next.lost.empty());
    EXPECT_TRUE(next.report.damages.empty());
    EXPECT_EQ(next.spool->usage().items_live, 5U);
    for (auto const& item : live)
        EXPECT_TRUE(*next.get(item.item, item.location) == text + std::to_string(item.item));
    auto const fresh = *next.put(6, "new");
    EXPECT_GT(fresh.segment, live.back().location.segment) << "old segments are only read";
    for (auto const& item : live) next.spool->release(item.item, item.location);
    next.spool->release(6, fresh);
    next.close();
    EXPECT_TRUE(disk.files().empty());
}

}  // namespace
}  // namespace mailferry::store
