#pragma once

/// One message, event, task or contact and its metadata; the bytes themselves are streamed.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailferry::transport {

/// The item's number within (folder, generation): a UID, or a number that the ledger gave to
/// `name`.
using ItemNumber = std::uint64_t;

/// An instant and the zone it was written in.
struct ReceivedDate {
    std::int64_t unix_seconds = 0;
    std::int16_t zone_minutes = 0;
    bool operator==(ReceivedDate const&) const = default;
};

/// System flags (`\Seen`) and keywords, sorted and unique, in the server's spelling.
using Flags = std::vector<std::string>;

struct ItemMeta {
    ItemNumber number = 0;  ///< 0 while an item that has a name has no number yet.
    std::string name;       ///< For servers that name items instead of numbering them; else "".
    ReceivedDate received;
    Flags flags;
    std::uint64_t size = 0;  ///< Octets. In a scan: as announced, for planning only.
    /// Another one after each change of the item, flags included. "" where an item never changes
    /// but in its flags.
    std::string version;
    /// What is equal at the source and in the copy at the target, and in nothing else, where the
    /// bytes of two readings may differ. "": the bytes themselves are that.
    std::string identity;
};

/// An item to be fetched.
struct ItemRef {
    ItemNumber number = 0;
    std::uint64_t size = 0;  ///< As listed.
    /// What the scan said of it, with its number; null where numbers do.
    std::shared_ptr<ItemMeta const> named = {};
};

/// Received dates that a pass covers: since <= date < before, in UTC instants.
struct Window {
    std::optional<std::int64_t> since, before;  ///< Unix seconds; nothing: without a bound.
    bool contains(std::int64_t instant) const {
        return (!since || instant >= *since) && (!before || instant < *before);
    }
    /// Whether every instant of `other` lies in this window.
    bool covers(Window const& other) const {
        auto const from_ok = !since || (other.since && *other.since >= *since);
        auto const to_ok = !before || (other.before && *other.before <= *before);
        return from_ok && to_ok;
    }
    bool operator==(Window const&) const = default;
};

}  // namespace mailferry::transport
