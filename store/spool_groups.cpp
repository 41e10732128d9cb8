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
    std::size_t bytes = 0;
    std::vector<Item> items;  ///< Until they are written.
    std::vector<bool> released;
    std::size_t left = 0;  ///< Not released.
    SpoolLocation location;
    std::optional<Error> error;
};

void SpoolGroups::add(ItemOwner owner, std::shared_ptr<Segment> const& segment,
                      std::uint64_t claim_left, Item item) {
    if (auto const other = collecting_[owner]; other && other->segment != segment)
        begin_writing(other);
    auto const kept =
        item.bytes.size() + item.meta.size() + group_entry_fixed_bytes + seal_entry_bytes;
    auto& group = collecting_[owner];
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
    group->bytes += item.bytes.size();
    ++group->left;
    members_.emplace(item.id, Member{group, group->items.size()});
    group->items.push_back(std::move(item));
    group->released.push_back(false);
    if (group->bytes >= group_bytes || !core_.is_filling(*segment)) begin_writing(GroupPtr(group));
}

void SpoolGroups::begin_writing(GroupPtr const& group) {
    if (group->state != Group::State::collecting) return;
    group->state = Group::State::writing;
    std::erase_if(collecting_, [&](auto const& entry) { return entry.second == group; });
    core_.spawn(write(group));
}

awaitable<void> SpoolGroups::write(GroupPtr group) {
    std::uint64_t body_bytes = group_body_fixed_bytes;
    for (auto const& item : group->items)
        body_bytes += group_entry_fixed_bytes + item.meta.size() + item.bytes.size();
    auto const room = co_await group->segment->writer->room_for(frame_bytes(body_bytes));
    if (room) {
        put(*group);
        group->state = Group::State::placed;
    } else {
        group->error = room.error();
        group->state = Group::State::failed;
    }
    group->items = {};
    core_.end_claim(group->segment, std::exchange(group->claim_left, 0));
    placed_.notify_all();
}

/// What was released needn't be written, but where everything is; at the end it is written only if
/// somebody needs another item of the group.
bool SpoolGroups::is_wanted(Group const& group, std::size_t index) const {
    if (!group.released[index]) return true;
    return keeps_all_ && !(ending_ && group.left == 0);
}

/// Appends the frame and counts its items as finished.
void SpoolGroups::put(Group& group) {
    std::vector<GroupEntry> entries;
    std::uint64_t plain_bytes = 0;
    for (std::size_t i = 0; i < group.items.size(); ++i) {
        if (!is_wanted(group, i)) continue;
        auto const& item = group.items[i];
        entries.push_back({item.id, item.digest, item.meta, item.bytes});
        plain_bytes += item.bytes.size();
    }
    if (entries.empty()) return;
    auto const plain = encode_group(entries);
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
    core_.count(plain_bytes, body.size());
    group.location = {segment.header.sequence, frame.offset, frame.end()};
    std::sort(entries.begin(), entries.end(),
              [](auto const& a, auto const& b) { return a.item < b.item; });
    for (auto const& entry : entries) {
        segment.finished.push_back({entry.item, frame.offset, frame.end() - frame.offset});
        segment.live.add(frame.end(), entry.item);
    }
    for (std::size_t i = 0; i < group.items.size(); ++i)
        if (group.released[i]) segment.live.remove(frame.end(), group.items[i].id);
}

awaitable<Result<SpoolLocation>> SpoolGroups::place(std::uint64_t item) {
    auto const found = members_.find(item);
    MAILFERRY_ASSERT(found != members_.end());
    auto const group = found->second.group;
    begin_writing(group);
    while (group->state == Group::State::writing) co_await placed_.wait();
    if (group->error) co_return *group->error;
    co_return group->location;
}

void SpoolGroups::release(std::uint64_t item) {
    auto const found = members_.find(item);
    MAILFERRY_ASSERT(found != members_.end());
    auto const [group, index] = std::move(found->second);
    members_.erase(found);
    group->released[index] = true;
    --group->left;
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
