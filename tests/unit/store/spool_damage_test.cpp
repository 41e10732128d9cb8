#include "store/spool_reader.hpp"
#include "store/spool_scan.hpp"

#include "tests/support/sim_disk.hpp"
#include "tests/support/spool_values.hpp"

namespace mailferry::store {
namespace {

using test::Bytes;
using test::noise;
using test::SimDisk;
using test::SpoolLife;
using test::words;

/// A small sealed segment with two items.
struct SmallSpool {
    SimDisk disk;
    std::vector<std::string> texts{words(3000, 1), noise(2000, 2)};
    std::vector<LiveItem> live;
    std::string name = segment_name(0, 1);

    explicit SmallSpool(ItemOwner owner = {}) {
        SpoolLife life(disk.directory());
        for (std::uint64_t item = 1; item <= texts.size(); ++item)
            live.push_back({item, *life.put(item, texts[item - 1], "meta", owner)});
        for (auto& item : live) item.location = *life.make_durable(item.location, item.item);
    }
    Bytes bytes() const { return disk.files().at(name); }
    FrameCipher cipher() const {
        auto const all = bytes();
        auto const header = *decode_segment_header(all);
        KeyWrap keys(test::test_key(), header.spool_uuid);
        return {keys.unwrap(header.wrapped_key, header.wrap_nonce,
                            std::span(all).first(wrap_associated_bytes)),
                header.segment_uuid, header.spool_uuid};
    }
};

awaitable<Result<std::string>> read_all(SpooledItemSource& source) {
    std::string text;
    for (;;) {
        auto const piece = co_await source.next();
        if (!piece) co_return piece.error();
        if (piece->empty()) co_return text;
        text.append(text_of(*piece));
    }
}

// Goal: no damaged byte is ever handed out. Method: flip each bit behind the header in turn;
// reading either fails with `corrupt` or gives the very bytes (the bit was fill, or another
// item's).
void flip_every_bit_of_the_frames(SmallSpool const& spool) {
    auto bytes = spool.bytes();
    ASSERT_LE(bytes.size(), 32'768U);
    auto cipher = spool.cipher();
    BlobCodec codec;
    asio::io_context context;
    std::size_t detected = 0, harmless = 0;
    test::run_in(context, [&]() -> awaitable<void> {
        for (auto bit = 8 * segment_header_bytes; bit < 8 * bytes.size(); ++bit) {
            bytes[bit / 8] ^= std::byte{1} << (bit % 8);
            for (auto const& item : spool.live) {
                auto const open = [&]() -> awaitable<Result<OpenedItem>> {
                    co_return OpenedItem{std::make_shared<test::MemoryFile>(bytes), item.location};
                };
                GroupCache groups;
                SpooledItemSource source(item.item, cipher, codec, groups, open);
                auto const text = co_await read_all(source);
                auto const wrong = text && *text != spool.texts[item.item - 1];
                EXPECT_FALSE(wrong) << "bit " << bit;
                ++(text ? harmless : detected);
                if (text) continue;
                EXPECT_EQ(text.error().code, Errc::corrupt);
            }
            bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        }
    }());
    // Nearly all bits within an item's own bytes are found.
    auto const own_bits = 8 * (spool.live[0].location.end - spool.live[0].location.offset +
                               spool.live[1].location.end - spool.live[1].location.offset);
    EXPECT_GT(detected, own_bits * 99 / 100);
    EXPECT_GT(harmless, 0U);
}

TEST(SpoolDamageTest, EveryFlippedBitOfTheFramesIsDetectedOrHarmless) {
    flip_every_bit_of_the_frames(SmallSpool());
}

TEST(SpoolDamageTest, EveryFlippedBitOfAGroupIsDetectedOrHarmless) {
    SmallSpool const spool(ItemOwner{1});
    ASSERT_EQ(spool.live[0].location, spool.live[1].location);
    flip_every_bit_of_the_frames(spool);
}

// Goal: a damaged header never yields wrong bytes: the segment is refused and its items fetched
// again.
TEST(SpoolDamageTest, EveryFlippedBitOfTheHeaderCostsTheSegment) {
    SmallSpool spool;
    for (std::size_t bit = 0; bit < 8 * segment_header_bytes; bit += 1) {
        // The zeros behind the fields are all alike: one bit of each byte will do.
        if (bit >= 8 * 192 && bit < 8 * 4088 && bit % 8 != 0) continue;
        SimDisk disk;
        auto bytes = spool.bytes();
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        disk.put_file(spool.name, std::move(bytes));
        SpoolLife life(disk.directory(), {.incarnation = 2}, spool.live);
        ASSERT_NE(life.spool, nullptr) << bit;
        EXPECT_EQ(life.lost.size(), 2U) << bit;
        EXPECT_EQ(life.report.damages.size(), 1U) << bit;
        EXPECT_FALSE(life.report.damages[0].torn_tail);
    }
}

/// The segment as a crash leaves it: not sealed, with blank blocks behind.
Bytes unsealed(SmallSpool const& spool) {
    auto bytes = spool.bytes();
    auto const end = round_to_batch(spool.live.back().location.end);
    bytes.resize(end);
    bytes.resize(end + 3 * batch_alignment);
    return bytes;
}

TEST(SpoolDamageTest, ACleanUnsealedSegmentIsKeptAndCut) {
    SmallSpool spool;
    SimDisk disk;
    disk.put_file(spool.name, unsealed(spool));
    SpoolLife life(disk.directory(), {.incarnation = 2}, spool.live);
    EXPECT_TRUE(life.lost.empty());
    EXPECT_TRUE(life.report.damages.empty());
    EXPECT_EQ(life.report.segments_kept, 1U);
    EXPECT_EQ(disk.files().at(spool.name).size(), round_to_batch(spool.live.back().location.end));
    for (auto const& item : spool.live)
        EXPECT_TRUE(*life.get(item.item, item.location) == spool.texts[item.item - 1]);
}

TEST(SpoolDamageTest, DebrisBehindThePromiseIsATornTail) {
    SmallSpool spool;
    SimDisk disk;
    auto bytes = unsealed(spool);
    bytes[bytes.size() - 2 * batch_alignment + 5] = std::byte{9};
    disk.put_file(spool.name, bytes);
    SpoolLife life(disk.directory(), {.incarnation = 2}, spool.live);
    EXPECT_TRUE(life.lost.empty());
    ASSERT_EQ(life.report.damages.size(), 1U);
    EXPECT_TRUE(life.report.damages[0].torn_tail);
}

TEST(SpoolDamageTest, DamageInFrontOfThePromiseCostsOnlyTheItemsThere) {
    SmallSpool spool;
    SimDisk disk;
    auto bytes = unsealed(spool);
    bytes[spool.live[0].location.offset + 200] ^= std::byte{1};
    disk.put_file(spool.name, bytes);
    SpoolLife life(disk.directory(), {.incarnation = 2}, spool.live);
    EXPECT_EQ(life.lost, std::vector<std::uint64_t>{1});
    ASSERT_EQ(life.report.damages.size(), 1U);
    EXPECT_FALSE(life.report.damages[0].torn_tail);
    EXPECT_TRUE(*life.get(2, spool.live[1].location) == spool.texts[1]);
}

TEST(SpoolDamageTest, AMissingSegmentIsReported) {
    SmallSpool spool;
    SimDisk disk;
    SpoolLife life(disk.directory(), {.incarnation = 2}, spool.live);
    EXPECT_EQ(life.lost.size(), 2U);
    ASSERT_EQ(life.report.damages.size(), 1U);
    EXPECT_EQ(life.report.damages[0].reason, "the segment is missing");
    // Its number is not given to another: the ledger may still name it.
    EXPECT_GT(life.put(3, "new")->segment, spool.live[0].location.segment);
}

TEST(SpoolDamageTest, ASealedSegmentThatWasCutLosesItsLastItem) {
    SmallSpool spool;
    SimDisk disk;
    auto bytes = spool.bytes();
    bytes.resize(spool.live[1].location.end - 8);
    disk.put_file(spool.name, bytes);
    SpoolLife life(disk.directory(), {.incarnation = 2}, spool.live);
    EXPECT_EQ(life.lost, std::vector<std::uint64_t>{2});
    EXPECT_TRUE(*life.get(1, spool.live[0].location) == spool.texts[0]);
}

TEST(SpoolDamageTest, UnneededAndUnfinishedFilesGoAndStrangersStay) {
    SmallSpool spool;
    SimDisk disk;
    disk.put_file(spool.name, spool.bytes());
    disk.put_file(segment_name(0, 2), Bytes(8192));
    disk.put_file("notes.txt", Bytes(5));
    SpoolLife life(disk.directory(), {.incarnation = 2});
    EXPECT_EQ(life.report.segments_deleted, 2U);
    EXPECT_EQ(disk.files().size(), 1U);
    EXPECT_TRUE(disk.files().contains("notes.txt"));
    EXPECT_GT(life.put(3, "new")->segment, 2U);
}

TEST(SpoolDamageTest, AnotherSpoolsSegmentStopsTheStart) {
    SmallSpool spool;
    SpoolLife life(spool.disk.directory(), {.incarnation = 2, .uuid = std::byte{9}}, spool.live);
    ASSERT_EQ(life.spool, nullptr);
    EXPECT_EQ(life.refusal->code, Errc::invalid_config);
    EXPECT_NE(life.refusal->context.find("another spool"), std::string::npos);
    EXPECT_TRUE(life.lost.empty());
}

TEST(SpoolDamageTest, AnotherKeyStopsTheStart) {
    SmallSpool spool;
    SpoolLife life(spool.disk.directory(), {.incarnation = 2, .key = 'j'}, spool.live);
    ASSERT_EQ(life.spool, nullptr);
    EXPECT_EQ(life.refusal->code, Errc::invalid_config);
    EXPECT_NE(life.refusal->context.find("Put back that key"), std::string::npos);
}

// Goal: an item is read from its own frames only, whatever else the ledger claims.
TEST(SpoolDamageTest, WrongLocationsAreCorruptNotWrongBytes) {
    SmallSpool spool;
    SpoolLife life(spool.disk.directory(), {.incarnation = 2}, spool.live);
    auto const first = spool.live[0].location, second = spool.live[1].location;
    std::pair<std::uint64_t, SpoolLocation> const wrong[] = {
        {2, first},
        {1, second},
        {1, {first.segment, first.offset, second.end}},
        {1, {first.segment, first.offset + 8, first.end}},
        {1, {first.segment, first.offset, first.end - 8}},
        {1, {first.segment, 0, first.end}},
        {1, {first.segment, first.end, first.offset}},
        {1, {first.segment, first.offset, ~std::uint64_t{0}}},
        {1, {99, first.offset, first.end}},
    };
    for (auto const& [item, location] : wrong) {
        auto const text = life.get(item, location);
        ASSERT_FALSE(text);
        EXPECT_EQ(text.error().code, Errc::corrupt);
    }
}

// Goal: the digest given at the end is compared with what is read, whatever the tags say.
TEST(SpoolDamageTest, AnotherDigestIsCorrupt) {
    SimDisk disk;
    SpoolLife life(disk.directory());
    std::optional<SpoolLocation> location;
    test::run_in(life.context(), [&]() -> awaitable<void> {
        EXPECT_TRUE(co_await life.spool->reserve(4));
        auto writer = co_await life.spool->begin_item(1, 4);
        EXPECT_TRUE(co_await (*writer)->write(bytes_of("text")));
        location = *co_await (*writer)->finish(test::digest_of("taxt"), "");
    }());
    auto const text = life.get(1, *location);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, Errc::corrupt);
    EXPECT_NE(text.error().context.find("digest"), std::string::npos);
}

}  // namespace
}  // namespace mailferry::store
