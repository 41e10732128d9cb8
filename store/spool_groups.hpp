#pragma once

/// Small items that share a frame: packed together they take half the room and half the work. Only
/// items of one owner do, so that no byte of one mailbox shapes the length of another's.

#include "async/event.hpp"
#include "store/segment_space.hpp"
#include "store/spool.hpp"
#include "store/spool_format.hpp"

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace mailferry::store {

class SpoolCore;
struct Segment;

/// An item up to this size is grouped.
inline constexpr std::uint64_t grouped_item_bytes_max = 16U << 10;
/// A group of this size is written.
inline constexpr std::size_t group_bytes = 256U << 10;
static_assert(group_bytes + grouped_item_bytes_max + announced_slack_bytes < plain_bytes_max / 2);

class SpoolGroups {
public:
    /// `keeps_all`: what is released before it was written is written all the same.
    SpoolGroups(SpoolCore& core, asio::any_io_executor executor, bool keeps_all)
        : core_(core), placed_(std::move(executor)), keeps_all_(keeps_all) {}

    struct Item {
        std::uint64_t id = 0;
        std::vector<std::byte> bytes;
        Sha256Digest digest{};
        std::string meta;
    };
    /// Takes over the item's claim in `segment`, of which `claim_left` bytes are left.
    void add(ItemOwner owner, std::shared_ptr<Segment> const& segment, std::uint64_t claim_left,
             Item item);

    /// True from add() to release(): only place() knows where the item lies.
    bool has(std::uint64_t item) const { return members_.contains(item); }
    /// Has the item's group written if it isn't yet, and waits for its place. io_error if it has
    /// none: the segment was closed.
    awaitable<Result<SpoolLocation>> place(std::uint64_t item);
    void release(std::uint64_t item);

    /// Writes everything that is collected for `segment`; null: for any.
    void write_out(Segment const* segment);
    /// The spool closes: writes what somebody may still need. What is left in groups that nobody
    /// does need would go with its segment at once.
    void end();

private:
    struct Group;
    using GroupPtr = std::shared_ptr<Group>;
    struct Member {
        GroupPtr group;
        std::size_t index = 0;
    };

    void begin_writing(GroupPtr const& group);
    awaitable<void> write(GroupPtr group);
    bool is_wanted(Group const& group, std::size_t index) const;
    void put(Group& group);

    SpoolCore& core_;
    Event placed_;
    bool const keeps_all_;
    bool ending_ = false;
    std::unordered_map<ItemOwner, GroupPtr> collecting_;
    std::unordered_map<std::uint64_t, Member> members_;  ///< By item.
};

/// The last groups that were read, unpacked: their items are asked for one after the other.
class GroupCache {
public:
    struct Unpacked {
        std::uint64_t segment = 0, offset = 0;
        std::vector<std::byte> body;
        std::vector<GroupEntry> entries;
    };
    using UnpackedPtr = std::shared_ptr<Unpacked const>;

    UnpackedPtr find(std::uint64_t segment, std::uint64_t offset);
    void keep(UnpackedPtr group);

private:
    static constexpr std::size_t kept_max = 16;
    std::vector<UnpackedPtr> kept_;  ///< The one used last is the last.
};

}  // namespace mailferry::store
