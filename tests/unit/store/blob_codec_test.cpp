#include "store/blob_codec.hpp"

#include "store/little_endian.hpp"
#include "tests/support/spool_values.hpp"

namespace mailferry::store {
namespace {

TEST(BlobCodecTest, RoundTripAtEveryLevel) {
    BlobCodec codec;
    for (int level = CompressionLevel::lowest; level <= CompressionLevel::highest; ++level) {
        for (std::size_t const size : {1U, 100U, 4096U, 65'536U, 131'072U}) {
            auto const text = test::words(size, static_cast<unsigned>(level));
            auto const packed = codec.pack(bytes_of(text), level);
            if (size < 100) continue;  // Too short to gain anything.
            ASSERT_TRUE(packed) << size;
            EXPECT_LT(packed->size(), size);
            std::vector<std::byte> plain(size);
            ASSERT_TRUE(codec.unpack(*packed, plain));
            EXPECT_EQ(text_of(plain), text);
        }
    }
}

TEST(BlobCodecTest, WhatDoesNotShrinkIsNotPacked) {
    BlobCodec codec;
    EXPECT_FALSE(codec.pack(bytes_of(test::noise(65'536)), 1, 5));
    EXPECT_FALSE(codec.pack({}, 1));
    // 3 % are saved, 5 % are asked for.
    auto const nearly = test::noise(63'500) + std::string(2036, 'a');
    EXPECT_FALSE(codec.pack(bytes_of(nearly), 1, 5));
    EXPECT_TRUE(codec.pack(bytes_of(nearly), 1));
}

TEST(BlobCodecTest, AnnouncedLengthIsTheBound) {
    BlobCodec codec;
    auto const bomb = std::string(1U << 20, 'a');
    auto const packed = codec.pack(bytes_of(bomb), 1);
    ASSERT_TRUE(packed);
    EXPECT_LT(packed->size(), 1000U);
    std::vector<std::byte> const blob(packed->begin(), packed->end());
    std::vector<std::byte> small(1000), large((1U << 20) + 1), exact(1U << 20);
    EXPECT_FALSE(codec.unpack(blob, small));
    EXPECT_FALSE(codec.unpack(blob, large));
    EXPECT_TRUE(codec.unpack(blob, exact));
    EXPECT_FALSE(codec.unpack(bytes_of("no blob at all"), small));
}

TEST(CompressionLevelTest, FollowsWhatIsShort) {
    CompressionLevel level;
    EXPECT_EQ(level.current(), 1);
    for (int i = 0; i < 4; ++i) level.disk_was_short();
    EXPECT_EQ(level.current(), 2);
    for (int i = 0; i < 100; ++i) level.disk_was_short();
    EXPECT_EQ(level.current(), CompressionLevel::highest);
    level.processor_was_short();
    EXPECT_EQ(level.current(), 1);
}

}  // namespace
}  // namespace mailferry::store
