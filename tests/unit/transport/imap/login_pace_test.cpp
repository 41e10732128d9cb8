#include "transport/imap/login_pace.hpp"

#include <gtest/gtest.h>

namespace mailferry::imap {
namespace {

using std::chrono::milliseconds;

TEST(LoginPaceTest, ASecondsWorthGoesAtOnceThenTheyAreSpacedOut) {
    LoginPace pace;
    LoginPace::Time const start{std::chrono::hours(5)};
    for (int i = 0; i < 10; ++i) EXPECT_EQ(pace.take(start, 10), start) << i;
    EXPECT_EQ(pace.take(start, 10), start + milliseconds(100));
    EXPECT_EQ(pace.take(start, 10), start + milliseconds(200));
}

TEST(LoginPaceTest, ManyWaitForTheirTurn) {
    LoginPace pace;
    LoginPace::Time const start{std::chrono::hours(5)};
    auto last = start;
    for (int i = 0; i < 100; ++i) last = pace.take(start, 10);
    EXPECT_EQ(last, start + milliseconds(9'000));
}

TEST(LoginPaceTest, APauseEarnsASecondsWorthAndNoMore) {
    LoginPace pace;
    LoginPace::Time const start{std::chrono::hours(5)};
    for (int i = 0; i < 10; ++i) pace.take(start, 10);
    auto const later = start + std::chrono::hours(1);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(pace.take(later, 10), later) << i;
    EXPECT_EQ(pace.take(later, 10), later + milliseconds(100));
}

}  // namespace
}  // namespace mailferry::imap
