#pragma once

#include "config/base/crypto.hpp"
#include "store/blob_codec.hpp"
#include "store/segment_file.hpp"
#include "store/spool_format.hpp"
#include "store/spool_groups.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace mailferry::store {

/// A byte buffer that only grows and is never filled with zeros first.
class ScratchBuffer {
public:
    std::span<std::byte> at_least(std::size_t bytes);
    std::size_t capacity() const { return capacity_; }
    std::byte* data() const { return data_.get(); }

private:
    std::unique_ptr<std::byte[]> data_;
    std::size_t capacity_ = 0;
};

/// Where an item lies, and the file to read it from.
struct OpenedItem {
    std::shared_ptr<SegmentFile> file;
    SpoolLocation location;
};

/// Reads one item's frames between those of others. A piece is handed out only after its tag was
/// verified; the end only after length, number of chunks and digest were found right. Memory: one
/// window of at most 1 MiB (a larger frame: its size) and one frame, packed and unpacked.
class SpooledItemSource final : public ItemSource {
public:
    using Open = std::function<awaitable<Result<OpenedItem>>()>;

    /// `open` is asked once, at the first next(). All that is referred to must outlive the source.
    SpooledItemSource(std::uint64_t item, FrameCipher& cipher, BlobCodec& codec,
                      GroupCache& groups, Open open);

    awaitable<Result<std::span<std::byte const>>> next() override;
    void rewind() override;

    /// What was stored beside the item; known at the end.
    std::string const& meta() const { return meta_; }

private:
    static constexpr std::size_t window_bytes = 1U << 20;

    struct Frame {
        FrameHeader header;
        std::span<std::byte const> bytes;
    };
    awaitable<Result<FrameHeader>> next_header();
    /// The item's next own frame.
    awaitable<Result<Frame>> next_frame();
    /// Makes `bytes` bytes from position_ on available in the window.
    awaitable<Result<void>> load(std::uint64_t bytes);
    std::span<std::byte const> loaded() const;
    Result<std::span<std::byte const>> take_data(Frame const& frame);
    Result<void> take_end(Frame const& frame);
    awaitable<Result<std::span<std::byte const>>> next_piece();
    /// The group that the item shares, if it shares one; null: it has frames of its own.
    awaitable<Result<GroupCache::UnpackedPtr>> group();
    Result<GroupCache::UnpackedPtr> unpack_group(Frame const& frame);
    Result<std::span<std::byte const>> take_from(GroupCache::Unpacked const& group);
    Error damage(std::string_view reason) const;

    std::uint64_t const item_;
    SpoolLocation location_;  ///< Once it is open.
    FrameCipher& cipher_;
    BlobCodec& codec_;
    GroupCache& groups_;
    Open open_;
    std::shared_ptr<SegmentFile> file_;

    GroupCache::UnpackedPtr group_;  ///< Holds the piece that was handed out.
    ScratchBuffer window_, body_, plain_;
    std::uint64_t window_begin_ = 0;  ///< File offset of the window's first byte.
    std::size_t window_size_ = 0;
    std::uint64_t position_ = 0;             ///< File offset of the next frame.
    std::optional<std::uint64_t> sequence_;  ///< Of the last frame, whosever it was.

    bool began_ = false, ended_ = false;
    std::uint32_t chunks_ = 0;
    std::uint64_t plain_total_ = 0;
    Sha256 digest_;
    std::string meta_;
    std::optional<Error> failed_;
};

}  // namespace mailferry::store
