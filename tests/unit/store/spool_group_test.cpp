#include "store/spool_core.hpp"

#include "tests/support/sim_disk.hpp"
#include "tests/support/spool_values.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

namespace mailferry::store {
namespace {

using test::mebibyte;
using test::noise;
using test::SimDisk;
using test::SpoolLife;
using test::words;

constexpr ItemOwner anna{1}, bert{2};

std::string text_of(std::uint64_t item) { return words(3000, static_cast<unsigned>(item)); }

/// `count` items of one owner from `first` on, as the ledger knows them once they are durable.
std::vector<LiveItem> put_durably(SpoolLife& life, ItemOwner owner, std::uint64_t first,
                                  std::uint64_t count) {
    std::vector<LiveItem> live;
    for (auto item = first; item < first + count; ++item)
        live.push_back({item, *life.put(item, text_of(item), "meta", owner)});
    for (auto& item : live) {
        auto const placed = life.make_durable(item.location, item.item);
        EXPECT_TRUE(placed);
        item.location = *placed;
    }
    return live;
}

TEST(SpoolGroupTest, SmallItemsOfAnOwnerShareAFrame) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    auto const live = put_durably(life, anna, 1, 20);
    for (auto const& item : live) {
        EXPECT_EQ(item.location, live.front().location);
        EXPECT_EQ(*life.get(item.item, item.location), text_of(item.item));
    }
    EXPECT_EQ(life.spool->usage().items_live, 20U);
}

TEST(SpoolGroupTest, OwnersDontShare) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    std::vector<LiveItem> live;
    for (std::uint64_t item = 1; item <= 6; ++item)
        live.push_back({item, *life.put(item, text_of(item), "", item % 2 ? anna : bert)});
    live.push_back({7, *life.put(7, text_of(7), "")});
    for (auto& item : live) item.location = *life.make_durable(item.location, item.item);
    for (std::size_t i = 0; i < live.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            EXPECT_EQ(live[i].location == live[j].location, i < 6 && i % 2 == j % 2) << i << j;
    for (auto const& item : live)
        EXPECT_EQ(*life.get(item.item, item.location), text_of(item.item));
}

TEST(SpoolGroupTest, LargeItemsStayAlone) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    auto const text = noise(grouped_item_bytes_max + 1);
    auto const location = *life.put(1, text, "", anna);
    EXPECT_NE(location.offset, 0U);
    EXPECT_TRUE(*life.get(1, location) == text);
}

TEST(SpoolGroupTest, AnItemIsReadBeforeItsGroupWasWritten) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    auto const first = *life.put(1, text_of(1), "", anna);
    EXPECT_EQ(*life.get(1, first), text_of(1));
    auto const empty = *life.put(2, "", "", anna);
    EXPECT_EQ(*life.get(2, empty), "");
}

TEST(SpoolGroupTest, AFullGroupIsWrittenUnasked) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    auto const before = life.spool->usage().bytes_plain_in;
    for (std::uint64_t item = 1; life.spool->usage().bytes_plain_in == before; ++item) {
        ASSERT_LT(item, 200U);
        ASSERT_TRUE(life.put(item, text_of(item), "", anna));
    }
    EXPECT_GE(life.spool->usage().bytes_plain_in, group_bytes);
}

// Goal: nothing that was released is brought back to life, whether its frame was written or not.
TEST(SpoolGroupTest, ReleasedItemsDontKeepTheSegment) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    auto const live = put_durably(life, anna, 1, 3);
    auto const waiting = *life.put(4, text_of(4), "", anna);
    life.spool->release(4, waiting);
    for (auto const& item : live) life.spool->release(item.item, item.location);
    EXPECT_EQ(life.spool->usage().items_live, 0U);
    life.close();
    EXPECT_TRUE(disk.files().empty());
}

TEST(SpoolGroupTest, OnlyTheModeAlwaysWritesWhatWasReleasedBefore) {
    for (auto const mode : {config::SpoolMode::always, config::SpoolMode::automatic}) {
        SimDisk disk;
        SpoolLife life(disk.directory(), {.mode = mode});
        auto const gone = *life.put(1, text_of(1), "", anna);
        auto const stays = *life.put(2, text_of(2), "", anna);
        life.spool->release(1, gone);
        auto const placed = life.make_durable(stays, 2);
        ASSERT_TRUE(placed);
        auto const items = mode == config::SpoolMode::always ? 2U : 1U;
        EXPECT_EQ(life.spool->usage().bytes_plain_in, items * text_of(1).size());
        EXPECT_EQ(*life.get(2, *placed), text_of(2));
        EXPECT_EQ(life.spool->usage().items_live, 1U);
    }
}

TEST(SpoolGroupTest, TheNextLifeReadsAndReleasesThemOneByOne) {
    SimDisk disk;
    std::vector<LiveItem> live;
    {
        SpoolLife life(disk.directory());
        live = put_durably(life, anna, 1, 10);
        life.spool->release(live.back().item, live.back().location);
        live.pop_back();
    }
    SpoolLife next(disk.directory(), {.incarnation = 2, .seed = 2}, live);
    ASSERT_NE(next.spool, nullptr);
    EXPECT_TRUE(next.lost.empty());
    EXPECT_EQ(next.spool->usage().items_live, 9U);
    while (!live.empty()) {
        EXPECT_EQ(*next.get(live.back().item, live.back().location), text_of(live.back().item));
        next.spool->release(live.back().item, live.back().location);
        live.pop_back();
    }
    next.close();
    EXPECT_TRUE(disk.files().empty());
}

TEST(SpoolGroupTest, AFailedSyncLosesTheWholeGroupAndNothingElse) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    auto const kept = put_durably(life, anna, 1, 2);
    auto const third = *life.put(3, text_of(3), "", anna),
               fourth = *life.put(4, text_of(4), "", anna);
    disk.set_fault([failed = false](SimDisk::Step const& step) mutable -> std::optional<int> {
        if (step.op != SimDisk::Op::sync || std::exchange(failed, true)) return std::nullopt;
        return EIO;
    });
    EXPECT_FALSE(life.make_durable(third, 3));
    EXPECT_FALSE(life.make_durable(fourth, 4));
    EXPECT_FALSE(life.get(4, fourth));
    for (auto const& item : kept)
        EXPECT_EQ(*life.get(item.item, item.location), text_of(item.item));
    life.spool->release(3, third);
    life.spool->release(4, fourth);
    EXPECT_EQ(life.spool->usage().items_live, 2U);
    auto const again = *life.put(5, text_of(5), "", anna);
    EXPECT_TRUE(life.make_durable(again, 5));
}

// Goal: segments roll with groups of many owners under way, and every item can be read.
TEST(SpoolGroupTest, SegmentsRollWithGroupsOpen) {
    SimDisk disk;
    SpoolLife life(disk.directory(), {.max_bytes = 64 * mebibyte});
    std::vector<LiveItem> live;
    for (std::uint64_t item = 0; item < 4000; ++item)
        live.push_back({item, *life.put(item, noise(6000, static_cast<unsigned>(item)), "",
                                        ItemOwner{1 + item % 16})});
    EXPECT_GT(live.back().location.segment, live.front().location.segment);
    for (auto& item : live) item.location = *life.make_durable(item.location, item.item);
    for (auto const& item : live)
        ASSERT_TRUE(*life.get(item.item, item.location) ==
                    noise(6000, static_cast<unsigned>(item.item)));
    for (auto const& item : live) life.spool->release(item.item, item.location);
    life.close();
    EXPECT_TRUE(disk.files().empty());
}

}  // namespace
}  // namespace mailferry::store
