#include "store/packed_intent.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace mailferry::store {
namespace {

PackedItem packed(std::uint64_t place, std::uint64_t number) {
    PackedItem made;
    made.place = place;
    auto& item = made.item;
    item.id = ItemId{(std::uint64_t{3} << 36) | number};
    item.folder = FolderId{12};
    item.state = ItemState::sending;
    item.number = number;
    item.replaces = number % 2;
    item.size = number * 1000;
    item.digest.fill(static_cast<std::byte>(number));
    item.fingerprint = ~number;
    item.received = -static_cast<std::int64_t>(number);
    item.zone_minutes = -330;
    item.attempts = 2;
    item.flags = {"\\Seen", "$Work"};
    return made;
}

TEST(PackedIntentTest, GivesBackWhatWasPacked) {
    std::vector<PackedItem> const items{
        packed(0, 7), packed(3, 8),
        packed(4, std::uint64_t{std::numeric_limits<std::int64_t>::max()})};
    auto const found = decode_packed(encode_packed(items), FolderId{12});
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        auto const &a = (*found)[i], &b = items[i];
        EXPECT_EQ(a.place, b.place);
        EXPECT_EQ(a.item.id, b.item.id);
        EXPECT_EQ(a.item.folder, b.item.folder);
        EXPECT_EQ(a.item.state, ItemState::sending);
        EXPECT_EQ(a.item.number, b.item.number);
        EXPECT_EQ(a.item.replaces, b.item.replaces);
        EXPECT_EQ(a.item.size, b.item.size);
        EXPECT_EQ(a.item.digest, b.item.digest);
        EXPECT_EQ(a.item.fingerprint, b.item.fingerprint);
        EXPECT_EQ(a.item.received, b.item.received);
        EXPECT_EQ(a.item.zone_minutes, b.item.zone_minutes);
        EXPECT_EQ(a.item.attempts, b.item.attempts);
        EXPECT_EQ(a.item.flags, b.item.flags);
        EXPECT_EQ(a.item.location.segment, 0U);
    }
}

TEST(PackedIntentTest, NoItemsTakeNoBytes) {
    EXPECT_TRUE(encode_packed({}).empty());
    EXPECT_TRUE(decode_packed("", FolderId{1})->empty());
}

TEST(PackedIntentTest, EveryDamagedByteIsFound) {
    auto const whole = encode_packed(std::vector{packed(0, 7), packed(1, 9)});
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto bytes = whole;
        bytes[at] = static_cast<char>(bytes[at] ^ 0x20);
        auto const found = decode_packed(bytes, FolderId{12});
        ASSERT_FALSE(found) << at;
        EXPECT_EQ(found.error().code, Errc::corrupt);
    }
}

TEST(PackedIntentTest, EveryCutIsFound) {
    auto const whole = encode_packed(std::vector{packed(0, 7), packed(1, 9)});
    for (std::size_t size = 1; size < whole.size(); ++size)
        EXPECT_FALSE(decode_packed(whole.substr(0, size), FolderId{12})) << size;
}

}  // namespace
}  // namespace mailferry::store
