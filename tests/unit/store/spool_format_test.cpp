#include "store/spool_format.hpp"

#include "store/crc32c.hpp"
#include "store/little_endian.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/spool_values.hpp"

#include <fstream>
#include <sstream>

namespace mailferry::store {
namespace {

Uuid uuid_of(unsigned char fill) {
    Uuid uuid;
    uuid.fill(std::byte{fill});
    return uuid;
}

SegmentHeader sample_header() {
    SegmentHeader header;
    header.spool_uuid = uuid_of(0x11);
    header.segment_uuid = uuid_of(0x22);
    header.sequence = 0x0102030405060708;
    header.incarnation = 9;
    header.created_unix_ns = 1'700'000'000'000'000'000;
    header.previous_uuid = uuid_of(0x33);
    header.previous_sealed_bytes = 12'288;
    header.key_id.fill(std::byte{0x44});
    header.wrap_nonce.fill(std::byte{0x55});
    header.wrapped_key.fill(std::byte{0x66});
    return header;
}

TEST(SegmentHeaderTest, RoundTrip) {
    auto const bytes = encode_segment_header(sample_header());
    auto const decoded = decode_segment_header(bytes);
    ASSERT_TRUE(decoded) << decoded.error().describe();
    EXPECT_EQ(encode_segment_header(*decoded), bytes);
    EXPECT_EQ(decoded->sequence, 0x0102030405060708U);
    EXPECT_EQ(decoded->previous_sealed_bytes, 12'288U);
    EXPECT_EQ(decoded->wrapped_key, sample_header().wrapped_key);
}

TEST(SegmentHeaderTest, EveryFlippedBitIsFound) {
    auto bytes = encode_segment_header(sample_header());
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        EXPECT_FALSE(decode_segment_header(bytes)) << bit;
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    EXPECT_FALSE(decode_segment_header(std::span(bytes).first(4095)));
}

struct HeaderChange {
    std::string_view name;
    std::size_t offset;
    std::byte value;
    std::optional<Errc> expected;
};

// Goal: another release's segments are refused or read by rule, not by accident.
TEST(SegmentHeaderTest, VersionsAndParameters) {
    constexpr HeaderChange changes[] = {
        {"later_minor_is_read", 10, std::byte{3}, std::nullopt},
        {"later_major_is_refused", 8, std::byte{2}, Errc::unsupported},
        {"other_cipher_is_refused", 96, std::byte{2}, Errc::unsupported},
        {"no_cipher_is_refused", 96, std::byte{0}, Errc::unsupported},
        {"other_alignment_is_damage", 97, std::byte{9}, Errc::corrupt},
        {"larger_frames_are_damage", 103, std::byte{1}, Errc::corrupt},
    };
    for (auto const& change : changes) {
        SCOPED_TRACE(change.name);
        auto bytes = encode_segment_header(sample_header());
        bytes[change.offset] = change.value;
        store_le(bytes.data() + 4092, crc32c(std::span(bytes).first(4092)));
        auto const decoded = decode_segment_header(bytes);
        ASSERT_EQ(decoded.has_value(), !change.expected.has_value());
        EXPECT_TRUE(decoded || decoded.error().code == *change.expected);
    }
}

class FrameTest : public testing::Test {
protected:
    FrameCipher cipher_{Secret(std::string(32, 'd')), uuid_of(1), uuid_of(2)};
    FrameHeader header_{.sequence = 5,
                        .offset = 8192,
                        .durable_upto = 4096,
                        .type = FrameType::item_data,
                        .flags = flag_batch_begin,
                        .plain_bytes = 11,
                        .item = 77,
                        .chunk = 3};
    std::vector<std::byte> frame_ = std::vector<std::byte>(frame_bytes(11));

    void SetUp() override { header_ = cipher_.seal(header_, bytes_of("hello spool"), frame_); }
};

TEST_F(FrameTest, RoundTrip) {
    EXPECT_EQ(frame_.size() % frame_alignment, 0U);
    EXPECT_EQ(header_.end(), 8192 + frame_.size());
    auto const decoded = cipher_.decode(frame_, 8192);
    ASSERT_TRUE(decoded.good()) << decoded.fault;
    EXPECT_EQ(decoded.header, header_);
    EXPECT_TRUE(frame_body_intact(header_, frame_));
    std::vector<std::byte> body(11);
    ASSERT_TRUE(cipher_.open(header_, frame_, body));
    EXPECT_EQ(text_of(body), "hello spool");
    EXPECT_EQ(text_of(frame_).find("hello"), std::string_view::npos);
}

// Goal: a frame is good at its own place only. Method: the same bytes, asked for elsewhere.
TEST_F(FrameTest, TransplantedFramesAreRefused) {
    EXPECT_EQ(cipher_.decode(frame_, 12'288).fault, "frame of another place");
    FrameCipher other_segment(Secret(std::string(32, 'd')), uuid_of(3), uuid_of(2));
    EXPECT_FALSE(other_segment.decode(frame_, 8192).good());
    std::vector<std::byte> body(11);
    EXPECT_FALSE(other_segment.open(header_, frame_, body));
    FrameCipher other_spool(Secret(std::string(32, 'd')), uuid_of(1), uuid_of(4));
    EXPECT_FALSE(other_spool.open(header_, frame_, body));
    FrameCipher other_key(Secret(std::string(32, 'e')), uuid_of(1), uuid_of(2));
    EXPECT_FALSE(other_key.open(header_, frame_, body));
}

TEST_F(FrameTest, AForgedHeaderWithRightSumsFailsTheTag) {
    // An attacker without the key can mend checksums: only the tag stands in the way.
    auto forged = frame_;
    store_le<std::uint64_t>(forged.data() + 48, 78);
    store_le(forged.data() + 4, crc32c(std::span(forged).subspan(8, 56), crc32c(uuid_of(1))));
    auto const decoded = cipher_.decode(forged, 8192);
    ASSERT_TRUE(decoded.good());
    EXPECT_EQ(decoded.header.item, 78U);
    std::vector<std::byte> body(11);
    EXPECT_FALSE(cipher_.open(decoded.header, forged, body));
}

TEST(BodyTest, RoundTripsAndRefusals) {
    EndBody const end{.plain_bytes = 5, .chunks = 1, .digest = test::digest_of("x"), .meta = "m"};
    auto const end_bytes = encode(end);
    auto const decoded_end = decode_end(end_bytes);
    ASSERT_TRUE(decoded_end);
    EXPECT_EQ(decoded_end->digest, end.digest);
    EXPECT_EQ(decoded_end->meta, "m");
    for (std::size_t size = 0; size < end_bytes.size(); ++size)
        EXPECT_FALSE(decode_end(std::span(end_bytes).first(size)));

    SealBody const seal{.frames = 9, .batches = 2, .items = {{1, 4096, 500}, {2, 8192, 88}}};
    auto const seal_bytes = encode(seal);
    auto const decoded_seal = decode_seal(seal_bytes);
    ASSERT_TRUE(decoded_seal);
    EXPECT_EQ(decoded_seal->items, seal.items);
    for (std::size_t size = 0; size < seal_bytes.size(); ++size)
        EXPECT_FALSE(decode_seal(std::span(seal_bytes).first(size)));
    EXPECT_FALSE(decode_head(std::span(seal_bytes).first(7)));
}

TEST(SegmentNameTest, OnlyItsOwnSpelling) {
    EXPECT_EQ(segment_name(0, 0xABC), "seg-00-0000000000000abc.mfs");
    EXPECT_EQ(sequence_of("seg-00-0000000000000abc.mfs"), 0xABCU);
    for (std::string_view const other :
         {"LOCK", "seg-00-0000000000000ABC.mfs", "seg-00-0000000000000abc.mfs.damaged",
          "seg-00-000000000000zabc.mfs", "seg-0--0000000000000abc.mfs"})
        EXPECT_FALSE(sequence_of(other)) << other;
}

std::string dump(std::span<std::byte const> bytes, std::size_t begin, std::size_t end) {
    std::ostringstream out;
    for (auto at = begin; at < end; at += 16) {
        out << "    ";
        for (int shift = 12; shift >= 0; shift -= 4) out << "0123456789abcdef"[at >> shift & 15];
        for (std::size_t i = at; i < at + 16; ++i) {
            auto const byte = static_cast<unsigned>(bytes[i]);
            out << ' ' << "0123456789abcdef"[byte >> 4] << "0123456789abcdef"[byte & 15];
        }
        out << '\n';
    }
    return out.str();
}

// Goal: the format's bytes can't change unnoticed, and the page shows real ones. Method: a segment
// with one small item, from a fixed key, seed and clock, must be the page's dump.
TEST(WorkedExampleTest, ThePageShowsTheseBytes) {
    test::SimDisk disk;
    {
        test::SpoolLife life(disk.directory());
        auto const location = life.put(7, "Hello, spool.\r\n", "INBOX/42");
        ASSERT_TRUE(location);
        EXPECT_EQ(*location, (SpoolLocation{1, 4096, 4416}));
        ASSERT_TRUE(life.make_durable(*location));
    }
    auto const files = disk.files();
    ASSERT_TRUE(files.contains("seg-00-0000000000000001.mfs"));
    auto const& bytes = files.at("seg-00-0000000000000001.mfs");
    EXPECT_EQ(bytes.size(), 12'288U);
    auto const shown = dump(bytes, 0, 192) + dump(bytes, 4096, 4512);
    std::ifstream page(MAILFERRY_SPOOL_FORMAT_PAGE);
    std::stringstream text;
    text << page.rdbuf();
    std::istringstream lines(shown);
    for (std::string line; std::getline(lines, line);)
        EXPECT_NE(text.str().find(line), std::string::npos)
            << "docs/spool-format.md lacks this line of the worked example:\n"
            << line;
    EXPECT_EQ(hex(sha256(text_of(bytes))),
              "16b043403fef068be6b6c8456416aaaa1595aed66a794726a5d7ca7b771f162c");
}

}  // namespace
}  // namespace mailferry::store
