#include "daemon/budget.hpp"

#include "async/task_group.hpp"
#include "tests/support/spool_values.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace mailferry::daemon {
namespace {

class BudgetTest : public testing::Test {
protected:
    std::optional<MemoryBudget::Lease> take(std::uint64_t bytes) {
        return test::run_in(context, budget.acquire(bytes));
    }

    asio::io_context context;
    SystemClock clock;
    MemoryBudget budget{context.get_executor(), clock, 1000};
};

TEST_F(BudgetTest, ALeaseGivesBackWhatItHeld) {
    {
        auto const first = take(600);
        ASSERT_TRUE(first);
        EXPECT_EQ(budget.used(), 600U);
    }
    EXPECT_EQ(budget.used(), 0U);
    EXPECT_TRUE(take(1000));
}

TEST_F(BudgetTest, NobodyWaitsForWhatNeverFits) { EXPECT_FALSE(take(1001)); }

// Goal: the source is read at the target's pace. Method: one waits while another one gives back.
TEST_F(BudgetTest, WhoeverFindsNoRoomWaitsForIt) {
    auto held = take(800);
    bool served = false;
    test::run_in(context, [&]() -> awaitable<void> {
        TaskGroup tasks(context.get_executor());
        tasks.spawn([](MemoryBudget& from, bool& done) -> awaitable<void> {
            auto const lease = co_await from.acquire(500);
            done = lease.has_value();
        }(budget, served));
        asio::steady_timer pause(context, std::chrono::milliseconds(20));
        co_await pause.async_wait(asio::use_awaitable);
        EXPECT_FALSE(served);
        held.reset();
        co_await tasks.join();
    }());
    EXPECT_TRUE(served);
}

TEST_F(BudgetTest, ATargetThatStandsStillHoldsNobodyUp) {
    auto const held = take(800);
    EXPECT_FALSE(take(500)) << "none came free for a second";
    auto const small = take(200);
    EXPECT_TRUE(small) << "what fits is given all the same";
}

}  // namespace
}  // namespace mailferry::daemon
