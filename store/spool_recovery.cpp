#include "store/spool_recovery.hpp"

#include "store/segment_space.hpp"
#include "store/spool_scan.hpp"

#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

namespace mailferry::store {
namespace {

using LiveRange = std::span<LiveItem const>;

class Recovery {
public:
    Recovery(SegmentDirectory& directory, Uuid const& spool_uuid, KeyWrap& keys,
             std::function<void(std::uint64_t)> const& lost, RecoveredSpool& report)
        : directory_(directory), uuid_(spool_uuid), keys_(keys), lost_(lost), report_(report) {}

    awaitable<Result<FoundSpool>> run(std::vector<LiveItem> live) {
        std::erase_if(live, [](LiveItem const& item) { return item.location.segment == 0; });
        std::sort(live.begin(), live.end(), [](LiveItem const& a, LiveItem const& b) {
            return std::tuple(a.location.segment, a.location.end, a.item) <
                   std::tuple(b.location.segment, b.location.end, b.item);
        });
        if (!live.empty()) found_.sequence_max = live.back().location.segment;
        auto const listed = co_await directory_.list();
        if (!listed) co_return listed.error();
        auto entries = *listed;
        std::sort(entries.begin(), entries.end(),
                  [](auto const& a, auto const& b) { return a.name < b.name; });

        // Damage or absence of one segment costs its items a second fetch; it stops nothing.
        auto rest = LiveRange(live);
        for (auto const& entry : entries) {
            auto const sequence = sequence_of(entry.name);
            if (!sequence) continue;  // Not ours: left alone.
            found_.sequence_max = std::max(found_.sequence_max, *sequence);
            give_up_missing(take_before(rest, *sequence));
            auto const items = take_before(rest, *sequence + 1);
            auto const judged = co_await judge(entry, *sequence, items);
            if (!judged) co_return judged.error().in(entry.name);
        }
        give_up_missing(rest);
        if (removed_) {
            auto const synced = co_await directory_.sync();
            if (!synced) co_return synced.error();
        }
        report_.segments_kept = found_.segments.size();
        co_return std::move(found_);
    }

private:
    static LiveRange take_before(LiveRange& rest, std::uint64_t sequence) {
        auto const end = std::find_if(rest.begin(), rest.end(), [sequence](LiveItem const& item) {
            return item.location.segment >= sequence;
        });
        auto const count = static_cast<std::size_t>(end - rest.begin());
        auto const taken = rest.first(count);
        rest = rest.subspan(count);
        return taken;
    }

    void give_up_missing(LiveRange items) {
        while (!items.empty()) {
            auto const sequence = items.front().location.segment;
            auto const same = take_before(items, sequence + 1);
            give_up(same, sequence, 0, same.back().location.end, "the segment is missing");
        }
    }

    void give_up(LiveRange items, std::uint64_t sequence, std::uint64_t offset, std::uint64_t bytes,
                 std::string reason) {
        report_.damages.push_back({sequence, offset, bytes, std::move(reason), false});
        for (auto const& item : items) lost_(item.item);
    }

    awaitable<Result<void>> remove(std::string name) {
        auto const gone = co_await directory_.remove(name);
        if (!gone) co_return gone.error();
        removed_ = true;
        ++report_.segments_deleted;
        co_return Result<void>();
    }

    awaitable<Result<void>> judge(SegmentEntry entry, std::uint64_t sequence, LiveRange items) {
        auto opened = co_await directory_.open(entry.name);
        if (!opened) co_return opened.error();
        auto const file = std::move(*opened);
        std::vector<std::byte> bytes(segment_header_bytes);
        auto const count = co_await file->read_at(0, bytes);
        if (!count) co_return count.error();
        bytes.resize(*count);
        auto const header = decode_segment_header(bytes);
        if (!header && header.error().code == Errc::unsupported) co_return header.error();
        if (!header || header->sequence != sequence) {
            // Without items: a creation that a crash interrupted.
            auto const reason = header ? "segment of another number" : header.error().context;
            if (!items.empty()) give_up(items, sequence, 0, entry.bytes, reason);
            co_return co_await remove(entry.name);
        }
        if (header->spool_uuid != uuid_)
            co_return Error{Errc::invalid_config,
                            "this segment belongs to another spool: state_dir holds a ledger and a "
                            "spool of different origin. Put back the right one, or move the "
                            "segments away; their items will then be fetched again"};
        if (items.empty()) co_return co_await remove(entry.name);
        auto const key = keys_.unwrap(header->wrapped_key, header->wrap_nonce,
                                      std::span(bytes).first(wrap_associated_bytes));
        co_return co_await keep(std::move(entry), *header, key, *file, items);
    }

