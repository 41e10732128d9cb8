#include "transport/http/retry_after.hpp"

#include <gtest/gtest.h>

namespace mailferry::http {
namespace {

using std::chrono::milliseconds;

// "Sun, 06 Nov 1994 08:49:37 GMT"
constexpr std::chrono::sys_seconds now{std::chrono::seconds(784'111'777)};

std::optional<milliseconds> wait(std::string retry, std::string date = "") {
    ResponseHead head;
    head.headers.push_back({"retry-after", std::move(retry)});
    if (!date.empty()) head.headers.push_back({"DATE", std::move(date)});
    return retry_after(head, now);
}

TEST(RetryAfterTest, SecondsFractionsAndDates) {
    EXPECT_EQ(wait("120"), milliseconds(120'000));
    EXPECT_EQ(wait("0"), milliseconds(0));
    EXPECT_EQ(wait("0.5"), milliseconds(500));
    EXPECT_EQ(wait("1.0001"), milliseconds(1'001));
    EXPECT_EQ(wait("Sun, 06 Nov 1994 08:50:37 GMT"), milliseconds(60'000));
    EXPECT_EQ(wait("Sun, 06 Nov 1994 08:00:00 GMT"), milliseconds(0));
}

TEST(RetryAfterTest, ADateCountsFromTheServersOwn) {
    EXPECT_EQ(wait("Sun, 06 Nov 1994 12:00:10 GMT", "Sun, 06 Nov 1994 12:00:00 GMT"),
              milliseconds(10'000));
}

TEST(RetryAfterTest, NeverMoreThanADay) {
    EXPECT_EQ(wait("99999999999999999999"), milliseconds(86'400'000));
    EXPECT_EQ(wait("Sun, 06 Nov 2094 08:50:37 GMT"), milliseconds(86'400'000));
}

TEST(RetryAfterTest, WhatCantBeReadSaysNothing) {
    for (auto const* const text :
         {"", "soon", "-1", "1e9", "1.2.3", "nan", "0x10", " 5", "Sun, 06 Nov 1994 08:49:37",
          "Sun, 36 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"})
        EXPECT_EQ(wait(text), std::nullopt) << text;
    EXPECT_EQ(retry_after(ResponseHead{}, now), std::nullopt);
}

}  // namespace
}  // namespace mailferry::http
