#include "store/spool_format.hpp"

#include "config/base/assert.hpp"
#include "store/crc32c.hpp"
#include "store/little_endian.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace mailferry::store {
namespace {

constexpr std::string_view segment_magic{"MFSPOOL\x01", 8};
constexpr std::string_view frame_magic = "MFR1";
constexpr std::size_t header_crc_at = 4, body_crc_at = 44;

/// Puts one field behind the other, so that the order in code is the order in the table.
class FieldWriter {
public:
    explicit FieldWriter(std::byte* at) : at_(at) {}
    template <std::unsigned_integral T>
    FieldWriter& number(T value) {
        store_le(at_, value);
        at_ += sizeof(T);
        return *this;
    }
    FieldWriter& bytes(std::span<std::byte const> value) {
        if (!value.empty()) std::memcpy(at_, value.data(), value.size());
        at_ += value.size();
        return *this;
    }

private:
    std::byte* at_;
};

/// The reverse. The caller has checked that the fixed part is there.
class FieldReader {
public:
    explicit FieldReader(std::byte const* at) : at_(at) {}
    template <std::unsigned_integral T>
    FieldReader& number(T& value) {
        value = load_le<T>(at_);
        at_ += sizeof(T);
        return *this;
    }
    FieldReader& bytes(std::span<std::byte> value) {
        std::memcpy(value.data(), at_, value.size());
        at_ += value.size();
        return *this;
    }

private:
    std::byte const* at_;
};

Aead::Nonce nonce_of(std::uint64_t sequence) {
    Aead::Nonce nonce;
    std::memcpy(nonce.data(), frame_magic.data(), frame_magic.size());
    for (std::size_t i = 0; i < 8; ++i)
        nonce[4 + i] = static_cast<std::byte>(sequence >> (56 - 8 * i) & 0xFF);
    return nonce;
}

void encode_frame_header(FrameHeader const& header, std::byte* out) {
    FieldWriter(out)
        .bytes(bytes_of(frame_magic))
        .number<std::uint32_t>(0)
        .number(header.sequence)
        .number(header.offset)
        .number(header.durable_upto)
        .number(static_cast<std::uint8_t>(header.type))
        .number(static_cast<std::uint8_t>(header.codec))
        .number(header.flags)
        .number(header.cipher_bytes)
        .number(header.plain_bytes)
        .number(header.body_crc)
        .number(header.item)
        .number(header.chunk)
        .number(header.dictionary);
}

std::string_view fault_of(FrameHeader const& header) {
    auto const type = static_cast<std::uint8_t>(header.type);
    auto const known = type >= 1 && type <= 7;
    if (!known && (type & type_skippable) == 0) return "frame of an unknown type";
    if (static_cast<std::uint8_t>(header.codec) > 2) return "frame of an unknown codec";
    if (header.plain_bytes > plain_bytes_max || header.cipher_bytes > cipher_bytes_max)
        return "frame too large";
    if (header.codec == FrameCodec::stored && header.plain_bytes != header.cipher_bytes)
        return "frame with two lengths";
    return {};
}

}  // namespace

SegmentHeaderBytes encode_segment_header(SegmentHeader const& header) {
    SegmentHeaderBytes out{};
    FieldWriter(out.data())
        .bytes(bytes_of(segment_magic))
        .number(format_major)
        .number(format_minor)
        .number<std::uint32_t>(segment_header_bytes)
        .bytes(header.spool_uuid)
        .bytes(header.segment_uuid)
        .number(header.sequence)
        .number(header.incarnation)
        .number(header.created_unix_ns)
        .bytes(header.previous_uuid)
        .number(header.previous_sealed_bytes)
        .number(aead_aes_256_gcm)
        .number<std::uint8_t>(12)
        .number(header.shard)
        .number(plain_bytes_max)
        .bytes(header.key_id)
        .bytes(header.wrap_nonce)
        .bytes(header.wrapped_key);
    auto const covered = std::span(out).first(segment_header_bytes - 4);
    store_le(out.data() + covered.size(), crc32c(covered));
    return out;
}

