#include "store/crc32c.hpp"

#include "store/little_endian.hpp"
#include "tests/support/spool_values.hpp"

namespace mailferry::store {
namespace {

TEST(Crc32cTest, KnownSums) {
    EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283U);  // The check value of the catalogue.
    EXPECT_EQ(crc32c(bytes_of(std::string(32, '\0'))), 0x8A9136AAU);  // RFC 3720 B.4.
    EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32cTest, InstructionAndTableAgreeAtEveryLength) {
    auto const text = test::noise(100);
    for (std::size_t size = 0; size <= text.size(); ++size) {
        auto const bytes = bytes_of(text).first(size);
        EXPECT_EQ(crc32c(bytes, 77), crc32c_by_table(bytes, 77)) << size;
    }
}

TEST(Crc32cTest, SumsContinue) {
    auto const text = test::noise(100);
    auto const bytes = bytes_of(text);
    EXPECT_EQ(crc32c(bytes.subspan(33), crc32c(bytes.first(33))), crc32c(bytes));
}

}  // namespace
}  // namespace mailferry::store
