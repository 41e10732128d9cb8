#include "store/spool.hpp"

#include "tests/support/sim_disk.hpp"
#include "tests/support/spool_values.hpp"

namespace mailferry::store {
namespace {

using test::mebibyte;
using test::noise;
using test::SimDisk;
using test::SpoolLife;
using Op = SimDisk::Op;

/// Fails the n-th operation of a kind (counted from 0) once.
SimDisk::Fault fail_once(Op op, int which, int code) {
    return [=, count = 0](SimDisk::Step const& step) mutable -> std::optional<int> {
        if (step.op != op || count++ != which) return std::nullopt;
        return code;
    };
}

class PoisonTest : public testing::TestWithParam<Op> {};

// Goal: after a failed write or sync that file is never written or synced again, its unsynced items
// are reported, its synced ones stay readable, and a new segment takes over.
TEST_P(PoisonTest, OneFailureClosesTheSegmentForGood) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    auto const kept = *life.put(1, "kept");
    ASSERT_TRUE(life.make_durable(kept));
    auto const failed_name = segment_name(0, kept.segment);

    disk.set_fault(fail_once(GetParam(), 0, EIO));
    auto const doomed = *life.put(2, "doomed");
    auto const steps_before = disk.steps().size();
    auto const verdict = life.make_durable(doomed);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, Errc::io_error);

    auto const again = *life.put(2, "doomed");
    EXPECT_NE(again.segment, doomed.segment);
    EXPECT_TRUE(life.make_durable(again));
    EXPECT_EQ(*life.get(2, again), "doomed");
    EXPECT_EQ(*life.get(1, kept), "kept");
    EXPECT_FALSE(life.get(2, doomed));
    EXPECT_FALSE(life.spool->usage().read_only);

    bool failed_yet = false;
    for (auto step = disk.steps().begin() + static_cast<std::ptrdiff_t>(steps_before);
         step != disk.steps().end(); ++step) {
        if (step->name != failed_name) continue;
        EXPECT_FALSE(failed_yet && (step->op == Op::write || step->op == Op::sync));
        if (step->op == GetParam()) failed_yet = true;
    }
    EXPECT_TRUE(failed_yet);

    // The item that was lost is not counted; with the other one the segment goes.
    life.spool->release(1, kept);
    EXPECT_TRUE(life.make_durable(again));
    EXPECT_FALSE(disk.files().contains(failed_name));
    EXPECT_FALSE(life.make_durable(doomed)) << "gone, but still not durable";
}

INSTANTIATE_TEST_SUITE_P(Spool, PoisonTest, testing::Values(Op::write, Op::sync),
                         [](auto const& test_case) {
                             return test_case.param == Op::write ? "write" : "sync";
                         });

TEST(SpoolFailureTest, ASecondFailureWithinAMinuteMakesItReadOnly) {
    for (auto const& [pause, read_only] : {std::pair(59, true), std::pair(61, false)}) {
        SCOPED_TRACE(pause);
        SimDisk disk;
        SpoolLife life(disk.directory());
        auto const kept = *life.put(1, "kept");
        ASSERT_TRUE(life.make_durable(kept));
        for (int i = 0; i < 2; ++i) {
            auto const doomed = life.put(2, "doomed");
            ASSERT_TRUE(doomed);
            disk.set_fault(fail_once(Op::sync, 0, EIO));
            EXPECT_FALSE(life.make_durable(*doomed));
            life.clock.advance(std::chrono::seconds(pause));
        }
        EXPECT_EQ(life.spool->usage().read_only, read_only);
        auto const reserved = test::run_in(life.context(), life.spool->reserve(10));
        EXPECT_EQ(reserved.has_value(), !read_only);
        EXPECT_TRUE(reserved || reserved.error().code == Errc::io_error);
        EXPECT_EQ(*life.get(1, kept), "kept") << "deliveries drain";
    }
}

