#pragma once

/// The spool behind store/spool.hpp: segments from their creation to their removal.

#include "async/event.hpp"
#include "async/task_group.hpp"
#include "config/base/clock.hpp"
#include "config/base/crypto.hpp"
#include "store/blob_codec.hpp"
#include "store/segment_file.hpp"
#include "store/segment_space.hpp"
#include "store/spool.hpp"
#include "store/spool_format.hpp"
#include "store/spool_groups.hpp"
#include "store/spool_recovery.hpp"
#include "store/spool_writer.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace mailferry::store {

/// What the spool takes from the outside world; tests put their own there.
struct SpoolEnvironment {
    std::shared_ptr<SegmentDirectory> directory;
    Clock const* clock = nullptr;
    std::function<void(std::span<std::uint8_t>)> random = random_bytes;
    std::chrono::milliseconds disk_full_retry{2000};
};

/// open_spool() within a given environment.
awaitable<Result<std::unique_ptr<Spool>>> open_spool_in(SpoolEnvironment environment,
                                                        asio::any_io_executor executor,
                                                        SpoolOptions options, Secret master_key,
                                                        std::vector<LiveItem> live,
                                                        std::function<void(std::uint64_t)> lost,
                                                        RecoveredSpool& report);

/// One segment file. Exclusive states:
///   filling -> sealing -> kept -> removing     the way of all segments
///   filling|sealing -> poisoned -> removing    after a failed write or sync
/// Only SpoolCore changes the state.
struct Segment {
    enum class State { filling, sealing, kept, poisoned, removing };

    SegmentHeader header;
    std::string name;
    std::uint64_t bytes_allocated = 0;
    State state = State::filling;

    std::unique_ptr<FrameCipher> reading;
    std::weak_ptr<SegmentFile> reading_file;  ///< Open while somebody reads.

    std::shared_ptr<SpoolWriter> writer;  ///< While filling or sealing.
    std::uint64_t claimed_bytes = 0;      ///< Of reservations and items that have not ended.
    std::uint64_t claims_open = 0, claims_ever = 0;
    std::uint64_t durable_end_at_last = 0;  ///< Once there is no writer.
    std::vector<SealEntry> finished;
    LiveItems live;

    /// Bytes that a new claim may take.
    std::uint64_t room() const;
    std::uint64_t durable_end() const {
        return writer != nullptr ? writer->durable_end() : durable_end_at_last;
    }
};

class SpoolCore final : public Spool {
public:
    SpoolCore(SpoolEnvironment environment, asio::any_io_executor executor, SpoolOptions options,
              KeyWrap keys, FoundSpool found);
    /// close() must have resolved, and all writers and sources must be gone.
    ~SpoolCore() override;

    awaitable<Result<void>> reserve(std::uint64_t plain_bytes) override;
    void unreserve(std::uint64_t plain_bytes) override;
    awaitable<Result<std::unique_ptr<ItemWriter>>> begin_item(std::uint64_t item,
                                                              std::uint64_t plain_bytes,
                                                              ItemOwner owner) override;
    awaitable<Result<SpoolLocation>> durable(std::uint64_t item, SpoolLocation location) override;
    Result<std::unique_ptr<ItemSource>> open_item(std::uint64_t item,
                                                  SpoolLocation location) override;
    void release(std::uint64_t item, SpoolLocation location) override;
    SpoolUsage usage() const override;
    awaitable<void> close() override;

    // For ItemWriter's implementation (store/item_writer) and SpoolGroups.
    std::optional<Error> refusal() const;
    BlobCodec& codec() { return codec_; }
    int level() const { return level_.current(); }
    std::unique_ptr<std::byte[]> take_chunk_buffer();
    void give_back_chunk_buffer(std::unique_ptr<std::byte[]> buffer);
    void count(std::uint64_t plain_bytes, std::uint64_t packed_bytes);
    /// The item is over, whole or abandoned; what is left of its claim is free again.
    void end_claim(std::shared_ptr<Segment> const& segment, std::uint64_t claim_left);
    SpoolGroups& groups() { return groups_; }
    /// New items go there.
    bool is_filling(Segment const& segment) const { return &segment == current_.get(); }
    /// Seals or removes a segment that nobody needs as it is.
    void look_after(std::shared_ptr<Segment> const& segment);
    void spawn(awaitable<void> task) { tasks_.spawn(std::move(task)); }

private:
    enum class Wait { allowed, forbidden };
    using SegmentPtr = std::shared_ptr<Segment>;

    awaitable<Result<SegmentPtr>> place(std::uint64_t claim_bytes, Wait wait);
    SegmentPtr claim_in(SegmentPtr segment, std::uint64_t claim_bytes);
    bool take_next_if_full(std::uint64_t claim_bytes);

    /// A creation under way. Its task is never cancelled, only its waiter is: no file and no byte
    /// of the account may be left without an owner.
    struct Making;
    awaitable<Result<SegmentPtr>> make(std::uint64_t bytes);
    awaitable<void> run_making(std::shared_ptr<Making> making, std::uint64_t bytes);
    awaitable<Result<SegmentPtr>> make_segment(std::uint64_t bytes);
    awaitable<Result<void>> write_header(SegmentFile& file, SegmentHeaderBytes const& header);
    SegmentPtr adopt(SegmentHeader const& header, Secret const& key, std::uint64_t bytes,
                     std::unique_ptr<SegmentFile> file);
    void prepare_ahead();
    awaitable<void> prepare();
    awaitable<Result<std::shared_ptr<SegmentFile>>> reading_file(SegmentPtr segment);

    void retire(SegmentPtr& slot);
    awaitable<void> seal(SegmentPtr segment);
    awaitable<void> remove(SegmentPtr segment);
    void on_poisoned(std::uint64_t sequence);
    void note_failure();
    SegmentPtr find(std::uint64_t sequence) const;

    SpoolEnvironment environment_;
    asio::any_io_executor executor_;
    SpoolOptions options_;
    std::uint64_t segment_bytes_;
    KeyWrap keys_;
    BatchBuffers buffers_;
    CompressionLevel level_;
    BlobCodec codec_;
    WriterCounters counters_;
    std::uint64_t bytes_plain_in_ = 0, bytes_packed_ = 0;
    std::vector<std::unique_ptr<std::byte[]>> chunk_buffers_;

    SpoolSpace space_;
    std::map<std::uint64_t, SegmentPtr> segments_;
    SegmentPtr current_, next_;
    std::uint64_t next_sequence_;
    SegmentPtr last_made_;
    std::unordered_map<std::uint64_t, std::uint64_t> poisoned_ends_;  ///< Of removed segments, too.
    std::unordered_multimap<std::uint64_t, SegmentPtr> reservations_;
    std::uint64_t bytes_reserved_ = 0;

    AsyncMutex door_;    ///< reserve(): first come, first served.
    AsyncMutex making_;  ///< One creation at a time.
    Event changed_;      ///< Room, state or the wish to close.
    TaskGroup tasks_;
    SpoolGroups groups_;
    GroupCache group_cache_;
    bool closing_ = false, disk_full_ = false, read_only_ = false;
    bool preparing_ = false;
    std::optional<std::chrono::steady_clock::time_point> last_failure_;
};

}  // namespace mailferry::store