Result<SegmentHeader> decode_segment_header(std::span<std::byte const> bytes) {
    if (bytes.size() < segment_header_bytes)
        return Error{Errc::corrupt, "segment header is cut short"};
    auto const covered = bytes.first(segment_header_bytes - 4);
    if (text_of(bytes.first(segment_magic.size())) != segment_magic)
        return Error{Errc::corrupt, "no segment header"};
    if (crc32c(covered) != load_le<std::uint32_t>(covered.data() + covered.size()))
        return Error{Errc::corrupt, "segment header has a wrong checksum"};
    SegmentHeader header;
    std::uint16_t major = 0, minor = 0;
    std::uint32_t header_bytes = 0, frame_plain_max = 0;
    std::uint8_t aead = 0, alignment_log2 = 0;
    FieldReader(bytes.data() + segment_magic.size())
        .number(major)
        .number(minor)
        .number(header_bytes)
        .bytes(header.spool_uuid)
        .bytes(header.segment_uuid)
        .number(header.sequence)
        .number(header.incarnation)
        .number(header.created_unix_ns)
        .bytes(header.previous_uuid)
        .number(header.previous_sealed_bytes)
        .number(aead)
        .number(alignment_log2)
        .number(header.shard)
        .number(frame_plain_max)
        .bytes(header.key_id)
        .bytes(header.wrap_nonce)
        .bytes(header.wrapped_key);
    if (major != format_major)
        return Error{Errc::unsupported, "segment format " + std::to_string(major) +
                                            " is from another release of mailferry"};
    if (aead != aead_aes_256_gcm)
        return Error{Errc::unsupported, "segment cipher " + std::to_string(aead)};
    if (header_bytes != segment_header_bytes || alignment_log2 != 12 ||
        frame_plain_max > plain_bytes_max)
        return Error{Errc::corrupt, "segment header with impossible sizes"};
    return header;
}

FrameCipher::FrameCipher(Secret const& data_key, Uuid const& segment_uuid, Uuid const& spool_uuid)
    : key_(data_key.reveal()),
      segment_uuid_(segment_uuid),
      spool_uuid_(spool_uuid),
      checksum_seed_(crc32c(segment_uuid)) {}

FrameCipher::Associated FrameCipher::associated(std::span<std::byte const> header_bytes) const {
    Associated data;
    std::memcpy(data.data(), header_bytes.data(), frame_header_bytes);
    std::memset(data.data() + header_crc_at, 0, 4);
    std::memset(data.data() + body_crc_at, 0, 4);
    std::memcpy(data.data() + frame_header_bytes, segment_uuid_.data(), sizeof(Uuid));
    std::memcpy(data.data() + frame_header_bytes + sizeof(Uuid), spool_uuid_.data(), sizeof(Uuid));
    return data;
}

FrameHeader FrameCipher::seal(FrameHeader header, std::span<std::byte const> body,
                              std::span<std::byte> out) {
    MAILFERRY_ASSERT(body.size() <= cipher_bytes_max);
    MAILFERRY_ASSERT(header.sequence < frames_per_segment_max);
    MAILFERRY_ASSERT(out.size() == frame_bytes(body.size()));
    header.cipher_bytes = static_cast<std::uint32_t>(body.size());
    header.body_crc = 0;
    encode_frame_header(header, out.data());
    auto const sealed = out.subspan(frame_header_bytes, body.size() + aead_tag_bytes);
    key_.seal(nonce_of(header.sequence), associated(out), body, sealed);
    header.body_crc = crc32c(sealed);
    store_le(out.data() + body_crc_at, header.body_crc);
    store_le(out.data() + header_crc_at,
             crc32c(out.subspan(8, frame_header_bytes - 8), checksum_seed_));
    auto const fill = out.subspan(frame_header_bytes + sealed.size());
    std::fill(fill.begin(), fill.end(), std::byte{0});
    return header;
}

