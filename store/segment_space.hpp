#pragma once

/// How many bytes things may take: pure arithmetic, so that an item that has begun can always end.

#include "store/spool_format.hpp"

#include <compare>
#include <cstdint>
#include <vector>

namespace mailferry::store {

/// An item is cut into chunks of this size, one frame each. The first is smaller: it is the sample
/// that decides whether the item is worth packing, and small items need no more.
inline constexpr std::size_t first_chunk_bytes = 64U << 10, chunk_bytes = 128U << 10;
/// An item may be so much larger than announced (meta data included).
inline constexpr std::uint64_t announced_slack_bytes = 64U << 10;

std::uint64_t item_frames_max(std::uint64_t plain_bytes);
/// The most that an item of `plain_bytes` can take in a segment, pads and its line in the seal
/// included: each frame may end up in a batch of its own.
std::uint64_t item_claim_bytes(std::uint64_t plain_bytes);
/// What one frame takes from its item's claim.
constexpr std::uint64_t frame_claim_bytes(std::uint64_t body_bytes) {
    return frame_bytes(body_bytes) + pad_bytes_max;
}
/// What each segment keeps free for a seal without items.
constexpr std::uint64_t seal_claim_bytes =
    frame_bytes(seal_body_fixed_bytes) + frame_alignment + pad_bytes_max;
/// The size of a segment that holds nothing but one item of that claim.
std::uint64_t own_segment_bytes(std::uint64_t claim_bytes);

/// The limit on allocated bytes, with hysteresis: once the limit was met, nothing new is admitted
/// until usage is down to the low water.
class SpoolSpace {
public:
    SpoolSpace(std::uint64_t bytes_max, std::uint64_t low_water)
        : bytes_max_(bytes_max), low_water_(low_water) {}

    std::uint64_t bytes_max() const { return bytes_max_; }
    std::uint64_t low_water() const { return low_water_; }
    std::uint64_t allocated() const { return allocated_; }
    bool fits(std::uint64_t bytes) const { return allocated_ + bytes <= bytes_max_; }
    /// May `bytes` be allocated now? A refusal begins the wait for the low water.
    bool admit(std::uint64_t bytes);
    void add(std::uint64_t bytes);
    void remove(std::uint64_t bytes);
    /// Segments found at the start may exceed a limit that was lowered meanwhile.
    void found(std::uint64_t bytes) { allocated_ += bytes; }

private:
    std::uint64_t bytes_max_, low_water_;
    std::uint64_t allocated_ = 0;
    bool saturated_ = false;
};

/// The items of a segment that live, by the ends of their locations, which those of a group share.
/// Taking one away twice does no harm: a segment must never go because a neighbour was released
/// twice.
class LiveItems {
public:
    struct Entry {
        std::uint64_t end = 0, item = 0;
        auto operator<=>(Entry const&) const = default;
    };
    /// Ends must come in ascending order, and items with the same end.
    void add(std::uint64_t end, std::uint64_t item);
    bool remove(std::uint64_t end, std::uint64_t item);
    void remove_behind(std::uint64_t durable_end);
    std::uint64_t count() const { return count_; }

private:
    std::vector<Entry> entries_;
    std::vector<bool> gone_;
    std::uint64_t count_ = 0;
};

}  // namespace mailferry::store
