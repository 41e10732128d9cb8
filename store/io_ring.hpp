#pragma once

/// The only door to liburing: one ring whose completions arrive, by an eventfd, on an Asio
/// executor.

#include "store/segment_file.hpp"

#include <memory>

namespace mailferry::store {

class IoRing {
public:
    virtual ~IoRing() = default;
    /// `descriptor` is that of `slow`, which keeps it. Writes, syncs and reads go through the ring,
    /// all else to `slow`, a file of the other back end.
    virtual std::unique_ptr<SegmentFile> make_file(int descriptor,
                                                   std::unique_ptr<SegmentFile> slow) = 0;
};

/// Null where io_uring is missing or forbidden (old kernel, io_uring_disabled, seccomp). The ring
/// waits for whatever is still in flight when the last file and the last owner are gone.
std::shared_ptr<IoRing> make_io_ring(asio::any_io_executor executor);

}  // namespace mailferry::store
