#include "store/spool_groups.hpp"

#include "config/base/assert.hpp"
#include "store/spool_core.hpp"

#include <algorithm>
#include <utility>

namespace mailferry::store {
namespace {

/// What a group's frame takes beyond its entries and their bytes.
constexpr std::uint64_t group_claim_bytes =
    frame_claim_bytes(group_body_fixed_bytes) + frame_alignment;

}  // namespace

struct SpoolGroups::Group {
    enum class State { collecting, writing, placed, failed };

    State state = State::collecting;
    std::shared_ptr<Segment> segment;
    std::uint64_t claim_left = group_claim_bytes;
    std::vector<GroupEntry> entries;
    std::vector<bool> released;
    std::vector<std::byte> bytes;
    SpoolLocation location;
    std::optional<Error> error;
};

void SpoolGroups::add(std::shared_ptr<Segment> const& segment, std::uint64_t claim_left,
                      Item item) {
    auto& collecting = collecting_[item.owner];
    if (collecting && collecting->segment != segment) begin_writing(GroupPtr(collecting));
    auto const kept =
        item.bytes.size() + item.meta.size() + group_entry_fixed_bytes + seal_entry_bytes;
    auto& group = collecting_[item.owner];
    if (!group) {
        // The first item's claim becomes the group's.
        group = std::make_shared<Group>();
        group->segment = segment;
        MAILFERRY_ASSERT(claim_left >= kept + group_claim_bytes);
        segment->claimed_bytes -= claim_left - kept - group_claim_bytes;
    } else {
        MAILFERRY_ASSERT(claim_left >= kept);
        core_.end_claim(segment, claim_left - kept);
    }
    group->claim_left += kept;
    group->entries.push_back({.item = item.id,
                              .digest = item.digest,
                              .meta = std::move(item.meta),
                              .plain_bytes = item.bytes.size(),
                              .at = group->bytes.size()});
    group->released.push_back(false);
    group->bytes.insert(group->bytes.end(), item.bytes.begin(), item.bytes.end());
    members_.emplace(item.id, group);
    if (group->bytes.size() >= group_bytes || !core_.is_filling(*segment))
        begin_writing(GroupPtr(group));
}

void SpoolGroups::begin_writing(GroupPtr const& group) {
    if (group->state != Group::State::collecting) return;
    group->state = Group::State::writing;
    std::erase_if(collecting_, [&](auto const& entry) { return entry.second == group; });
    core_.spawn(write(group));
}

awaitable<void> SpoolGroups::write(GroupPtr group) {
    auto const most = group->bytes.size() + group->entries.size() * group_entry_fixed_bytes;
    std::uint64_t metas = 0;
    for (auto const& entry : group->entries) metas += entry.meta.size();
    auto const room = co_await group->segment->writer->room_for(
        frame_bytes(group_body_fixed_bytes + most + metas));
    if (room) {
        put(*group);
        group->state = Group::State::placed;
    } else {
        group->error = room.error();
        group->state = Group::State::failed;
    }
    group->bytes = {};
    core_.end_claim(group->segment, std::exchange(group->claim_left, 0));
    placed_.notify_all();
}

/// Leaves out what nobody wants to have written.
void SpoolGroups::drop_released(Group& group) const {
    auto const gone = std::count(group.released.begin(), group.released.end(), true);
    auto const all = gone == static_cast<std::ptrdiff_t>(group.released.size());
    if (gone == 0 || (keeps_all_ && !(all && ending_))) return;
    Group kept;
    for (std::size_t i = 0; i < group.entries.size(); ++i) {
        if (group.released[i]) continue;
        auto& entry = kept.entries.emplace_back(std::move(group.entries[i]));
        auto const from = group.bytes.begin() + static_cast<std::ptrdiff_t>(entry.at);
        entry.at = kept.bytes.size();
        kept.bytes.insert(kept.bytes.end(), from,
                          from + static_cast<std::ptrdiff_t>(entry.plain_bytes));
        kept.released.push_back(false);
    }
    std::swap(group.entries, kept.entries);
    std::swap(group.bytes, kept.bytes);
    std::swap(group.released, kept.released);
}

/// Appends the frame and counts its items as finished.
void SpoolGroups::put(Group& group) {
    drop_released(group);
    auto const& entries = group.entries;
    if (entries.empty()) return;
    auto const plain = encode_group(entries, group.bytes);
    FrameContent content{.type = FrameType::group,
                         .plain_bytes = static_cast<std::uint32_t>(plain.size())};
    std::span<std::byte const> body = plain;
    if (auto const packed = core_.codec().pack(plain, core_.level())) {
        content.codec = FrameCodec::zstd;
        body = *packed;
    }
    auto& segment = *group.segment;
    auto const taken = frame_claim_bytes(body.size()) + entries.size() * seal_entry_bytes;
    MAILFERRY_ASSERT(group.claim_left >= taken);
    group.claim_left -= taken;
    segment.claimed_bytes -= taken;
    auto const frame = segment.writer->append(content, body);
    core_.count(group.bytes.size(), body.size());
    group.location = {segment.header.sequence, frame.offset, frame.end()};
    std::vector<std::uint64_t> ids;
    for (auto const& entry : entries) ids.push_back(entry.item);
    std::sort(ids.begin(), ids.end());
    for (auto const id : ids) {
        segment.finished.push_back({id, frame.offset, frame.end() - frame.offset});
        segment.live.add(frame.end(), id);
    }
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (group.released[i]) segment.live.remove(frame.end(), entries[i].item);
}

awaitable<Result<SpoolLocation>> SpoolGroups::place(std::uint64_t item) {
    auto const found = members_.find(item);
    MAILFERRY_ASSERT(found != members_.end());
    auto const group = found->second;
    begin_writing(group);
    while (group->state == Group::State::writing) co_await placed_.wait();
    if (group->error) co_return *group->error;
    co_return group->location;
}

void SpoolGroups::release(std::uint64_t item) {
    auto const found = members_.find(item);
    MAILFERRY_ASSERT(found != members_.end());
    auto const group = std::move(found->second);
    members_.erase(found);
    for (std::size_t i = 0; i < group->entries.size(); ++i)
        if (group->entries[i].item == item) group->released[i] = true;
    if (group->state != Group::State::placed) return;
    group->segment->live.remove(group->location.end, item);
    core_.look_after(group->segment);
}

void SpoolGroups::end() {
    ending_ = true;
    write_out(nullptr);
}

void SpoolGroups::write_out(Segment const* segment) {
    std::vector<GroupPtr> groups;
    for (auto const& [owner, group] : collecting_)
        if (segment == nullptr || group->segment.get() == segment) groups.push_back(group);
    for (auto const& group : groups) begin_writing(group);
}

GroupCache::UnpackedPtr GroupCache::find(std::uint64_t segment, std::uint64_t offset) {
    auto const found = std::find_if(kept_.begin(), kept_.end(), [&](auto const& group) {
        return group->segment == segment && group->offset == offset;
    });
    if (found == kept_.end()) return nullptr;
    std::rotate(found, found + 1, kept_.end());
    return kept_.back();
}

void GroupCache::keep(UnpackedPtr group) {
    if (kept_.size() == kept_max) kept_.erase(kept_.begin());
    kept_.push_back(std::move(group));
}

}  // namespace mailferry::store
