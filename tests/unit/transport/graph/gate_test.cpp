#include "transport/graph/gate.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace mailferry::graph {
namespace {

using std::chrono::milliseconds;

class GateTest : public testing::Test {
protected:
    /// Enters, notes `name`, stays for `stay`.
    void visit(Gate& gate, std::string name, std::uint64_t bytes, milliseconds stay,
               bool const& given_up) {
        asio::co_spawn(io_, visit_now(gate, std::move(name), bytes, stay, given_up),
                       asio::detached);
    }

    awaitable<void> visit_now(Gate& gate, std::string name, std::uint64_t bytes, milliseconds stay,
                              bool const& given_up) {
        auto pass = co_await gate.enter("box", bytes, given_up);
        entered_.push_back(pass ? name : name + " gave up");
        most_ = std::max(most_, ++inside_);
        asio::steady_timer timer(io_, stay);
        co_await timer.async_wait(asio::use_awaitable);
        --inside_;
    }

    asio::io_context io_;
    SystemClock clock_;
    bool never_ = false;
    std::vector<std::string> entered_;
    int inside_ = 0, most_ = 0;
};

Limits quick() {
    Limits limits;
    limits.backoff_first = milliseconds(20);
    limits.request_window = milliseconds(200);
    limits.upload_window = milliseconds(200);
    limits.upload_bytes_max = 1'000;
    limits.share_percent = 100;
    return limits;
}

TEST_F(GateTest, FirstComeFirstServedAndNoMoreThanFourAtOnce) {
    Gate gate(io_.get_executor(), quick(), clock_);
    std::vector<std::string> expected;
    for (int i = 0; i < 12; ++i) {
        expected.push_back(std::to_string(i));
        visit(gate, expected.back(), 0, milliseconds(5), never_);
    }
    io_.run();
    EXPECT_EQ(entered_, expected);
    EXPECT_EQ(most_, 4);
}

TEST_F(GateTest, AReadingOvertakesAnUploadThatWaits) {
    Gate gate(io_.get_executor(), quick(), clock_);
    visit(gate, "first", 900, milliseconds(1), never_);
    visit(gate, "second", 900, milliseconds(1), never_);
    visit(gate, "third", 50, milliseconds(1), never_);
    visit(gate, "reading", 0, milliseconds(1), never_);
    auto const begun = std::chrono::steady_clock::now();
    io_.run();
    EXPECT_THAT(entered_, testing::ElementsAre("first", "reading", "second", "third"));
    EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(200));
}

TEST_F(GateTest, WhoGivesUpLeavesAtTheNextWake) {
    auto limits = quick();
    limits.concurrent_max = 1;
    Gate gate(io_.get_executor(), limits, clock_);
    bool given_up = false;
    visit(gate, "holder", 0, milliseconds(50), never_);
    visit(gate, "impatient", 0, milliseconds(1), given_up);
    visit(gate, "patient", 0, milliseconds(1), never_);
    asio::post(io_, [&] {
        given_up = true;
        gate.wake();
    });
    io_.run();
    EXPECT_THAT(entered_, testing::ElementsAre("holder", "impatient gave up", "patient"));
}

TEST_F(GateTest, ARetryAfterHoldsEverybodyAndIsShown) {
    Gate gate(io_.get_executor(), quick(), clock_);
    asio::co_spawn(
        io_,
        [&]() -> awaitable<void> {
            {
                auto pass = co_await gate.enter("box", 0, never_);
                Notice notice;
                notice.verdict = Verdict::throttled;
                notice.retry_after = milliseconds(100);
                pass->heed(notice);
            }
            auto const begun = std::chrono::steady_clock::now();
            visit(gate, "later", 0, milliseconds(1), never_);
            asio::steady_timer timer(io_, milliseconds(10));
            co_await timer.async_wait(asio::use_awaitable);
            auto const wait = gate.longest_wait();
            EXPECT_TRUE(wait);
            if (!wait) co_return;
            EXPECT_EQ(wait->mailbox, "box");
            EXPECT_EQ(wait->binding, Binding::retry_after);
            for (auto const& load : gate.loads()) {
                EXPECT_EQ(load.waiting, load.limit == "retry-after" ? 1u : 0u) << load.limit;
                EXPECT_EQ(load.longest > milliseconds(0), load.waiting > 0) << load.limit;
            }
            auto const pass = co_await gate.enter("box", 0, never_);
            EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(99));
            // Another mailbox doesn't wait.
            auto const other = co_await gate.enter("other", 0, never_);
        },
        asio::detached);
    io_.run();
    EXPECT_THAT(entered_, testing::ElementsAre("later"));
}

TEST(LimitWait, IsDescribed) {
    LimitWait wait{"x@contoso.example", Binding::upload,
                   std::chrono::system_clock::time_point(std::chrono::seconds(50'710))};
    EXPECT_EQ(describe(wait, "app2"),
              "waits for app app2 on mailbox x@contoso.example until 14:05:10 UTC (upload)");
}

}  // namespace
}  // namespace mailferry::graph