bool FrameCipher::open(FrameHeader const& header, std::span<std::byte const> frame,
                       std::span<std::byte> out) {
    MAILFERRY_ASSERT(frame.size() >= frame_bytes(header.cipher_bytes));
    auto const sealed = frame.subspan(frame_header_bytes, header.cipher_bytes + aead_tag_bytes);
    return key_.open(nonce_of(header.sequence), associated(frame), sealed, out);
}

DecodedFrame FrameCipher::decode(std::span<std::byte const> bytes, std::uint64_t offset) const {
    return decode_frame_header(bytes, offset, checksum_seed_);
}

DecodedFrame decode_frame_header(std::span<std::byte const> bytes, std::uint64_t offset,
                                 std::uint32_t checksum_seed) {
    if (bytes.size() < frame_header_bytes) return {{}, "frame is cut short"};
    if (text_of(bytes.first(frame_magic.size())) != frame_magic) return {{}, "no frame"};
    auto const covered = bytes.subspan(8, frame_header_bytes - 8);
    if (load_le<std::uint32_t>(bytes.data() + header_crc_at) != crc32c(covered, checksum_seed))
        return {{}, "frame header has a wrong checksum"};
    FrameHeader header;
    std::uint8_t type = 0, codec = 0;
    FieldReader(covered.data())
        .number(header.sequence)
        .number(header.offset)
        .number(header.durable_upto)
        .number(type)
        .number(codec)
        .number(header.flags)
        .number(header.cipher_bytes)
        .number(header.plain_bytes)
        .number(header.body_crc)
        .number(header.item)
        .number(header.chunk)
        .number(header.dictionary);
    header.type = static_cast<FrameType>(type);
    header.codec = static_cast<FrameCodec>(codec);
    if (header.offset != offset) return {{}, "frame of another place"};
    return {header, fault_of(header)};
}

bool frame_body_intact(FrameHeader const& header, std::span<std::byte const> frame) {
    auto const body_bytes = header.cipher_bytes + aead_tag_bytes;
    if (frame.size() < frame_header_bytes + body_bytes) return false;
    return crc32c(frame.subspan(frame_header_bytes, body_bytes)) == header.body_crc;
}

std::vector<std::byte> encode(HeadBody const& body) {
    std::vector<std::byte> out(head_body_bytes);
    store_le(out.data(), body.plain_bytes_announced);
    return out;
}

std::vector<std::byte> encode(EndBody const& body) {
    std::vector<std::byte> out(end_body_fixed_bytes + body.meta.size());
    FieldWriter(out.data())
        .number(body.plain_bytes)
        .number(body.chunks)
        .number(static_cast<std::uint32_t>(body.meta.size()))
        .bytes(body.digest)
        .bytes(bytes_of(body.meta));
    return out;
}

std::vector<std::byte> encode(SealBody const& body) {
    std::vector<std::byte> out(seal_body_fixed_bytes + body.items.size() * seal_entry_bytes);
    FieldWriter writer(out.data());
    writer.number(body.frames)
        .number(body.batches)
        .bytes(body.headers_digest)
        .number(static_cast<std::uint64_t>(body.items.size()));
    for (auto const& entry : body.items)
        writer.number(entry.item).number(entry.offset).number(entry.bytes);
    return out;
}

std::vector<std::byte> encode_group(std::span<GroupEntry const> entries) {
    auto total = group_body_fixed_bytes;
    for (auto const& entry : entries)
        total += group_entry_fixed_bytes + entry.meta.size() + entry.bytes.size();
    std::vector<std::byte> out(total);
    FieldWriter writer(out.data());
    writer.number(static_cast<std::uint32_t>(entries.size()));
    for (auto const& entry : entries)
        writer.number(entry.item)
            .number(static_cast<std::uint32_t>(entry.bytes.size()))
            .number(static_cast<std::uint32_t>(entry.meta.size()))
            .bytes(entry.digest)
            .bytes(bytes_of(entry.meta));
    for (auto const& entry : entries) writer.bytes(entry.bytes);
    return out;
}