    awaitable<Result<void>> keep(SegmentEntry entry, SegmentHeader header, Secret const& key,
                                 SegmentFile& file, LiveRange items) {
        if (header.key_id != keys_.id())
            co_return Error{Errc::invalid_config,
                            "this segment was written with another spool key. Put back that key, "
                            "or move the segment away; its items will then be fetched again"};
        if (key.empty()) {
            give_up(items, header.sequence, 0, entry.bytes, "the segment's key is damaged");
            co_return co_await remove(entry.name);
        }
        auto const sealed = co_await is_sealed(file, header, entry.bytes);
        if (!sealed) co_return sealed.error();
        std::vector<ScanGap> damages;
        if (!*sealed) {
            auto const scan = co_await scan_segment(file, header, entry.bytes);
            if (!scan) co_return scan.error();
            damages = judge_gaps(*scan, header.sequence, items.back().location.end);
        }
        FoundSegment segment{.header = header, .name = entry.name, .bytes = entry.bytes};
        for (auto const& item : items) {
            LiveItems::Entry const live{item.location.end, item.item};
            auto const twice = !segment.live.empty() && segment.live.back() == live;
            if (!twice && whole(item.location, damages, entry.bytes))
                segment.live.push_back(live);
            else
                lost_(item.item);
        }
        if (segment.live.empty()) co_return co_await remove(entry.name);
        auto const needed = round_to_batch(segment.live.back().end);
        if (!*sealed && needed < segment.bytes) {
            auto const cut = co_await directory_.truncate(entry.name, needed);
            if (!cut) co_return cut.error();
            segment.bytes = needed;
        }
        segment.cipher = std::make_unique<FrameCipher>(key, header.segment_uuid, uuid_);
        found_.segments.push_back(std::move(segment));
        co_return Result<void>();
    }

    /// Reports what is worth it and answers the gaps that were promised to be frames.
    std::vector<ScanGap> judge_gaps(ScanOutcome const& scan, std::uint64_t sequence,
                                    std::uint64_t ledger_end) {
        auto const promised = std::max(ledger_end, scan.durable_upto);
        std::vector<ScanGap> damages;
        for (auto const& gap : scan.gaps) {
            auto const torn = gap.begin >= promised;
            if (torn && gap.blank) continue;  // Allocated, not used yet.
            report_.damages.push_back(
                {sequence, gap.begin, gap.end - gap.begin, std::string(gap.reason), torn});
            if (!torn) damages.push_back(gap);
        }
        return damages;
    }

    static bool whole(SpoolLocation const& location, std::vector<ScanGap> const& damages,
                      std::uint64_t file_bytes) {
        if (location.offset < segment_header_bytes || location.offset >= location.end ||
            location.end > file_bytes)
            return false;
        return std::none_of(damages.begin(), damages.end(), [&](ScanGap const& gap) {
            return gap.begin < location.end && location.offset < gap.end;
        });
    }

    SegmentDirectory& directory_;
    Uuid const uuid_;
    KeyWrap& keys_;
    std::function<void(std::uint64_t)> const& lost_;
    RecoveredSpool& report_;
    FoundSpool found_;
    bool removed_ = false;
};

}  // namespace

awaitable<Result<FoundSpool>> recover_spool(SegmentDirectory& directory, Uuid spool_uuid,
                                            KeyWrap& keys, std::vector<LiveItem> live,
                                            std::function<void(std::uint64_t)> const& lost,
                                            RecoveredSpool& report) {
    Recovery recovery(directory, spool_uuid, keys, lost, report);
    co_return co_await recovery.run(std::move(live));
}

}  // namespace mailferry::store
