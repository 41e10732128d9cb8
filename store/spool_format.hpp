#pragma once

/// The bytes of a segment, MFSP v1.0: docs/spool-format.md is the grammar, this its only spelling
/// in code. Values and buffers, no I/O.

#include "config/base/error.hpp"
#include "store/aead.hpp"
#include "store/spool.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::store {

using Uuid = std::array<std::byte, 16>;

inline constexpr std::uint16_t format_major = 1, format_minor = 0;
inline constexpr std::size_t segment_header_bytes = 4096;
inline constexpr std::size_t batch_alignment = 4096;
inline constexpr std::size_t frame_header_bytes = 64;
inline constexpr std::size_t frame_alignment = 8;
inline constexpr std::uint32_t plain_bytes_max = 1U << 20;  ///< Of one frame, once unpacked.
inline constexpr std::uint32_t cipher_bytes_max = plain_bytes_max + (plain_bytes_max >> 8) + 64;
inline constexpr std::uint64_t frames_per_segment_max = 1ULL << 20;
inline constexpr std::uint8_t aead_aes_256_gcm = 1;

struct SegmentHeader {
    Uuid spool_uuid{}, segment_uuid{};
    std::uint64_t sequence = 0, incarnation = 0, created_unix_ns = 0;
    Uuid previous_uuid{};                     ///< Zero for the first of an incarnation.
    std::uint64_t previous_sealed_bytes = 0;  ///< 0: the previous one was not sealed yet.
    std::uint16_t shard = 0;
    KeyId key_id{};
    Aead::Nonce wrap_nonce{};
    WrappedKey wrapped_key{};
};

using SegmentHeaderBytes = std::array<std::byte, segment_header_bytes>;
/// What the wrapped data key is bound to: everything in front of it.
inline constexpr std::size_t wrap_associated_bytes = 132;

SegmentHeaderBytes encode_segment_header(SegmentHeader const& header);
/// corrupt: magic, checksum or a field is wrong; unsupported: a later major version or another
/// AEAD.
Result<SegmentHeader> decode_segment_header(std::span<std::byte const> bytes);

enum class FrameType : std::uint8_t {
    item_head = 1,
    item_data = 2,
    item_end = 3,
    group = 4,
    dictionary = 5,
    pad = 6,
    seal = 7,
};
/// A type with this bit may be passed over by a reader that doesn't know it.
inline constexpr std::uint8_t type_skippable = 0x80;
enum class FrameCodec : std::uint8_t { stored = 0, zstd = 1, zstd_dictionary = 2 };
inline constexpr std::uint16_t flag_batch_begin = 1, flag_batch_end = 2;

struct FrameHeader {
    std::uint64_t sequence = 0;      ///< In its segment, from 0; also the nonce.
    std::uint64_t offset = 0;        ///< Its own place in the file.
    std::uint64_t durable_upto = 0;  ///< Known to be synced when this frame was written.
    FrameType type = FrameType::pad;
    FrameCodec codec = FrameCodec::stored;
    std::uint16_t flags = 0;
    std::uint32_t cipher_bytes = 0;  ///< Without the tag.
    std::uint32_t plain_bytes = 0;   ///< After unpacking.
    std::uint32_t body_crc = 0;      ///< Of ciphertext and tag.
    std::uint64_t item = 0;
    std::uint32_t chunk = 0;
    std::uint32_t dictionary = 0;

    std::uint64_t end() const;  ///< First byte behind the frame and its fill.
    bool operator==(FrameHeader const&) const = default;
};

/// Header, ciphertext, tag and fill of a frame whose ciphertext has `cipher_bytes`.
constexpr std::uint64_t frame_bytes(std::uint64_t cipher_bytes) {
    auto const exact = frame_header_bytes + cipher_bytes + aead_tag_bytes;
    return (exact + frame_alignment - 1) / frame_alignment * frame_alignment;
}
inline std::uint64_t FrameHeader::end() const { return offset + frame_bytes(cipher_bytes); }

constexpr std::uint64_t round_to_batch(std::uint64_t bytes) {
    return (bytes + batch_alignment - 1) / batch_alignment * batch_alignment;
}
/// A PAD frame fills the rest up to the next boundary but one if it would not fit in front of it.
inline constexpr std::uint64_t pad_bytes_max = batch_alignment + frame_bytes(0);

