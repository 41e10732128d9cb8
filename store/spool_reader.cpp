#include "store/spool_reader.hpp"

#include "store/little_endian.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace mailferry::store {
namespace {

/// Pads and seals carry no item's number, and 0 could be one.
bool of_an_item(FrameType type) {
    return type == FrameType::item_head || type == FrameType::item_data ||
           type == FrameType::item_end;
}

}  // namespace

std::span<std::byte> ScratchBuffer::at_least(std::size_t bytes) {
    if (bytes > capacity_) {
        data_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
        capacity_ = bytes;
    }
    return {data_.get(), bytes};
}

SpooledItemSource::SpooledItemSource(std::uint64_t item, FrameCipher& cipher, BlobCodec& codec,
                                     GroupCache& groups, Open open)
    : item_(item), cipher_(cipher), codec_(codec), groups_(groups), open_(std::move(open)) {}

void SpooledItemSource::rewind() {
    position_ = location_.offset;
    window_size_ = 0;
    sequence_.reset();
    began_ = ended_ = false;
    chunks_ = 0;
    plain_total_ = 0;
    digest_ = Sha256();
    failed_.reset();
}

Error SpooledItemSource::damage(std::string_view reason) const {
    return {Errc::corrupt, "spool segment=" + std::to_string(location_.segment) +
                               " offset=" + std::to_string(position_) +
                               " bytes=" + std::to_string(location_.end - location_.offset) +
                               " item=" + std::to_string(item_) + ": " + std::string(reason)};
}

std::span<std::byte const> SpooledItemSource::loaded() const {
    auto const skipped = static_cast<std::size_t>(position_ - window_begin_);
    return {window_.data() + skipped, window_size_ - skipped};
}

awaitable<Result<void>> SpooledItemSource::load(std::uint64_t bytes) {
    if (bytes > location_.end - position_) co_return damage("a frame reaches beyond the item");
    if (position_ < window_begin_ || position_ > window_begin_ + window_size_) window_size_ = 0;
    if (window_size_ == 0) window_begin_ = position_;
    auto const present = loaded();
    if (present.size() >= bytes) co_return Result<void>();

    auto const rest = location_.end - position_;
    auto const wanted = static_cast<std::size_t>(
        std::max<std::uint64_t>(bytes, std::min<std::uint64_t>(rest, window_bytes)));
    auto const kept = present.size();
    if (wanted > window_.capacity()) {
        ScratchBuffer larger;
        auto const room = larger.at_least(wanted);
        if (kept > 0) std::memcpy(room.data(), present.data(), kept);
        window_ = std::move(larger);
    } else if (kept > 0) {
        std::memmove(window_.data(), present.data(), kept);
    }
    window_begin_ = position_;
    window_size_ = kept;
    while (window_size_ < wanted) {
        auto const piece = std::min(wanted - window_size_, window_bytes);
        auto const count = co_await file_->read_at(window_begin_ + window_size_,
                                                   {window_.data() + window_size_, piece});
        if (!count)
            co_return count.error().in("spool segment=" + std::to_string(location_.segment));
        window_size_ += *count;
        if (*count < piece) break;
    }
    if (window_size_ < bytes) co_return damage("the file is cut short");
    co_return Result<void>();
}

awaitable<Result<FrameHeader>> SpooledItemSource::next_header() {
    auto const there = co_await load(frame_header_bytes);
    if (!there) co_return there.error();
    auto const decoded = cipher_.decode(loaded().first(frame_header_bytes), position_);
    if (!decoded.good()) co_return damage(decoded.fault);
    if (decoded.header.end() > location_.end) co_return damage("a frame reaches beyond the item");
    co_return decoded.header;
}

awaitable<Result<SpooledItemSource::Frame>> SpooledItemSource::next_frame() {
    for (;;) {
        auto const read = co_await next_header();
        if (!read) co_return read.error();
        auto const& header = *read;
        if (sequence_ && header.sequence != *sequence_ + 1) co_return damage("frames out of order");
        sequence_ = header.sequence;
        auto const bytes = frame_bytes(header.cipher_bytes);
        if (header.item != item_ || !of_an_item(header.type)) {
            position_ += bytes;
            continue;
        }
        auto const whole = co_await load(bytes);
        if (!whole) co_return whole.error();
        co_return Frame{header, loaded().first(static_cast<std::size_t>(bytes))};
    }
}

Result<std::span<std::byte const>> SpooledItemSource::take_data(Frame const& frame) {
    auto const& header = frame.header;
    if (header.chunk != chunks_) return damage("chunks out of order");
    auto const body = body_.at_least(header.cipher_bytes);
    if (!cipher_.open(header, frame.bytes, body)) return damage("a frame fails its tag");
    std::span<std::byte const> plain = body;
    if (header.codec == FrameCodec::zstd) {
        auto const unpacked = plain_.at_least(header.plain_bytes);
        if (!codec_.unpack(body, unpacked)) return damage("a chunk can't be unpacked");
        plain = unpacked;
    } else if (header.codec != FrameCodec::stored) {
        return damage("a chunk needs a dictionary that is not there");
    }
    if (plain.empty()) return damage("an empty chunk");
    ++chunks_;
    plain_total_ += plain.size();
    digest_.update(text_of(plain));
    return plain;
}

