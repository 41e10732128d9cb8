#pragma once

#include "store/segment_file.hpp"
#include "store/spool_format.hpp"

#include <vector>

namespace mailferry::store {

/// Bytes of a segment that are no valid frames, up to the next valid one.
struct ScanGap {
    std::uint64_t begin = 0, end = 0;
    std::string_view reason;
    bool blank = false;  ///< Zeros: allocated and never written.
};

struct ScanOutcome {
    std::uint64_t frames = 0;
    std::uint64_t end = segment_header_bytes;           ///< Behind the last valid frame.
    std::uint64_t durable_upto = segment_header_bytes;  ///< The largest that a valid frame names.
    std::vector<ScanGap> gaps;
};

/// Walks all frames by their checksums, without a key. Behind damage it goes on at the next frame
/// if the header was good, otherwise at the next 4 KiB boundary that holds a frame of this segment.
/// Bounded memory: one frame.
awaitable<Result<ScanOutcome>> scan_segment(SegmentFile& file, SegmentHeader const& header,
                                            std::uint64_t file_bytes);

/// True if the file ends in a seal and its pad: then everything in front was synced long before.
awaitable<Result<bool>> is_sealed(SegmentFile& file, SegmentHeader const& header,
                                  std::uint64_t file_bytes);

}  // namespace mailferry::store
