#pragma once

/// Compression of frame payloads. Each payload is one whole zstd frame: frames of different items
/// may interleave, and no byte of one mailbox ever shapes the length of another's.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace mailferry::store {

/// Chooses the level by what is short. While packers wait for the disk, compressing harder is free;
/// as soon as the disk waits for us, speed is all.
class CompressionLevel {
public:
    static constexpr int lowest = 1, highest = 6;

    int current() const { return level_; }
    /// A packer had to wait because the write buffers were full.
    void disk_was_short() {
        if (++waits_ < waits_per_step) return;
        waits_ = 0;
        if (level_ < highest) ++level_;
    }
    /// The disk had written everything and waits for more.
    void processor_was_short() {
        level_ = lowest;
        waits_ = 0;
    }

private:
    static constexpr int waits_per_step = 4;
    int level_ = lowest;
    int waits_ = 0;
};

/// Contexts and scratch space for any number of items on one thread.
class BlobCodec {
public:
    BlobCodec();

    /// The packed bytes, valid until the next call; nothing when packing saves less than
    /// `saving_min_percent` (at least one byte).
    std::optional<std::span<std::byte const>> pack(std::span<std::byte const> plain, int level,
                                                   unsigned saving_min_percent = 0);
    /// Fills `plain` exactly, or fails: a packed blob can never grow beyond what was announced.
    [[nodiscard]] bool unpack(std::span<std::byte const> packed, std::span<std::byte> plain);

private:
    struct Free {
        void operator()(ZSTD_CCtx_s* context) const;
        void operator()(ZSTD_DCtx_s* context) const;
    };
    std::unique_ptr<ZSTD_CCtx_s, Free> packing_;
    std::unique_ptr<ZSTD_DCtx_s, Free> unpacking_;
    std::unique_ptr<std::byte[]> scratch_;
    std::size_t scratch_bytes_ = 0;
    int level_set_ = 0;
};

}  // namespace mailferry::store
