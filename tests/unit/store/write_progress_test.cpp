#include "store/write_progress.hpp"

#include "store/little_endian.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mailferry::store {
namespace {

// Goal: whatever the kernel answers, each byte is offered at its own place until it was taken.
TEST(WriteProgressTest, ShortWritesGoOnWithTheSameBytes) {
    auto const text = std::string("0123456789");
    WriteProgress progress(4096, bytes_of(text));
    for (std::int64_t const answer : {3, 0, -EINTR, 2, -EAGAIN}) {
        ASSERT_TRUE(progress.wrote(answer)) << answer;
        EXPECT_FALSE(progress.complete());
    }
    EXPECT_EQ(text_of(progress.rest()), "56789");
    EXPECT_EQ(progress.offset(), 4101U);
    ASSERT_TRUE(progress.wrote(5));
    EXPECT_TRUE(progress.complete());
}

TEST(WriteProgressTest, ErrorsAreNamed) {
    auto const text = std::string("0123456789");
    WriteProgress progress(0, bytes_of(text));
    EXPECT_EQ(progress.wrote(-EIO).error().code, Errc::io_error);
    EXPECT_EQ(progress.wrote(-ENOSPC).error().code, Errc::disk_full);
    EXPECT_EQ(progress.wrote(-EDQUOT).error().code, Errc::disk_full);
    EXPECT_EQ(progress.wrote(11).error().code, Errc::io_error);  // More than was asked for.
}

TEST(WriteProgressTest, ADiskThatTakesNothingIsAnError) {
    auto const text = std::string("0123456789");
    WriteProgress progress(0, bytes_of(text));
    int tries = 0;
    while (progress.wrote(0) && tries < 1000) ++tries;
    EXPECT_EQ(tries, 100);
}

}  // namespace
}  // namespace mailferry::store
