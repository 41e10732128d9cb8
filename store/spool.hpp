#pragma once

/// The spool: compressed, encrypted, append-only segments on local disk between source and target.
/// Format: docs/spool-format.md. All calls run on one executor (one thread).

#include "async/asio.hpp"
#include "config/base/secret.hpp"
#include "config/types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mailferry::store {

using Sha256Digest = std::array<std::byte, 32>;

/// Where an item lies: enough to read it back with nothing but the spool and the master key.
struct SpoolLocation {
    std::uint64_t segment = 0;  ///< Sequence number of the segment file; 0: not spooled.
    std::uint64_t offset = 0;   ///< Of the item's first frame, or of the one that it shares.
    std::uint64_t end = 0;      ///< First byte behind the last one.
    bool operator==(SpoolLocation const&) const = default;
};

/// An item on its way into the spool. Write pieces, then finish. Dropping it unfinished abandons
/// the item: its frames stay as dead bytes until the segment goes.
class ItemWriter {
public:
    virtual ~ItemWriter() = default;
    /// Compresses, encrypts and queues; waits only while the write buffers are full. Errors:
    /// io_error (the segment is closed for good), item_too_large (more than announced + 64 KiB).
    virtual awaitable<Result<void>> write(std::span<std::byte const> bytes) = 0;
    /// Ends the item; it is durable only after Spool::durable(). An item with an owner may not have
    /// its final location yet: `offset` is 0 then. Whatever is said of it, the item's id tells.
    virtual awaitable<Result<SpoolLocation>> finish(Sha256Digest digest, std::string meta) = 0;
};

/// Reads one item back, piece by piece, checking tags and lengths of every frame, and the digest at
/// the end. Errors: corrupt (bytes and reason), io_error.
class ItemSource {
public:
    virtual ~ItemSource() = default;
    /// Next plain piece, valid until the next call; empty at the end.
    virtual awaitable<Result<std::span<std::byte const>>> next() = 0;
    virtual void rewind() = 0;
};

struct DamageReport {
    std::uint64_t segment = 0, offset = 0, bytes = 0;
    std::string reason;
    bool torn_tail = false;  ///< Behind everything promised: normal after a crash.
};

struct RecoveredSpool {
    std::vector<DamageReport> damages;
    std::uint64_t segments_kept = 0, segments_deleted = 0;
};

struct SpoolUsage {
    std::uint64_t bytes_allocated = 0, bytes_reserved = 0, bytes_max = 0;
    std::uint64_t segments = 0, items_live = 0;
    std::uint64_t bytes_plain_in = 0, bytes_compressed = 0, bytes_written = 0, syncs = 0;
    bool read_only = false;   ///< After repeated I/O failures: deliveries drain, nothing new comes.
    bool disk_full = false;   ///< No segment can be made at present; retried every few seconds.
};

/// What the ledger says is in the spool, for recovery: called once per live item.
struct LiveItem {
    std::uint64_t item = 0;
    SpoolLocation location;
};

/// Whose items may share a frame: those of one mailbox. 0: the item shares with nobody.
enum class ItemOwner : std::uint64_t {};

class Spool {
public:
    virtual ~Spool() = default;

    /// Waits for room: below high water, or, once it was reached, until usage is below low water
    /// again (hysteresis). A disk that is full counts as no room. The reservation is turned into
    /// frames by begin_item() or given back by unreserve().
    virtual awaitable<Result<void>> reserve(std::uint64_t plain_bytes) = 0;
    virtual void unreserve(std::uint64_t plain_bytes) = 0;

    /// `item` is the ledger's id and stands in every frame. Uses up a reservation of `plain_bytes`.
    virtual awaitable<Result<std::unique_ptr<ItemWriter>>> begin_item(
        std::uint64_t item, std::uint64_t plain_bytes, ItemOwner owner = {}) = 0;

    /// Resolves when the item has survived fdatasync (and the segment's directory entry its fsync),
    /// to where it lies for good: a small item waits in memory for others to share a frame with
    /// until somebody asks. Group commit: concurrent callers share one sync. io_error if it failed;
    /// then the item must be fetched again.
    virtual awaitable<Result<SpoolLocation>> durable(std::uint64_t item,
                                                     SpoolLocation location) = 0;

    virtual Result<std::unique_ptr<ItemSource>> open_item(std::uint64_t item,
                                                          SpoolLocation location) = 0;

    /// The item is stored or given up (committed in the ledger): its segment goes once it is sealed
    /// and holds nothing that lives.
    virtual void release(std::uint64_t item, SpoolLocation location) = 0;

    virtual SpoolUsage usage() const = 0;
    /// Seals the open segment and waits for all writes. Pending reserve() calls end with stopped.
    virtual awaitable<void> close() = 0;
};

struct SpoolOptions {
    std::filesystem::path directory;     ///< Made with mode 0700; locked against a second daemon.
    config::SpoolSettings settings;
    std::array<std::byte, 16> uuid{};    ///< Must equal the ledger's.
    std::uint64_t incarnation = 0;       ///< From the ledger, +1 at each start.
    bool use_io_uring = true;            ///< False: pwrite+fdatasync on a thread.
};

/// Locks the directory, scans the segments against `live` (every live location of the ledger),
/// deletes what is unneeded, and opens a new segment. `lost` gets each live item whose bytes are
/// damaged or missing: the ledger sets it back to be fetched again. Idempotent.
awaitable<Result<std::unique_ptr<Spool>>> open_spool(asio::any_io_executor executor,
                                                     SpoolOptions options, Secret master_key,
                                                     std::vector<LiveItem> live,
                                                     std::function<void(std::uint64_t)> lost,
                                                     RecoveredSpool& report);

}  // namespace mailferry::store
