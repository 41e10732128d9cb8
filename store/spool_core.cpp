#include "store/spool_core.hpp"

#include "config/base/assert.hpp"
#include "store/item_writer.hpp"
#include "store/spool_reader.hpp"

#include <algorithm>
#include <utility>

namespace mailferry::store {
namespace {

constexpr std::uint64_t segment_bytes_min = 1U << 20;
constexpr std::size_t chunk_buffers_kept_max = 64;
/// Two failures of the disk within this time are no accident.
constexpr std::chrono::seconds failure_memory{60};

std::uint64_t segment_bytes_of(config::SpoolSettings const& settings) {
    auto const bytes = std::min(settings.segment_bytes.value, settings.max_bytes.value / 4);
    return std::max(bytes, segment_bytes_min) / batch_alignment * batch_alignment;
}

std::uint64_t low_water_of(config::SpoolSettings const& settings) {
    if (settings.low_water) return settings.low_water->value;
    return settings.max_bytes.value / 5 * 4;
}

template <std::size_t size>
std::array<std::byte, size> random_array(SpoolEnvironment const& environment) {
    std::array<std::byte, size> bytes;
    environment.random({reinterpret_cast<std::uint8_t*>(bytes.data()), size});
    return bytes;
}

}  // namespace

struct SpoolCore::Making {
    std::optional<Result<SegmentPtr>> result;
};

std::uint64_t Segment::room() const {
    auto const pad = writer->batch_open() ? pad_bytes_max : 0;
    auto const taken =
        writer->end() + pad + claimed_bytes + seal_claim_bytes + finished.size() * seal_entry_bytes;
    return bytes_allocated > taken ? bytes_allocated - taken : 0;
}

SpoolCore::SpoolCore(SpoolEnvironment environment, asio::any_io_executor executor,
                     SpoolOptions options, KeyWrap keys, FoundSpool found)
    : environment_(std::move(environment)),
      executor_(executor),
      options_(std::move(options)),
      segment_bytes_(segment_bytes_of(options_.settings)),
      keys_(std::move(keys)),
      space_(options_.settings.max_bytes.value, low_water_of(options_.settings)),
      next_sequence_(found.sequence_max + 1),
      door_(executor),
      making_(executor),
      changed_(executor),
      tasks_(executor),
      groups_(*this, executor, options_.settings.mode == config::SpoolMode::always) {
    for (auto& from : found.segments) {
        auto segment = std::make_shared<Segment>();
        segment->header = from.header;
        segment->name = std::move(from.name);
        segment->bytes_allocated = from.bytes;
        segment->state = Segment::State::kept;
        segment->reading = std::move(from.cipher);
        segment->durable_end_at_last = from.bytes;
        for (auto const& entry : from.live) segment->live.add(entry.end, entry.item);
        space_.found(from.bytes);
        segments_.emplace(from.header.sequence, std::move(segment));
    }
}

SpoolCore::~SpoolCore() {
    MAILFERRY_ASSERT_SHOWING(tasks_.running() == 0, "Spool::close() must be awaited first");
}

SpoolCore::SegmentPtr SpoolCore::find(std::uint64_t sequence) const {
    auto const place = segments_.find(sequence);
    return place == segments_.end() ? nullptr : place->second;
}

std::optional<Error> SpoolCore::refusal() const {
    if (closing_) return Error{Errc::stopped, "the spool is closing"};
    if (read_only_)
        return Error{Errc::io_error, "spool " + environment_.directory->path() +
                                         " takes nothing more after repeated I/O failures"};
    return std::nullopt;
}

awaitable<Result<void>> SpoolCore::reserve(std::uint64_t plain_bytes) {
    auto const claim = item_claim_bytes(plain_bytes);
    if (plain_bytes > space_.bytes_max() || own_segment_bytes(claim) > space_.bytes_max() ||
        item_frames_max(plain_bytes) >= frames_per_segment_max / 2)
        co_return Error{Errc::item_too_large, "an item of " + std::to_string(plain_bytes) +
                                                  " bytes doesn't fit into spool.max_bytes = " +
                                                  std::to_string(space_.bytes_max())};
    auto const turn = co_await door_.lock();
    auto const segment = co_await place(claim, Wait::allowed);
    if (!segment) co_return segment.error();
    reservations_.emplace(plain_bytes, *segment);
    bytes_reserved_ += claim;
    co_return Result<void>();
}

void SpoolCore::unreserve(std::uint64_t plain_bytes) {
    auto const place = reservations_.find(plain_bytes);
    if (place == reservations_.end()) {
        MAILFERRY_ASSERT_SHOWING(closing_, "unreserve() without reserve()");
        return;
    }
    auto const segment = std::move(place->second);
    reservations_.erase(place);
    auto const claim = item_claim_bytes(plain_bytes);
    bytes_reserved_ -= claim;
    end_claim(segment, claim);
}

awaitable<Result<std::unique_ptr<ItemWriter>>> SpoolCore::begin_item(std::uint64_t item,
                                                                     std::uint64_t plain_bytes,
                                                                     ItemOwner owner) {
    auto const place_of = reservations_.find(plain_bytes);
    if (place_of == reservations_.end()) {
        MAILFERRY_ASSERT_SHOWING(closing_, "begin_item() without reserve()");
        co_return Error{Errc::stopped, "the spool is closing"};
    }
    auto segment = std::move(place_of->second);
    reservations_.erase(place_of);
    auto const claim = item_claim_bytes(plain_bytes);
    bytes_reserved_ -= claim;
    if (segment->state == Segment::State::poisoned) {
        // Its place is gone. It gets another at once or not at all: an item that has reserved must
        // never wait behind those that have not.
        end_claim(segment, claim);
        auto const other = co_await place(claim, Wait::forbidden);
        if (!other) co_return other.error();
        segment = *other;
    }
    co_return make_item_writer(*this, std::move(segment), item, plain_bytes, owner);
}

SpoolCore::SegmentPtr SpoolCore::claim_in(SegmentPtr segment, std::uint64_t claim_bytes) {
    MAILFERRY_ASSERT(segment->room() >= claim_bytes);
    segment->claimed_bytes += claim_bytes;
    ++segment->claims_open;
    ++segment->claims_ever;
    return segment;
}

void SpoolCore::end_claim(SegmentPtr const& segment, std::uint64_t claim_left) {
    MAILFERRY_ASSERT(segment->claims_open > 0 && segment->claimed_bytes >= claim_left);
    segment->claimed_bytes -= claim_left;
    --segment->claims_open;
    look_after(segment);
}

awaitable<Result<SpoolCore::SegmentPtr>> SpoolCore::place(std::uint64_t claim_bytes, Wait wait) {
    auto const own_bytes = own_segment_bytes(claim_bytes);
    auto const own = own_bytes > segment_bytes_;
    auto const bytes = own ? own_bytes : segment_bytes_;
    for (;;) {
        if (auto const refused = refusal()) co_return *refused;
        if (!own && take_next_if_full(claim_bytes)) {
            prepare_ahead();
            co_return claim_in(current_, claim_bytes);
        }
        auto const admitted = wait == Wait::allowed ? space_.admit(bytes) : space_.fits(bytes);
        if (!admitted) {
            if (wait == Wait::forbidden)
                co_return Error{Errc::disk_full, "the spool has no room to begin the item again"};
            // What the segments under way hold must come free, too, when their items are stored.
            retire(current_);
            retire(next_);
            co_await changed_.wait();
            continue;
        }
        auto turn = co_await making_.lock();
        // Somebody may have made one meanwhile, or taken the last room.
        if (closing_ || (!own && next_ != nullptr) || !space_.fits(bytes)) continue;
        auto const made = co_await make(bytes);
        if (made) {
            disk_full_ = false;
            if (own) co_return claim_in(*made, claim_bytes);
            next_ = *made;
            continue;
        }
        turn.release();
        if (made.error().code != Errc::disk_full) {
            note_failure();
            continue;
        }
        disk_full_ = true;
        if (wait == Wait::forbidden) co_return made.error();
        co_await changed_.wait_for(environment_.disk_full_retry);
    }
}

bool SpoolCore::take_next_if_full(std::uint64_t claim_bytes) {
    for (;;) {
        if (current_ != nullptr && current_->room() >= claim_bytes &&
            current_->claims_ever < items_per_segment_max)
            return true;
        if (next_ == nullptr) return false;
        retire(current_);
        current_ = std::exchange(next_, nullptr);
    }
}

awaitable<Result<SpoolCore::SegmentPtr>> SpoolCore::make(std::uint64_t bytes) {
    auto const making = std::make_shared<Making>();
    tasks_.spawn(run_making(making, bytes));
    while (!making->result) co_await changed_.wait();
    co_return std::move(*making->result);
}

awaitable<void> SpoolCore::run_making(std::shared_ptr<Making> making, std::uint64_t bytes) {
    auto made = co_await make_segment(bytes);
    auto const waiter_gone = making.use_count() == 1;
    if (waiter_gone && made) look_after(*made);
    making->result.emplace(std::move(made));
    changed_.notify_all();
}

awaitable<Result<SpoolCore::SegmentPtr>> SpoolCore::make_segment(std::uint64_t bytes) {
    space_.add(bytes);
    SegmentHeader header;
    header.spool_uuid = options_.uuid;
    header.sequence = next_sequence_++;
    header.incarnation = options_.incarnation;
    header.created_unix_ns = static_cast<std::uint64_t>(
        std::chrono::nanoseconds(environment_.clock->now().time_since_epoch()).count());
    if (last_made_ != nullptr) {
        header.previous_uuid = last_made_->header.segment_uuid;
        if (last_made_->writer == nullptr)
            header.previous_sealed_bytes = last_made_->durable_end_at_last;
    }
    header.segment_uuid = random_array<16>(environment_);
    header.key_id = keys_.id();
    header.wrap_nonce = random_array<aead_nonce_bytes>(environment_);
    auto key = Secret::zeroed(aead_key_bytes);
    auto const key_bytes = key.writable();
    environment_.random({reinterpret_cast<std::uint8_t*>(key_bytes.data()), key_bytes.size()});
    auto const unwrapped = encode_segment_header(header);
    header.wrapped_key =
        keys_.wrap(key, header.wrap_nonce, std::span(unwrapped).first(wrap_associated_bytes));

    auto const name = segment_name(header.shard, header.sequence);
    auto& directory = *environment_.directory;
    auto created = co_await directory.create(name, bytes);
    if (!created) {
        space_.remove(bytes);
        co_return created.error();
    }
    auto file = std::move(*created);
    auto const encoded = encode_segment_header(header);
    auto const written = co_await write_header(*file, encoded);
    if (!written) {
        file.reset();
        auto const removed = co_await directory.remove(name);
        // A file that stays keeps its bytes; the next start takes it away.
        if (removed) space_.remove(bytes);
        co_return written.error().in(name);
    }
    co_return adopt(header, key, bytes, std::move(file));
}

awaitable<Result<void>> SpoolCore::write_header(SegmentFile& file,
                                                SegmentHeaderBytes const& header) {
    auto const written = co_await file.write_and_sync(0, header);
    if (!written) co_return written.error();
    co_return co_await environment_.directory->sync();
}

SpoolCore::SegmentPtr SpoolCore::adopt(SegmentHeader const& header, Secret const& key,
                                       std::uint64_t bytes, std::unique_ptr<SegmentFile> file) {
    auto segment = std::make_shared<Segment>();
    segment->header = header;
    segment->name = segment_name(header.shard, header.sequence);
    segment->bytes_allocated = bytes;
    segment->reading = std::make_unique<FrameCipher>(key, header.segment_uuid, header.spool_uuid);
    auto poisoned = [this, sequence = header.sequence] { on_poisoned(sequence); };
    SpoolWriter::Shared shared{executor_, tasks_, buffers_, level_, counters_, std::move(poisoned)};
    segment->writer = std::make_shared<SpoolWriter>(
        std::move(shared), std::move(file),
        FrameCipher(key, header.segment_uuid, header.spool_uuid), bytes);
    counters_.bytes_written += segment_header_bytes;
    ++counters_.syncs;
    segments_.emplace(header.sequence, segment);
    last_made_ = segment;
    return segment;
}

void SpoolCore::prepare_ahead() {
    // Only while there is plenty of room: a segment that is not needed yet must not stop anybody.
    if (next_ != nullptr || preparing_ || current_->room() > segment_bytes_ / 4 ||
        space_.allocated() + 2 * segment_bytes_ > space_.low_water())
        return;
    preparing_ = true;
    tasks_.spawn(prepare());
}

awaitable<void> SpoolCore::prepare() {
    auto const turn = co_await making_.lock();
    if (!closing_ && next_ == nullptr && space_.fits(segment_bytes_)) {
        auto const made = co_await make_segment(segment_bytes_);
        if (made)
            next_ = *made;
        else if (made.error().code != Errc::disk_full)
            note_failure();
    }
    preparing_ = false;
    changed_.notify_all();
}

void SpoolCore::retire(SegmentPtr& slot) {
    auto const segment = std::exchange(slot, nullptr);
    if (segment == nullptr) return;
    groups_.write_out(segment.get());
    look_after(segment);
}

void SpoolCore::look_after(SegmentPtr const& segment) {
    if (segment->claims_open > 0 || segment == current_ || segment == next_) return;
    switch (segment->state) {
    case Segment::State::filling:
        segment->state = Segment::State::sealing;
        tasks_.spawn(seal(segment));
        return;
    case Segment::State::kept:
    case Segment::State::poisoned:
        if (segment->live.count() > 0) return;
        segment->state = Segment::State::removing;
        tasks_.spawn(remove(segment));
        return;
    case Segment::State::sealing:
    case Segment::State::removing: return;
    }
}

awaitable<void> SpoolCore::seal(SegmentPtr segment) {
    auto const writer = segment->writer;
    auto const worth_it = segment->live.count() > 0;
    Result<void> ended;
    if (worth_it)
        ended = co_await writer->seal(std::move(segment->finished));
    else
        ended = co_await writer->abandon();
    if (!ended && segment->state == Segment::State::sealing)
        on_poisoned(segment->header.sequence);  // The writer ended well, closing the file did not.
    if (segment->state != Segment::State::sealing) co_return;

    segment->durable_end_at_last = writer->durable_end();
    if (worth_it) {
        space_.remove(segment->bytes_allocated - writer->end());
        segment->bytes_allocated = writer->end();
    }
    segment->writer.reset();
    segment->state = Segment::State::kept;
    look_after(segment);
    changed_.notify_all();
}

awaitable<void> SpoolCore::remove(SegmentPtr segment) {
    MAILFERRY_ASSERT(segment->live.count() == 0 && segment->claims_open == 0);
    auto& directory = *environment_.directory;
    auto const removed = co_await directory.remove(segment->name);
    // Should the name come back after a crash, the next start finds nothing alive in it.
    if (removed) co_await directory.sync();
    segments_.erase(segment->header.sequence);
    if (removed) space_.remove(segment->bytes_allocated);
    changed_.notify_all();
}

void SpoolCore::on_poisoned(std::uint64_t sequence) {
    auto const segment = find(sequence);
    MAILFERRY_ASSERT(segment != nullptr);
    segment->state = Segment::State::poisoned;
    segment->live.remove_behind(segment->durable_end());
    poisoned_ends_[sequence] = segment->durable_end();
    if (current_ == segment) current_ = nullptr;
    if (next_ == segment) next_ = nullptr;
    note_failure();
    look_after(segment);
    changed_.notify_all();
}

void SpoolCore::note_failure() {
    auto const now = environment_.clock->steady();
    if (last_failure_ && now - *last_failure_ < failure_memory) read_only_ = true;
    last_failure_ = now;
    changed_.notify_all();
}

awaitable<Result<SpoolLocation>> SpoolCore::durable(std::uint64_t item, SpoolLocation location) {
    if (groups_.has(item)) {
        auto const placed = co_await groups_.place(item);
        if (!placed) co_return placed.error();
        location = *placed;
    }
    auto const lost = poisoned_ends_.find(location.segment);
    if (lost != poisoned_ends_.end() && location.end > lost->second)
        co_return Error{Errc::io_error, "spool segment is closed after a failure"};
    auto const segment = find(location.segment);
    // Without a writer everything in it was synced before its writer went.
    if (segment == nullptr || segment->writer == nullptr) co_return location;
    auto const writer = segment->writer;
    auto const synced = co_await writer->durable(location.end);
    if (!synced) co_return synced.error();
    co_return location;
}

awaitable<Result<std::shared_ptr<SegmentFile>>> SpoolCore::reading_file(SegmentPtr segment) {
    if (auto file = segment->reading_file.lock()) co_return file;
    auto opened = co_await environment_.directory->open(segment->name);
    if (!opened) co_return opened.error();
    auto file = std::shared_ptr<SegmentFile>(std::move(*opened));
    segment->reading_file = file;
    co_return file;
}

Result<std::unique_ptr<ItemSource>> SpoolCore::open_item(std::uint64_t item,
                                                         SpoolLocation location) {
    auto const segment = find(location.segment);
    auto const is_placed = location.offset >= segment_header_bytes &&
                           location.offset < location.end && segment != nullptr &&
                           location.end <= segment->bytes_allocated;
    if (segment == nullptr || (!is_placed && !groups_.has(item)))
        return Error{Errc::corrupt,
                     "spool segment=" + std::to_string(location.segment) +
                         " holds nothing at offset=" + std::to_string(location.offset)};
    auto open = [this, segment, item, location]() -> awaitable<Result<OpenedItem>> {
        // What is still in memory is not in the file; what was written but not synced could vanish.
        auto const safe = co_await durable(item, location);
        if (!safe) co_return safe.error();
        auto file = co_await reading_file(segment);
        if (!file) co_return file.error();
        co_return OpenedItem{std::move(*file), *safe};
    };
    return std::make_unique<SpooledItemSource>(item, *segment->reading, codec_, group_cache_,
                                               std::move(open));
}

void SpoolCore::release(std::uint64_t item, SpoolLocation location) {
    if (groups_.has(item)) return groups_.release(item);
    auto const segment = find(location.segment);
    if (segment == nullptr || !segment->live.remove(location.end, item)) return;
    look_after(segment);
}

std::unique_ptr<std::byte[]> SpoolCore::take_chunk_buffer() {
    if (chunk_buffers_.empty()) return std::make_unique_for_overwrite<std::byte[]>(chunk_bytes);
    auto buffer = std::move(chunk_buffers_.back());
    chunk_buffers_.pop_back();
    return buffer;
}

void SpoolCore::give_back_chunk_buffer(std::unique_ptr<std::byte[]> buffer) {
    if (chunk_buffers_.size() < chunk_buffers_kept_max) chunk_buffers_.push_back(std::move(buffer));
}

void SpoolCore::count(std::uint64_t plain_bytes, std::uint64_t packed_bytes) {
    bytes_plain_in_ += plain_bytes;
    bytes_packed_ += packed_bytes;
}

SpoolUsage SpoolCore::usage() const {
    SpoolUsage usage{.bytes_allocated = space_.allocated(),
                     .bytes_reserved = bytes_reserved_,
                     .bytes_max = space_.bytes_max(),
                     .segments = segments_.size(),
                     .bytes_plain_in = bytes_plain_in_,
                     .bytes_compressed = bytes_packed_,
                     .bytes_written = counters_.bytes_written,
                     .syncs = counters_.syncs,
                     .read_only = read_only_,
                     .disk_full = disk_full_};
    for (auto const& [sequence, segment] : segments_) usage.items_live += segment->live.count();
    return usage;
}

awaitable<void> SpoolCore::close() {
    closing_ = true;
    changed_.notify_all();
    { auto const turn = co_await making_.lock(); }
    while (!reservations_.empty()) unreserve(reservations_.begin()->first);
    groups_.end();
    retire(current_);
    retire(next_);
    auto const segments = segments_;
    for (auto const& [sequence, segment] : segments) {
        // Items that were begun and never ended keep their segments from being sealed.
        auto const writer = segment->writer;
        if (writer != nullptr) co_await writer->durable(writer->end());
    }
    co_await tasks_.join();
}

}  // namespace mailferry::store
