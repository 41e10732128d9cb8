#include "transport/graph/limiter.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace mailferry::graph {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SteadyTime at(milliseconds time) { return SteadyTime(time); }

TEST(SlidingWindow, CountsFromTheAnswerOn) {
    SlidingWindow window(10, seconds(10));
    window.take(6);
    EXPECT_EQ(window.free_at(4, at(seconds(1))), at(seconds(1)));
    EXPECT_EQ(window.free_at(5, at(seconds(1))), SteadyTime::max());
    window.settle(6, at(seconds(2)));
    auto const free = window.free_at(5, at(seconds(2)));
    EXPECT_GT(free, at(seconds(12)));
    EXPECT_LE(free, at(milliseconds(12'010)));
    EXPECT_EQ(window.used(at(seconds(13))), 0u);
}

TEST(SlidingWindow, LetsOneOfOverSizeThroughWhenEmpty) {
    SlidingWindow window(10, seconds(10));
    EXPECT_EQ(window.free_at(25, at(seconds(1))), at(seconds(1)));
    window.take(25);
    window.settle(25, at(seconds(2)));
    EXPECT_GT(window.free_at(1, at(seconds(2))), at(seconds(12)));
}

/// A server that counts each request at some instant between sending and answer, in every window.
TEST(SlidingWindow, NeverExceedsTheLimitInAnyWindowAndUsesNearlyAllOfIt) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        constexpr std::uint64_t limit = 1000;
        constexpr milliseconds length = seconds(30);
        SlidingWindow window(limit, length);
        struct Flight {
            SteadyTime ends;
            std::uint64_t units;
        };
        std::deque<Flight> flights;
        std::deque<std::pair<SteadyTime, std::uint64_t>> counted;
        std::uint64_t total = 0;
        auto now = at(seconds(100));
        auto const begun = now;
        while (now < begun + 20 * length) {
            std::uint64_t const units = 1 + random() % 40;
            for (auto flight = flights.begin(); flight != flights.end();) {
                if (flight->ends > now) {
                    ++flight;
                    continue;
                }
                window.settle(flight->units, flight->ends);
                flight = flights.erase(flight);
            }
            auto const free = window.free_at(units, now);
            if (free > now || flights.size() >= 4) {
                auto next = free > now ? free : SteadyTime::max();
                for (auto const& flight : flights) next = std::min(next, flight.ends);
                now = next;
                continue;
            }
            window.take(units);
            milliseconds const travel(1 + random() % 60);
            counted.emplace_back(now + milliseconds(random() % (travel.count() + 1)), units);
            flights.push_back({now + travel, units});
            total += units;
        }
        std::sort(counted.begin(), counted.end());
        std::uint64_t sum = 0;
        auto first = counted.begin();
        for (auto last = counted.begin(); last != counted.end(); ++last) {
            sum += last->second;
            while (last->first - first->first >= length) sum -= (first++)->second;
            ASSERT_LE(sum, limit) << "seed " << seed;
        }
        EXPECT_GE(total, limit * 20 * 95 / 100) << "seed " << seed;
    }
}

TEST(MailboxLimiter, HoldsConcurrency) {
    MailboxLimiter limiter(Limits{});
    auto const now = at(seconds(1));
    for (int i = 0; i < 4; ++i) {
        EXPECT_FALSE(limiter.obstacle(0, now));
        limiter.begin(0);
    }
    ASSERT_TRUE(limiter.obstacle(0, now));
    EXPECT_EQ(limiter.obstacle(0, now)->binding, Binding::concurrency);
    limiter.end(0, now);
    EXPECT_FALSE(limiter.obstacle(0, now));
}

TEST(MailboxLimiter, AnUploadWaitsForItsBytesWhileAReadingDoesNot) {
    MailboxLimiter limiter(Limits{});
    auto const now = at(seconds(1));
    limiter.begin(148'000'000);
    limiter.end(148'000'000, now);
    ASSERT_TRUE(limiter.obstacle(2'000'000, now));
    EXPECT_EQ(limiter.obstacle(2'000'000, now)->binding, Binding::upload);
    EXPECT_FALSE(limiter.obstacle(0, now));
    EXPECT_FALSE(limiter.obstacle(2'000'000, now + seconds(301)));
}

TEST(MailboxLimiter, RequestsAreCounted) {
    MailboxLimiter limiter(Limits{});
    auto const now = at(seconds(1));
    for (int i = 0; i < 9'900; ++i) {
        ASSERT_FALSE(limiter.obstacle(0, now));
        limiter.begin(0);
        limiter.end(0, now);
    }
    ASSERT_TRUE(limiter.obstacle(0, now));
    EXPECT_EQ(limiter.obstacle(0, now)->binding, Binding::requests);
    EXPECT_FALSE(limiter.obstacle(0, now + seconds(601)));
    EXPECT_FALSE(limiter.idle(now));
    EXPECT_TRUE(limiter.idle(now + seconds(601)));
}

TEST(MailboxLimiter, NothingGoesInsideARetryAfter) {
    MailboxLimiter limiter(Limits{});
    auto const now = at(seconds(10));
    Notice notice{Verdict::throttled, milliseconds(5'500), now};
    limiter.heed(notice, now, 1.0);
    for (milliseconds later(0); later < milliseconds(5'500); later += milliseconds(100)) {
        ASSERT_TRUE(limiter.obstacle(0, now + later));
        EXPECT_EQ(limiter.obstacle(0, now + later)->binding, Binding::retry_after);
    }
    EXPECT_FALSE(limiter.obstacle(0, now + milliseconds(6'601)));
    // A shorter one that comes in later doesn't cut it.
    limiter.heed(notice, now, 0.0);
    limiter.heed({Verdict::throttled, milliseconds(1), now}, now, 0.0);
    EXPECT_TRUE(limiter.obstacle(0, now + milliseconds(5'499)));
}

TEST(MailboxLimiter, WithoutARetryAfterThePauseDoubles) {
    MailboxLimiter limiter(Limits{});
    auto now = at(seconds(10));
    for (auto const expected : {2, 4, 8, 16, 32, 64, 128, 256, 300, 300}) {
        Notice notice{Verdict::throttled, std::nullopt, now};
        limiter.heed(notice, now, 0.0);
        // The rest of the burst adds nothing.
        limiter.heed(notice, now, 0.0);
        ASSERT_TRUE(limiter.obstacle(0, now + seconds(expected) - milliseconds(1)));
        now += seconds(expected) + milliseconds(1);
        ASSERT_FALSE(limiter.obstacle(0, now)) << expected;
    }
    limiter.heed({Verdict::taken, std::nullopt, now}, now, 0.0);
    limiter.heed({Verdict::throttled, std::nullopt, now}, now, 0.0);
    EXPECT_FALSE(limiter.obstacle(0, now + milliseconds(2'001)));
}

TEST(MailboxLimiter, FewerAtOnceWhereTheServiceCountsOtherwise) {
    MailboxLimiter limiter(Limits{});
    auto now = at(seconds(10'000));
    limiter.heed({Verdict::too_many_at_once, milliseconds(1'000), now}, now, 0.0);
    now += seconds(2);
    for (int i = 0; i < 3; ++i) limiter.begin(0);
    EXPECT_TRUE(limiter.obstacle(0, now));
    // After a while the full number is tried again.
    EXPECT_FALSE(limiter.obstacle(0, now + seconds(601)));
}

TEST(AppLimiter, HalvesOnceForABurstAndGrowsAgain) {
    AppLimiter limiter(Limits{});
    auto const now = at(seconds(10));
    EXPECT_EQ(limiter.ceiling(), 64u);
    for (int i = 0; i < 5; ++i) limiter.heed({Verdict::overloaded, std::nullopt, now}, now, 0.0);
    limiter.heed({Verdict::overloaded, std::nullopt, now - seconds(1)}, now, 0.0);
    EXPECT_LE(limiter.ceiling(), 32u);
    for (int i = 0; i < 33; ++i) limiter.heed({Verdict::taken, std::nullopt, now}, now, 0.0);
    EXPECT_GE(limiter.ceiling(), 3u);
    limiter.heed({Verdict::app_throttled, seconds(7), now + seconds(1)}, now + seconds(1), 0.0);
    ASSERT_TRUE(limiter.obstacle(now + seconds(7)));
    EXPECT_FALSE(limiter.obstacle(now + seconds(8)));
}

TEST(Limits, ScaleAndSpeed) {
    auto const part = Limits{}.scaled(0.01);
    EXPECT_EQ(part.requests_max, 100u);
    EXPECT_EQ(part.upload_bytes_max, 1'500'000u);
    EXPECT_EQ(Limits{}.scaled(1e-9).requests_max, 1u);
    auto const fast = Limits{}.sped_up(100);
    EXPECT_EQ(fast.requests_max, 100u);
    EXPECT_EQ(fast.request_window, seconds(6));
    EXPECT_EQ(fast.backoff_first, milliseconds(20));
}

}  // namespace
}  // namespace mailferry::graph
