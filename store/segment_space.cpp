#include "store/segment_space.hpp"

#include "config/base/assert.hpp"

#include <algorithm>

namespace mailferry::store {

std::uint64_t item_frames_max(std::uint64_t plain_bytes) {
    auto const most = plain_bytes + announced_slack_bytes;
    auto const later = most > first_chunk_bytes ? most - first_chunk_bytes : 0;
    auto const chunks = 1 + (later + chunk_bytes - 1) / chunk_bytes;
    return chunks + 2;
}

std::uint64_t item_claim_bytes(std::uint64_t plain_bytes) {
    auto const bodies =
        plain_bytes + announced_slack_bytes + head_body_bytes + end_body_fixed_bytes;
    auto const per_frame = frame_header_bytes + aead_tag_bytes + frame_alignment + pad_bytes_max;
    return bodies + item_frames_max(plain_bytes) * per_frame + seal_entry_bytes;
}

std::uint64_t own_segment_bytes(std::uint64_t claim_bytes) {
    return round_to_batch(segment_header_bytes + claim_bytes + seal_claim_bytes);
}

bool SpoolSpace::admit(std::uint64_t bytes) {
    if (saturated_ && allocated_ > low_water_) return false;
    saturated_ = !fits(bytes);
    return !saturated_;
}

void SpoolSpace::add(std::uint64_t bytes) {
    MAILFERRY_ASSERT(fits(bytes));
    allocated_ += bytes;
}

void SpoolSpace::remove(std::uint64_t bytes) {
    MAILFERRY_ASSERT(allocated_ >= bytes);
    allocated_ -= bytes;
}

void LiveItems::add(std::uint64_t end, std::uint64_t item) {
    Entry const entry{end, item};
    MAILFERRY_ASSERT(entries_.empty() || entries_.back() < entry);
    entries_.push_back(entry);
    gone_.push_back(false);
    ++count_;
}

bool LiveItems::remove(std::uint64_t end, std::uint64_t item) {
    Entry const entry{end, item};
    auto const place = std::lower_bound(entries_.begin(), entries_.end(), entry);
    if (place == entries_.end() || *place != entry) return false;
    auto const index = static_cast<std::size_t>(place - entries_.begin());
    if (gone_[index]) return false;
    gone_[index] = true;
    --count_;
    return true;
}

void LiveItems::remove_behind(std::uint64_t durable_end) {
    for (auto const& entry : entries_)
        if (entry.end > durable_end) remove(entry.end, entry.item);
}

}  // namespace mailferry::store
