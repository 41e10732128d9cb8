#include "store/spool_writer.hpp"

#include "config/base/assert.hpp"
#include "store/little_endian.hpp"

#include <algorithm>
#include <utility>

namespace mailferry::store {

BatchBuffers::Buffer BatchBuffers::take() {
    if (free_.empty()) return std::make_unique_for_overwrite<std::byte[]>(buffer_bytes);
    auto buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
}

void BatchBuffers::give_back(Buffer buffer) {
    if (free_.size() < kept_max) free_.push_back(std::move(buffer));
}

SpoolWriter::SpoolWriter(Shared shared, std::unique_ptr<SegmentFile> file, FrameCipher cipher,
                         std::uint64_t segment_bytes)
    : shared_(std::move(shared)),
      file_(std::move(file)),
      cipher_(std::move(cipher)),
      segment_bytes_(segment_bytes),
      progressed_(shared_.executor) {}

awaitable<Result<void>> SpoolWriter::room_for(std::uint64_t bytes) {
    MAILFERRY_ASSERT(bytes <= batch_bytes_max);
    while (!failed_ && batch_bytes_ + bytes > batch_bytes_max) {
        shared_.level.disk_was_short();
        ++waiting_for_room_;
        kick();
        try {
            co_await progressed_.wait();
        } catch (...) {
            --waiting_for_room_;
            throw;
        }
        --waiting_for_room_;
    }
    if (failed_) co_return *failed_;
    co_return Result<void>();
}

FrameHeader SpoolWriter::append(FrameContent const& content, std::span<std::byte const> body) {
    MAILFERRY_ASSERT(!failed_);
    auto const begin = batch_bytes_ == 0 ? flag_batch_begin : std::uint16_t{0};
    auto const header = put(content, body, begin);
    // The pad that ends this batch, too, must find its place in the file.
    MAILFERRY_ASSERT(end_ + pad_bytes_max <= segment_bytes_);
    kick();
    return header;
}

FrameHeader SpoolWriter::put(FrameContent const& content, std::span<std::byte const> body,
                             std::uint16_t flags) {
    if (batch_ == nullptr) batch_ = shared_.buffers.take();
    if (batch_bytes_ == 0) {
        // A block that was synced is never written again.
        MAILFERRY_ASSERT(end_ % batch_alignment == 0);
        batch_begin_ = end_;
    }
    auto const bytes = static_cast<std::size_t>(frame_bytes(body.size()));
    MAILFERRY_ASSERT(batch_bytes_ + bytes <= BatchBuffers::buffer_bytes);
    FrameHeader header{.sequence = frames_++,
                       .offset = end_,
                       .durable_upto = durable_end_,
                       .type = content.type,
                       .codec = content.codec,
                       .flags = flags,
                       .plain_bytes = content.plain_bytes,
                       .item = content.item,
                       .chunk = content.chunk};
    std::span<std::byte> const out(batch_.get() + batch_bytes_, bytes);
    header = cipher_.seal(header, body, out);
    headers_digest_.update(text_of(out.subspan(4, 4)));
    batch_bytes_ += bytes;
    end_ += bytes;
    return header;
}

void SpoolWriter::close_batch() {
    static constexpr std::array<std::byte, pad_bytes_max> zeros{};
    auto const smallest = frame_bytes(0);
    auto const target = round_to_batch(end_ + smallest);
    auto const body = std::span(zeros).first(static_cast<std::size_t>(target - end_ - smallest));
    put({.type = FrameType::pad, .plain_bytes = static_cast<std::uint32_t>(body.size())}, body,
        flag_batch_end);
    MAILFERRY_ASSERT(end_ == target && end_ <= segment_bytes_);
    ++batches_;
}

awaitable<Result<void>> SpoolWriter::durable(std::uint64_t end) {
    demanded_end_ = std::max(demanded_end_, end);
    kick();
    while (!failed_ && durable_end_ < end) co_await progressed_.wait();
    if (durable_end_ < end) co_return *failed_;
    co_return Result<void>();
}

bool SpoolWriter::wanted() const {
    return batch_bytes_ > 0 && !failed_ &&
           (demanded_end_ > batch_begin_ || batch_bytes_ >= batch_bytes_eager ||
            waiting_for_room_ > 0);
}

void SpoolWriter::kick() {
    if (flushing_ || !wanted()) return;
    flushing_ = true;
    shared_.tasks.spawn(flush());
}

awaitable<void> SpoolWriter::flush() {
    while (wanted()) {
        close_batch();
        auto buffer = std::move(batch_);
        std::span<std::byte const> const bytes(buffer.get(), std::exchange(batch_bytes_, 0));
        auto const begin = batch_begin_;
        MAILFERRY_ASSERT(begin == durable_end_);
        auto const batch_end = end_;
        auto const written = co_await file_->write_and_sync(begin, bytes);
        shared_.buffers.give_back(std::move(buffer));
        if (!written) {
            poison(written.error());
            break;
        }
        ++shared_.counters.syncs;
        shared_.counters.bytes_written += bytes.size();
        durable_end_ = batch_end;
        progressed_.notify_all();
    }
    flushing_ = false;
    if (batch_bytes_ == 0) shared_.level.processor_was_short();
    progressed_.notify_all();
}

void SpoolWriter::poison(Error error) {
    // The kernel may drop dirty pages after a failed fsync and report success the next time, so
    // this file is never written or synced again, whatever the reason (a full disk included).
    failed_ = Error{Errc::io_error, "spool segment is closed after a failure: " + error.context};
    batch_bytes_ = 0;
    batch_.reset();
    progressed_.notify_all();
    shared_.poisoned();
}

awaitable<Result<void>> SpoolWriter::abandon() {
    auto const written = co_await durable(end_);
    while (flushing_) co_await progressed_.wait();
    if (!written) co_return written.error();
    co_return co_await file_->close();
}

awaitable<Result<void>> SpoolWriter::seal(std::vector<SealEntry> items) {
    if (auto const written = co_await durable(end_); !written) co_return written.error();
    // In a batch of its own, so that a reader finds it from the end of the file.
    SealBody seal{.frames = frames_, .batches = batches_, .items = std::move(items)};
    auto digest = headers_digest_.clone().finish();
    std::copy(digest.begin(), digest.end(),
              reinterpret_cast<std::uint8_t*>(seal.headers_digest.data()));
    auto const body = encode(seal);
    auto const room = co_await room_for(frame_bytes(body.size()));
    if (!room) co_return room.error();
    append({.type = FrameType::seal, .plain_bytes = static_cast<std::uint32_t>(body.size())}, body);
    // The pad behind the seal belongs to the sealed length: wait for the whole batch.
    auto const written = co_await durable(end_);
    if (!written) co_return written.error();
    while (flushing_) co_await progressed_.wait();
    auto const cut = co_await file_->truncate(end_);
    if (cut) {
        auto const synced = co_await file_->sync_data();
        if (synced) co_return co_await file_->close();
        poison(synced.error());
        co_return *failed_;
    }
    poison(cut.error());
    co_return *failed_;
}

}  // namespace mailferry::store
