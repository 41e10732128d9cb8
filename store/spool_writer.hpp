#pragma once

/// Appends frames to one open segment, in batches with one sync each.

#include "async/event.hpp"
#include "async/task_group.hpp"
#include "config/base/crypto.hpp"
#include "store/blob_codec.hpp"
#include "store/segment_file.hpp"
#include "store/spool_format.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace mailferry::store {

/// Buffers of one size that go from batch to batch: two per busy segment, kept for the next one.
class BatchBuffers {
public:
    static constexpr std::size_t buffer_bytes = (4U << 20) + 2 * pad_bytes_max;
    using Buffer = std::unique_ptr<std::byte[]>;

    Buffer take();
    void give_back(Buffer buffer);

private:
    static constexpr std::size_t kept_max = 4;
    std::vector<Buffer> free_;
};

/// What a frame is to hold; the writer adds its place, number and sums.
struct FrameContent {
    FrameType type;
    FrameCodec codec = FrameCodec::stored;
    std::uint32_t plain_bytes = 0;
    std::uint64_t item = 0;
    std::uint32_t chunk = 0;
};

struct WriterCounters {
    std::uint64_t bytes_written = 0, syncs = 0;
};

/// Durability: append() puts a frame into the current batch. A batch is written when somebody waits
/// for it or when it is big, and it is synced with the write; while one is on its way the next is
/// collected, so a lone item is synced at once and many share a sync, without a timer. durable(end)
/// resolves when everything in front of `end` has survived fdatasync. The segment's own name has
/// been synced before the writer gets the file.
///
/// A failed write or sync poisons the writer for good: the file is not written or synced again, and
/// what lies behind durable_end() counts as never written. Nonces: one writer per segment and key,
/// each frame its own number; a repeated write repeats the same ciphertext.
///
/// One executor. `tasks` must be joined before the writer goes.
class SpoolWriter {
public:
    struct Shared {
        asio::any_io_executor executor;
        TaskGroup& tasks;
        BatchBuffers& buffers;
        CompressionLevel& level;
        WriterCounters& counters;
        std::function<void()> poisoned;  ///< Called once, on failure.
    };

    SpoolWriter(Shared shared, std::unique_ptr<SegmentFile> file, FrameCipher cipher,
                std::uint64_t segment_bytes);

    /// Waits until frames of `bytes` in all fit into the batch; the caller appends them before it
    /// awaits anything else. io_error once the writer is poisoned.
    awaitable<Result<void>> room_for(std::uint64_t bytes);
    /// The frame's place. Needs room_for() and room in the segment.
    FrameHeader append(FrameContent const& content, std::span<std::byte const> body);
    awaitable<Result<void>> durable(std::uint64_t end);

    /// Writes what is left and the seal, cuts the file to its length and closes it. Nothing may be
    /// appended afterwards.
    awaitable<Result<void>> seal(std::vector<SealEntry> items);
    /// Writes what is left and closes the file without a seal.
    awaitable<Result<void>> abandon();

    std::uint64_t end() const { return end_; }
    std::uint64_t durable_end() const { return durable_end_; }
    bool batch_open() const { return batch_bytes_ > 0; }
    bool failed() const { return failed_.has_value(); }
    Error failure() const { return *failed_; }

private:
    static constexpr std::size_t batch_bytes_max = 4U << 20;
    /// So much is written even if nobody waits for it.
    static constexpr std::size_t batch_bytes_eager = 1U << 20;

    FrameHeader put(FrameContent const& content, std::span<std::byte const> body,
                    std::uint16_t flags);
    void close_batch();
    bool wanted() const;
    void kick();
    awaitable<void> flush();
    void poison(Error error);

    Shared shared_;
    std::unique_ptr<SegmentFile> file_;
    FrameCipher cipher_;
    std::uint64_t const segment_bytes_;
    std::uint64_t frames_ = 0, batches_ = 0;
    Sha256 headers_digest_;

    BatchBuffers::Buffer batch_;
    std::size_t batch_bytes_ = 0;
    std::uint64_t batch_begin_ = segment_header_bytes;
    std::uint64_t end_ = segment_header_bytes;  ///< First byte behind the last frame.
    std::uint64_t durable_end_ = segment_header_bytes;
    std::uint64_t demanded_end_ = 0;  ///< Somebody waits for everything in front of it.
    std::size_t waiting_for_room_ = 0;
    bool flushing_ = false;
    std::optional<Error> failed_;
    Event progressed_;
};

}  // namespace mailferry::store