/// What a header's bytes are, or why they are none.
struct DecodedFrame {
    FrameHeader header;
    std::string_view fault;  ///< Empty: the header is good.
    bool good() const { return fault.empty(); }
};

/// Writes and checks the frames of one segment. The data key, the segment's and the spool's uuid
/// bind each frame to its place: edited, moved, swapped or transplanted bytes are refused.
class FrameCipher {
public:
    FrameCipher(Secret const& data_key, Uuid const& segment_uuid, Uuid const& spool_uuid);

    /// Encrypts `body` and writes the whole frame to `out` (frame_bytes(body.size()) bytes). Fills
    /// in cipher_bytes and body_crc. The caller never uses a sequence number twice.
    FrameHeader seal(FrameHeader header, std::span<std::byte const> body, std::span<std::byte> out);

    /// `frame` begins with the header that gave `header`. Writes the body to `out` (cipher_bytes).
    [[nodiscard]] bool open(FrameHeader const& header, std::span<std::byte const> frame,
                            std::span<std::byte> out);

    DecodedFrame decode(std::span<std::byte const> bytes, std::uint64_t offset) const;

private:
    using Associated = std::array<std::byte, frame_header_bytes + 2 * sizeof(Uuid)>;
    Associated associated(std::span<std::byte const> header_bytes) const;

    Aead key_;
    Uuid segment_uuid_, spool_uuid_;
    std::uint32_t checksum_seed_;
};

/// The same without a key, for scans. `checksum_seed` is crc32c(segment uuid).
DecodedFrame decode_frame_header(std::span<std::byte const> bytes, std::uint64_t offset,
                                 std::uint32_t checksum_seed);
/// `frame` is whole: do ciphertext and tag have the sum that the header names?
bool frame_body_intact(FrameHeader const& header, std::span<std::byte const> frame);

/// Bodies, as they stand encrypted in their frames.
struct HeadBody {
    std::uint64_t plain_bytes_announced = 0;
};
struct EndBody {
    std::uint64_t plain_bytes = 0;
    std::uint32_t chunks = 0;
    Sha256Digest digest{};
    std::string meta;  ///< What the owner of the item wants to find beside it.
};
struct SealEntry {
    std::uint64_t item = 0, offset = 0, bytes = 0;
    bool operator==(SealEntry const&) const = default;
};
struct SealBody {
    std::uint64_t frames = 0, batches = 0;  ///< In front of the seal.
    Sha256Digest headers_digest{};          ///< Over the header sums of all these frames.
    std::vector<SealEntry> items;
};
/// An item in a GROUP's body.
struct GroupEntry {
    std::uint64_t item = 0;
    Sha256Digest digest{};
    std::string meta;
    std::span<std::byte const> bytes;  ///< Once decoded: in the body.
};
inline constexpr std::size_t group_body_fixed_bytes = 4, group_entry_fixed_bytes = 48;
inline constexpr std::size_t head_body_bytes = 8, end_body_fixed_bytes = 48;
inline constexpr std::size_t seal_body_fixed_bytes = 56, seal_entry_bytes = 24;
/// So that the table of a seal fits into one frame.
inline constexpr std::uint64_t items_per_segment_max = 32'768;

std::vector<std::byte> encode(HeadBody const& body);
std::vector<std::byte> encode(EndBody const& body);
std::vector<std::byte> encode(SealBody const& body);
std::vector<std::byte> encode_group(std::span<GroupEntry const> entries);
/// The entries, if they and their bytes fill `body` exactly.
std::optional<std::vector<GroupEntry>> decode_group(std::span<std::byte const> body);
std::optional<HeadBody> decode_head(std::span<std::byte const> bytes);
std::optional<EndBody> decode_end(std::span<std::byte const> bytes);
std::optional<SealBody> decode_seal(std::span<std::byte const> bytes);

/// `seg-<shard>-<sequence>.mfs`, both in lower-case hexadecimal digits.
std::string segment_name(std::uint16_t shard, std::uint64_t sequence);
/// Nothing for any other file.
std::optional<std::uint64_t> sequence_of(std::string_view name);

}  // namespace mailferry::store
