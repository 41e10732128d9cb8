#pragma once

#include "store/segment_file.hpp"
#include "store/segment_space.hpp"
#include "store/spool_format.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace mailferry::store {

/// A segment that still holds something that lives. It is only read from now on.
struct FoundSegment {
    SegmentHeader header;
    std::string name;
    std::uint64_t bytes = 0;  ///< As allocated after recovery.
    std::unique_ptr<FrameCipher> cipher = {};
    std::vector<LiveItems::Entry> live = {};  ///< Ascending.
};

struct FoundSpool {
    std::vector<FoundSegment> segments;
    std::uint64_t sequence_max = 0;  ///< Of all that were ever named, by file or ledger.
};

/// Brings directory and ledger together. Sealed segments are trusted until they are read; all
/// others are scanned, never appended to, and cut down to what lives. Deletes segments without live
/// items. Nothing is deleted or cut before the verdict over its segment is known, and running it
/// again after a crash at any point gives the same answer.
///
/// invalid_config: a segment of another spool, or one that another key wrote and that holds live
/// items; the message names the cure.
awaitable<Result<FoundSpool>> recover_spool(SegmentDirectory& directory, Uuid spool_uuid,
                                            KeyWrap& keys, std::vector<LiveItem> live,
                                            std::function<void(std::uint64_t)> const& lost,
                                            RecoveredSpool& report);

}  // namespace mailferry::store
