#include "store/item_writer.hpp"

#include "config/base/assert.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace mailferry::store {
namespace {

/// An item that packs no better than this is stored as it is: images, archives, ciphertext.
constexpr unsigned saving_min_percent = 5;

std::optional<Error> refusal_of(SpoolCore const& core, Segment const& segment) {
    if (segment.writer == nullptr || segment.state == Segment::State::poisoned)
        return Error{Errc::io_error, "spool segment is closed after a failure"};
    if (auto refused = core.refusal(); refused && refused->code == Errc::stopped) return refused;
    return std::nullopt;
}

Error outgrown(std::uint64_t item, std::uint64_t announced) {
    return {Errc::item_too_large, "item=" + std::to_string(item) + " was announced with " +
                                      std::to_string(announced) + " bytes and has more"};
}

/// Collects a small item, which then shares a frame with others of its owner.
class GroupedItemWriter final : public ItemWriter {
public:
    GroupedItemWriter(SpoolCore& core, std::shared_ptr<Segment> segment, std::uint64_t item,
                      std::uint64_t plain_bytes, ItemOwner owner)
        : core_(core),
          segment_(std::move(segment)),
          item_(item),
          announced_(plain_bytes),
          owner_(owner) {
        bytes_.reserve(plain_bytes);
    }

    ~GroupedItemWriter() override {
        if (!over_) core_.end_claim(segment_, item_claim_bytes(announced_));
    }

    awaitable<Result<void>> write(std::span<std::byte const> bytes) override {
        MAILFERRY_ASSERT(!over_);
        if (auto const refused = refusal_of(core_, *segment_)) co_return *refused;
        if (bytes_.size() + bytes.size() > announced_ + announced_slack_bytes)
            co_return outgrown(item_, announced_);
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        co_return Result<void>();
    }

    awaitable<Result<SpoolLocation>> finish(Sha256Digest digest, std::string meta) override {
        MAILFERRY_ASSERT(!over_);
        if (auto const refused = refusal_of(core_, *segment_)) co_return *refused;
        if (bytes_.size() + meta.size() > announced_ + announced_slack_bytes)
            co_return outgrown(item_, announced_);
        over_ = true;
        core_.groups().add(owner_, segment_, item_claim_bytes(announced_),
                           {.id = item_,
                            .bytes = std::move(bytes_),
                            .digest = digest,
                            .meta = std::move(meta)});
        co_return SpoolLocation{segment_->header.sequence, 0, 0};
    }

private:
    SpoolCore& core_;
    std::shared_ptr<Segment> const segment_;
    std::uint64_t const item_;
    std::uint64_t const announced_;
    ItemOwner const owner_;
    std::vector<std::byte> bytes_;
    bool over_ = false;
};

class SpooledItemWriter final : public ItemWriter {
public:
    SpooledItemWriter(SpoolCore& core, std::shared_ptr<Segment> segment, std::uint64_t item,
                      std::uint64_t plain_bytes)
        : core_(core),
          segment_(std::move(segment)),
          item_(item),
          announced_(plain_bytes),
          claim_left_(item_claim_bytes(plain_bytes)),
          buffer_(core.take_chunk_buffer()) {}

    ~SpooledItemWriter() override {
        if (!over_) leave();
        core_.give_back_chunk_buffer(std::move(buffer_));
    }

    awaitable<Result<void>> write(std::span<std::byte const> bytes) override {
        MAILFERRY_ASSERT(!over_);
        if (auto const refused = refusal_of(core_, *segment_)) co_return *refused;
        plain_total_ += bytes.size();
        if (plain_total_ > announced_ + announced_slack_bytes)
            co_return outgrown(item_, announced_);
        while (buffered_ + bytes.size() >= chunk_target()) {
            auto const count = chunk_target() - buffered_;
            auto const front = bytes.first(count);
            bytes = bytes.subspan(count);
            if (buffered_ > 0) std::memcpy(buffer_.get() + buffered_, front.data(), count);
            // A piece that fills a chunk by itself needs no copy.
            auto const chunk = buffered_ > 0
                                   ? std::span<std::byte const>(buffer_.get(), buffered_ + count)
                                   : front;
            buffered_ = 0;
            auto const stored = co_await store_chunk(chunk);
            if (!stored) co_return stored.error();
        }
        if (!bytes.empty()) std::memcpy(buffer_.get() + buffered_, bytes.data(), bytes.size());
        buffered_ += bytes.size();
        co_return Result<void>();
    }