std::optional<std::vector<GroupEntry>> decode_group(std::span<std::byte const> body) {
    if (body.size() < group_body_fixed_bytes) return std::nullopt;
    auto const count = load_le<std::uint32_t>(body.data());
    auto left = body.subspan(group_body_fixed_bytes);
    std::vector<GroupEntry> entries;
    std::vector<std::uint32_t> sizes;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (left.size() < group_entry_fixed_bytes) return std::nullopt;
        auto& entry = entries.emplace_back();
        std::uint32_t meta_bytes = 0;
        FieldReader(left.data())
            .number(entry.item)
            .number(sizes.emplace_back())
            .number(meta_bytes)
            .bytes(entry.digest);
        left = left.subspan(group_entry_fixed_bytes);
        if (left.size() < meta_bytes) return std::nullopt;
        entry.meta = text_of(left.first(meta_bytes));
        left = left.subspan(meta_bytes);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        if (left.size() < sizes[i]) return std::nullopt;
        entries[i].bytes = left.first(sizes[i]);
        left = left.subspan(sizes[i]);
    }
    if (!left.empty()) return std::nullopt;
    return entries;
}

std::optional<HeadBody> decode_head(std::span<std::byte const> bytes) {
    if (bytes.size() != head_body_bytes) return std::nullopt;
    return HeadBody{load_le<std::uint64_t>(bytes.data())};
}

std::optional<EndBody> decode_end(std::span<std::byte const> bytes) {
    if (bytes.size() < end_body_fixed_bytes) return std::nullopt;
    EndBody body;
    std::uint32_t meta_bytes = 0;
    FieldReader(bytes.data())
        .number(body.plain_bytes)
        .number(body.chunks)
        .number(meta_bytes)
        .bytes(body.digest);
    auto const rest = bytes.subspan(end_body_fixed_bytes);
    if (rest.size() != meta_bytes) return std::nullopt;
    body.meta = text_of(rest);
    return body;
}

std::optional<SealBody> decode_seal(std::span<std::byte const> bytes) {
    if (bytes.size() < seal_body_fixed_bytes) return std::nullopt;
    SealBody body;
    std::uint64_t count = 0;
    FieldReader reader(bytes.data());
    reader.number(body.frames).number(body.batches).bytes(body.headers_digest).number(count);
    if (count > items_per_segment_max ||
        bytes.size() != seal_body_fixed_bytes + count * seal_entry_bytes)
        return std::nullopt;
    body.items.resize(count);
    for (auto& entry : body.items)
        reader.number(entry.item).number(entry.offset).number(entry.bytes);
    return body;
}

std::string segment_name(std::uint16_t shard, std::uint64_t sequence) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string name = "seg-xx-xxxxxxxxxxxxxxxx.mfs";
    for (std::size_t i = 0; i < 2; ++i) name[4 + i] = digits[shard >> (4 - 4 * i) & 15];
    for (std::size_t i = 0; i < 16; ++i) name[7 + i] = digits[sequence >> (60 - 4 * i) & 15];
    return name;
}

std::optional<std::uint64_t> sequence_of(std::string_view name) {
    constexpr std::size_t name_size = 27;
    if (name.size() != name_size) return std::nullopt;
    std::uint64_t sequence = 0, shard = 0;
    std::from_chars(name.data() + 4, name.data() + 6, shard, 16);
    std::from_chars(name.data() + 7, name.data() + 23, sequence, 16);
    if (segment_name(static_cast<std::uint16_t>(shard), sequence) != name) return std::nullopt;
    return sequence;
}

}  // namespace mailferry::store