TEST(SpoolFailureTest, AFailedCreationIsTriedOnceMore) {
    for (auto const op : {Op::create, Op::write, Op::sync, Op::sync_directory}) {
        SimDisk disk;
        SpoolLife life(disk.directory());
        disk.set_fault(fail_once(op, 0, EIO));
        auto const location = life.put(1, "text");
        ASSERT_TRUE(location);
        EXPECT_EQ(*life.get(1, *location), "text");
        EXPECT_EQ(disk.files().size(), 1U) << "no debris of the first attempt";
    }
}

class DiskFullTest : public testing::TestWithParam<int> {};

// Goal: a full disk is backpressure, not an error: reserve() waits and goes on by itself.
TEST_P(DiskFullTest, ReserveWaitsAndResumes) {
    SimDisk disk;
    int refusals = 0;
    SpoolLife life(disk.directory());
    disk.set_fault([&](SimDisk::Step const& step) -> std::optional<int> {
        if (step.op != Op::create || refusals == 3) return std::nullopt;
        ++refusals;
        return GetParam();
    });
    bool seen_full = false;
    auto watch = [&]() -> awaitable<void> {
        asio::steady_timer pause(life.context(), std::chrono::milliseconds(2));
        co_await pause.async_wait(asio::use_awaitable);
        seen_full = life.spool->usage().disk_full;
    };
    asio::co_spawn(life.context(), watch(), asio::detached);
    auto const location = life.put(1, "text");
    ASSERT_TRUE(location);
    EXPECT_EQ(refusals, 3);
    EXPECT_TRUE(seen_full);
    EXPECT_FALSE(life.spool->usage().disk_full);
    EXPECT_FALSE(life.spool->usage().read_only);
    EXPECT_EQ(life.spool->usage().bytes_allocated, disk.bytes_allocated());
}

INSTANTIATE_TEST_SUITE_P(Spool, DiskFullTest, testing::Values(ENOSPC, EDQUOT));

TEST(SpoolFailureTest, APlaceThatIsGoneIsReplacedWithoutWaiting) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    auto const first = *life.put(1, "first");
    ASSERT_TRUE(test::run_in(life.context(), life.spool->reserve(1000)));
    disk.set_fault(fail_once(Op::sync, 0, EIO));
    EXPECT_FALSE(life.make_durable(first));
    test::run_in(life.context(), [&]() -> awaitable<void> {
        auto writer = co_await life.spool->begin_item(2, 1000);
        EXPECT_TRUE(writer);
        EXPECT_TRUE(co_await (*writer)->write(bytes_of("second")));
        auto const location = co_await (*writer)->finish(test::digest_of("second"), "");
        EXPECT_TRUE(location);
        EXPECT_TRUE(co_await life.spool->durable(2, *location));
    }());
}

// Goal: every single failure of the disk is survived without a lie. Method: fail the n-th operation
// for all n, once; whatever was called durable must be readable afterwards.
TEST(SpoolFailureTest, TheNthOperationFails) {
    bool ended = false;
    for (int n = 0; !ended; ++n) {
        SCOPED_TRACE(n);
        ASSERT_LT(n, 1000);
        SimDisk disk;
        int count = 0;
        SpoolLife life(disk.directory());
        disk.set_fault([&count, n](SimDisk::Step const&) -> std::optional<int> {
            return count++ == n ? std::optional(EIO) : std::nullopt;
        });
        std::vector<LiveItem> durable;
        auto const text_of_item = [](std::uint64_t item) {
            return noise(500'000, static_cast<unsigned>(item));
        };
        for (std::uint64_t item = 0; item < 6; ++item) {
            auto const location = life.put(item, text_of_item(item));
            if (location && life.make_durable(*location)) durable.push_back({item, *location});
        }
        ended = count <= n;
        EXPECT_GE(durable.size(), 5U) << "one failure costs one item at most";
        for (auto const& entry : durable)
            EXPECT_TRUE(*life.get(entry.item, entry.location) == text_of_item(entry.item));
        EXPECT_FALSE(life.spool->usage().read_only);
    }
}

}  // namespace
}  // namespace mailferry::store
