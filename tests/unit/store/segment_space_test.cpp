#include "store/segment_space.hpp"

#include <gtest/gtest.h>

namespace mailferry::store {
namespace {

TEST(SpoolSpaceTest, OnceFullAdmitsNothingAboveTheLowWater) {
    SpoolSpace space(100, 60);
    EXPECT_TRUE(space.admit(50));
    space.add(50);
    EXPECT_TRUE(space.admit(50));
    space.add(50);
    EXPECT_FALSE(space.admit(10));
    space.remove(30);
    EXPECT_FALSE(space.admit(10)) << "70 is still above the low water";
    EXPECT_TRUE(space.fits(10)) << "what must not wait looks at the limit alone";
    space.remove(10);
    EXPECT_TRUE(space.admit(10));
    space.add(10);
    EXPECT_TRUE(space.admit(30)) << "the wait is over";
    EXPECT_FALSE(space.admit(31));
}

TEST(SpoolSpaceTest, ALoweredLimitIsNoBrokenInvariant) {
    SpoolSpace space(100, 60);
    space.found(500);
    EXPECT_FALSE(space.admit(1));
    space.remove(450);
    EXPECT_TRUE(space.admit(50));
}

TEST(ItemClaimTest, CoversEveryFrameInABatchOfItsOwn) {
    for (std::uint64_t const plain : {0ULL, 1ULL, 65'535ULL, 65'536ULL, 65'537ULL, 10'000'000ULL}) {
        auto const most = plain + announced_slack_bytes;
        std::uint64_t needed = frame_claim_bytes(head_body_bytes) + seal_entry_bytes, frames = 2;
        for (std::uint64_t left = most, chunk = first_chunk_bytes; left > 0; chunk = chunk_bytes) {
            auto const count = std::min(left, chunk);
            needed += frame_claim_bytes(count);
            left -= count;
            ++frames;
        }
        needed += frame_claim_bytes(end_body_fixed_bytes);
        EXPECT_LE(needed, item_claim_bytes(plain)) << plain;
        EXPECT_LE(frames, item_frames_max(plain)) << plain;
    }
}

TEST(LiveItemsTest, RemovalIsIdempotent) {
    LiveItems live;
    for (std::uint64_t const end : {100, 200, 300, 400}) live.add(end, 1);
    EXPECT_EQ(live.count(), 4U);
    EXPECT_TRUE(live.remove(200, 1));
    EXPECT_FALSE(live.remove(200, 1));
    EXPECT_FALSE(live.remove(250, 1));
    EXPECT_EQ(live.count(), 3U);
    live.remove_behind(300);
    EXPECT_EQ(live.count(), 2U);
    EXPECT_FALSE(live.remove(400, 1));
}

TEST(LiveItemsTest, ItemsOfAGroupShareTheirEnd) {
    LiveItems live;
    for (std::uint64_t const item : {3, 5, 9}) live.add(100, item);
    live.add(200, 4);
    EXPECT_TRUE(live.remove(100, 5));
    EXPECT_FALSE(live.remove(100, 5));
    EXPECT_FALSE(live.remove(100, 4));
    EXPECT_EQ(live.count(), 3U);
    live.remove_behind(150);
    EXPECT_EQ(live.count(), 2U);
}

}  // namespace
}  // namespace mailferry::store