    awaitable<Result<SpoolLocation>> finish(Sha256Digest digest, std::string meta) override {
        MAILFERRY_ASSERT(!over_);
        if (auto const refused = refusal_of(core_, *segment_)) co_return *refused;
        if (plain_total_ + meta.size() > announced_ + announced_slack_bytes)
            co_return outgrown(item_, announced_);
        auto const rest = std::span<std::byte const>(buffer_.get(), buffered_);
        auto const end_body = encode(EndBody{.plain_bytes = plain_total_,
                                             .chunks = chunks_ + (rest.empty() ? 0 : 1),
                                             .digest = digest,
                                             .meta = std::move(meta)});
        // All that is left goes in at once: a small item is three frames of one batch.
        auto const room = co_await segment_->writer->room_for(
            frame_bytes(head_body_bytes) + frame_bytes(rest.size()) + frame_bytes(end_body.size()));
        if (!room) co_return room.error();
        begin_if_new();
        if (!rest.empty()) append_chunk(rest);
        auto const last = append({.type = FrameType::item_end,
                                  .plain_bytes = static_cast<std::uint32_t>(end_body.size())},
                                 end_body);
        SpoolLocation const location{segment_->header.sequence, offset_, last.end()};
        // Its line in the seal stays claimed: the segment counts it as finished from now on.
        MAILFERRY_ASSERT(claim_left_ >= seal_entry_bytes);
        segment_->claimed_bytes -= seal_entry_bytes;
        claim_left_ -= seal_entry_bytes;
        segment_->finished.push_back({item_, location.offset, location.end - location.offset});
        segment_->live.add(location.end, item_);
        leave();
        co_return location;
    }

private:
    std::size_t chunk_target() const { return chunks_ == 0 ? first_chunk_bytes : chunk_bytes; }

    awaitable<Result<void>> store_chunk(std::span<std::byte const> chunk) {
        auto const room = co_await segment_->writer->room_for(frame_bytes(head_body_bytes) +
                                                              frame_bytes(chunk.size()));
        if (!room) co_return room.error();
        begin_if_new();
        append_chunk(chunk);
        co_return Result<void>();
    }

    void begin_if_new() {
        if (offset_ != 0) return;
        auto const body = encode(HeadBody{announced_});
        offset_ = append({.type = FrameType::item_head,
                          .plain_bytes = static_cast<std::uint32_t>(body.size())},
                         body)
                      .offset;
    }

    void append_chunk(std::span<std::byte const> chunk) {
        FrameContent content{.type = FrameType::item_data,
                             .plain_bytes = static_cast<std::uint32_t>(chunk.size()),
                             .chunk = chunks_};
        auto const sample = chunks_ == 0;
        auto body = chunk;
        if (packable_) {
            auto const packed =
                core_.codec().pack(chunk, core_.level(), sample ? saving_min_percent : 0);
            if (packed) {
                content.codec = FrameCodec::zstd;
                body = *packed;
            } else if (sample) {
                packable_ = false;
            }
        }
        append(content, body);
        core_.count(chunk.size(), body.size());
        ++chunks_;
    }

    FrameHeader append(FrameContent content, std::span<std::byte const> body) {
        content.item = item_;
        auto const cost = frame_claim_bytes(body.size());
        MAILFERRY_ASSERT(claim_left_ >= cost);
        claim_left_ -= cost;
        segment_->claimed_bytes -= cost;
        return segment_->writer->append(content, body);
    }

    void leave() {
        over_ = true;
        core_.end_claim(segment_, std::exchange(claim_left_, 0));
    }

    SpoolCore& core_;
    std::shared_ptr<Segment> const segment_;
    std::uint64_t const item_;
    std::uint64_t const announced_;
    std::uint64_t claim_left_;
    std::unique_ptr<std::byte[]> buffer_;
    std::size_t buffered_ = 0;
    std::uint64_t plain_total_ = 0;
    std::uint64_t offset_ = 0;  ///< Of the head; 0: not written yet.
    std::uint32_t chunks_ = 0;
    bool packable_ = true;
    bool over_ = false;
};

}  // namespace

std::unique_ptr<ItemWriter> make_item_writer(SpoolCore& core, std::shared_ptr<Segment> segment,
                                             std::uint64_t item, std::uint64_t plain_bytes,
                                             ItemOwner owner) {
    if (owner != ItemOwner{} && plain_bytes <= grouped_item_bytes_max)
        return std::make_unique<GroupedItemWriter>(core, std::move(segment), item, plain_bytes,
                                                   owner);
    return std::make_unique<SpooledItemWriter>(core, std::move(segment), item, plain_bytes);
}

}  // namespace mailferry::store
