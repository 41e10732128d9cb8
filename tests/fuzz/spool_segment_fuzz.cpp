/// Goal: no segment that an attacker or a dying disk could leave yields wrong bytes, crashes the
/// reader or the scan, or makes them allocate more than a frame. Method: the input edits a small
/// valid segment; an odd first byte has all checksums mended afterwards, so that only tags and
/// bounds stand in the way. What is read must be the very item or an error. The rest of the input
/// is also read as a whole segment, and as each kind of body.

#include "config/base/assert.hpp"
#include "config/base/crypto.hpp"
#include "store/crc32c.hpp"
#include "store/little_endian.hpp"
#include "store/spool_reader.hpp"
#include "store/spool_scan.hpp"
#include "tests/support/sim_disk.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace {

using namespace mailferry;
using namespace mailferry::store;

constexpr std::uint64_t item = 7;
std::string const text =
    "From: a@example.org\r\nSubject: a segment\r\n\r\nbytes bytes bytes bytes\r\n";

struct Sample {
    SegmentHeader header;
    FrameCipher cipher{Secret(std::string(32, 'd')), Uuid{std::byte{1}}, Uuid{std::byte{2}}};
    test::Bytes bytes = test::Bytes(segment_header_bytes);
    SpoolLocation location{1, segment_header_bytes, 0};
    SpoolLocation group{1, 0, 0};  ///< Of a frame that the item shares with another one.
    std::uint64_t frames = 0;

    Sample() {
        header.segment_uuid = Uuid{std::byte{1}};
        header.spool_uuid = Uuid{std::byte{2}};
        header.sequence = 1;
        auto const encoded = encode_segment_header(header);
        std::memcpy(bytes.data(), encoded.data(), encoded.size());
        BlobCodec codec;
        auto const first = bytes_of(text).first(40), second = bytes_of(text).subspan(40);
        add(FrameType::item_head, FrameCodec::stored, 0, encode(HeadBody{text.size()}), 8);
        add(FrameType::item_data, FrameCodec::stored, 0, first, first.size());
        std::string const neighbour(200, 'n');
        add(FrameType::item_data, FrameCodec::zstd, 3, *codec.pack(bytes_of(neighbour), 1), 200,
            item + 1);
        add(FrameType::item_data, FrameCodec::stored, 1, second, second.size());
        EndBody end{.plain_bytes = text.size(), .chunks = 2};
        auto const digest = sha256(text);
        std::memcpy(end.digest.data(), digest.data(), digest.size());
        auto const body = encode(end);
        add(FrameType::item_end, FrameCodec::stored, 0, body, body.size());
        location.end = group.offset = bytes.size();
        GroupEntry const entry{
            .item = item, .digest = end.digest, .meta = "m", .bytes = bytes_of(text)};
        GroupEntry other = entry;
        other.item = item + 1;
        auto const both = encode_group(std::vector{other, entry});
        add(FrameType::group, FrameCodec::zstd, 0, *codec.pack(both, 1), both.size(), 0);
        group.end = bytes.size();
        bytes.resize(round_to_batch(bytes.size()));
    }
    void add(FrameType type, FrameCodec codec, std::uint32_t chunk, std::span<std::byte const> body,
             std::size_t plain_bytes, std::uint64_t owner = item) {
        auto const offset = bytes.size();
        bytes.resize(offset + frame_bytes(body.size()));
        FrameHeader frame{.sequence = frames++,
                          .offset = offset,
                          .durable_upto = segment_header_bytes,
                          .type = type,
                          .codec = codec,
                          .plain_bytes = static_cast<std::uint32_t>(plain_bytes),
                          .item = owner,
                          .chunk = chunk};
        cipher.seal(frame, body, std::span(bytes).subspan(offset));
    }
};

/// Three bytes an edit: where (from the first frame on) and what.
void edit(test::Bytes& bytes, std::span<std::uint8_t const> edits) {
    for (; edits.size() >= 3; edits = edits.subspan(3)) {
        auto const at = (edits[0] | edits[1] << 8) % (bytes.size() - segment_header_bytes);
        bytes[segment_header_bytes + at] = std::byte{edits[2]};
    }
}

void mend_checksums(test::Bytes& bytes, std::uint32_t seed) {
    for (auto at = segment_header_bytes; at + frame_header_bytes <= bytes.size();) {
        auto const body_bytes = load_le<std::uint32_t>(bytes.data() + at + 36);
        if (body_bytes > bytes.size() - at || at + frame_bytes(body_bytes) > bytes.size()) return;
        auto const frame = std::span(bytes).subspan(at, frame_bytes(body_bytes));
        store_le(frame.data() + 44,
                 crc32c(frame.subspan(frame_header_bytes, body_bytes + aead_tag_bytes)));
        store_le(frame.data() + 4, crc32c(frame.subspan(8, frame_header_bytes - 8), seed));
        at += frame.size();
    }
}

awaitable<void> read_item(Sample& sample, std::shared_ptr<test::MemoryFile> file,
                          SpoolLocation location, BlobCodec& codec) {
    auto const open = [&]() -> awaitable<Result<OpenedItem>> {
        co_return OpenedItem{file, location};
    };
    GroupCache groups;
    SpooledItemSource source(item, sample.cipher, codec, groups, open);
    std::string found;
    for (;;) {
        auto const piece = co_await source.next();
        if (!piece) {
            MAILFERRY_ASSERT(piece.error().code == Errc::corrupt);
            break;
        }
        if (piece->empty()) {
            MAILFERRY_ASSERT(found == text);
            break;
        }
        found.append(text_of(*piece));
        MAILFERRY_ASSERT(text.starts_with(found));
    }
}

awaitable<void> scan_and_read(Sample& sample, test::Bytes const& bytes, BlobCodec& codec) {
    auto const file = std::make_shared<test::MemoryFile>(bytes);
    auto const scan = co_await scan_segment(*file, sample.header, bytes.size());
    MAILFERRY_ASSERT(scan.has_value());
    auto const sealed = co_await is_sealed(*file, sample.header, bytes.size());
    MAILFERRY_ASSERT(sealed.has_value());
    for (auto const& location : {sample.location, sample.group})
        co_await read_item(sample, file, location, codec);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    static Sample sample;
    static BlobCodec codec;
    std::span const input(data + 1, size - 1);
    auto bytes = sample.bytes;
    edit(bytes, input);
    if (data[0] % 2 == 1) mend_checksums(bytes, crc32c(sample.header.segment_uuid));
    asio::io_context context;
    asio::co_spawn(context, scan_and_read(sample, bytes, codec), asio::detached);

    auto const raw = std::as_bytes(input);
    test::Bytes whole(raw.begin(), raw.end());
    asio::co_spawn(context, scan_and_read(sample, whole, codec), asio::detached);
    context.run();
    static_cast<void>(decode_segment_header(raw));
    static_cast<void>(decode_head(raw));
    static_cast<void>(decode_group(raw));
    static_cast<void>(decode_end(raw));
    static_cast<void>(decode_seal(raw));
    return 0;
}