Result<void> SpooledItemSource::take_end(Frame const& frame) {
    auto const body = body_.at_least(frame.header.cipher_bytes);
    if (!cipher_.open(frame.header, frame.bytes, body)) return damage("a frame fails its tag");
    auto end = decode_end(body);
    if (!end) return damage("the item's end is malformed");
    if (frame.header.end() != location_.end) return damage("the item ends early");
    if (end->chunks != chunks_ || end->plain_bytes != plain_total_)
        return damage("chunks are missing");
    auto const digest = digest_.finish();
    if (std::memcmp(digest.data(), end->digest.data(), digest.size()) != 0)
        return damage("the item's digest is another");
    meta_ = std::move(end->meta);
    return {};
}

awaitable<Result<GroupCache::UnpackedPtr>> SpooledItemSource::group() {
    if (auto known = groups_.find(location_.segment, location_.offset)) co_return known;
    auto const header = co_await next_header();
    if (!header) co_return header.error();
    if (header->type != FrameType::group) co_return GroupCache::UnpackedPtr();
    auto const bytes = frame_bytes(header->cipher_bytes);
    auto const whole = co_await load(bytes);
    if (!whole) co_return whole.error();
    auto unpacked = unpack_group({*header, loaded().first(static_cast<std::size_t>(bytes))});
    if (unpacked) groups_.keep(*unpacked);
    co_return unpacked;
}

Result<GroupCache::UnpackedPtr> SpooledItemSource::unpack_group(Frame const& frame) {
    auto const& header = frame.header;
    auto const body = body_.at_least(header.cipher_bytes);
    if (!cipher_.open(header, frame.bytes, body)) return damage("a frame fails its tag");
    auto group = std::make_shared<GroupCache::Unpacked>();
    group->segment = location_.segment;
    group->offset = location_.offset;
    group->body.assign(body.begin(), body.end());
    if (header.codec == FrameCodec::zstd) {
        group->body.resize(header.plain_bytes);
        if (!codec_.unpack(body, group->body)) return damage("a group can't be unpacked");
    } else if (header.codec != FrameCodec::stored) {
        return damage("a group needs a dictionary that is not there");
    }
    auto entries = decode_group(group->body);
    if (!entries) return damage("a group is malformed");
    group->entries = std::move(*entries);
    return GroupCache::UnpackedPtr(std::move(group));
}

Result<std::span<std::byte const>> SpooledItemSource::take_from(GroupCache::Unpacked const& group) {
    auto const entry = std::find_if(group.entries.begin(), group.entries.end(),
                                    [this](auto const& one) { return one.item == item_; });
    if (entry == group.entries.end()) return damage("the item isn't in its group");
    auto const digest = sha256(text_of(entry->bytes));
    if (std::memcmp(digest.data(), entry->digest.data(), digest.size()) != 0)
        return damage("the item's digest is another");
    meta_ = entry->meta;
    ended_ = true;
    return entry->bytes;
}

awaitable<Result<std::span<std::byte const>>> SpooledItemSource::next() {
    if (failed_) co_return *failed_;
    if (file_ == nullptr) {
        auto opened = co_await open_();
        if (!opened) co_return opened.error();
        file_ = std::move(opened->file);
        location_ = opened->location;
        rewind();
    }
    if (!began_ && !ended_) {
        auto shared = co_await group();
        if (!shared) co_return failed_.emplace(shared.error());
        group_ = std::move(*shared);
        if (group_) {
            auto const piece = take_from(*group_);
            if (!piece) co_return failed_.emplace(piece.error());
            co_return *piece;
        }
    }
    co_return co_await next_piece();
}

/// Of an item that has frames of its own.
awaitable<Result<std::span<std::byte const>>> SpooledItemSource::next_piece() {
    using Piece = std::span<std::byte const>;
    while (!ended_) {
        auto const frame = co_await next_frame();
        if (!frame) co_return failed_.emplace(frame.error());
        auto const type = frame->header.type;
        if (began_ != (type != FrameType::item_head))
            co_return failed_.emplace(damage("the item has no beginning, or two"));
        if (type == FrameType::item_head) {
            auto const body = body_.at_least(frame->header.cipher_bytes);
            if (!cipher_.open(frame->header, frame->bytes, body) || !decode_head(body))
                co_return failed_.emplace(damage("a frame fails its tag"));
            began_ = true;
        } else if (type == FrameType::item_data) {
            auto const piece = take_data(*frame);
            if (!piece) co_return failed_.emplace(piece.error());
            position_ = frame->header.end();
            co_return *piece;
        } else {
            auto const whole = take_end(*frame);
            if (!whole) co_return failed_.emplace(whole.error());
            ended_ = true;
        }
        position_ = frame->header.end();
    }
    co_return Piece();
}

}  // namespace mailferry::store
