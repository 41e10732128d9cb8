#pragma once

/// One mailbox: its folders, its items, and what changed in which order (for delta queries).

#include "tests/support/graphsim/clock.hpp"
#include "tests/support/graphsim/logical_item.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace graphsim {

using FolderKey = std::uint64_t;
using ItemKey = std::uint64_t;  ///< Survives moves; becomes the immutable id.

struct Item {
    LogicalItem logical;
    ItemKey key = 0;
    FolderKey folder = 0;
    std::uint64_t number = 0;  ///< Becomes the default id; another one after a move.
    std::uint64_t change = 0;  ///< Becomes the change key.
    Time modified{};
    bool corrupt = false;  ///< Can be listed, not exported.
};

/// What a delta query tells of one id of a folder. A later change replaces an earlier one.
struct Change {
    std::uint64_t number = 0;
    ItemKey key = 0;
    bool removed = false;
    bool restorable = false;
};

/// Changes by their sequence number, one for each id.
class ChangeLog {
public:
    void note(std::uint64_t sequence, Change const& change);
    std::map<std::uint64_t, Change> const& entries() const { return entries_; }

private:
    std::map<std::uint64_t, Change> entries_;
    std::unordered_map<std::uint64_t, std::uint64_t> sequence_of_;
};

struct Folder {
    FolderKey key = 0;
    FolderKey parent = 0;  ///< 0: below nothing.
    std::string name;
    std::string folder_class;
    std::string well_known;
    bool hidden = false;
    bool search = false;
    bool made_by_system = false;
    std::set<ItemKey> items;
    ChangeLog item_changes;
    ChangeLog child_changes;
};

class Mailbox {
public:
    Mailbox(std::string guid, std::string tenant, std::string owner, std::string_view language);

    std::string const& guid() const { return guid_; }
    std::string const& tenant() const { return tenant_; }
    std::string const& owner() const { return owner_; }  ///< userPrincipalName
    std::string id() const { return "MBX:" + guid_ + "@" + tenant_; }
    std::uint64_t seed() const { return seed_; }

    std::map<FolderKey, Folder> const& folders() const { return folders_; }
    std::unordered_map<ItemKey, Item> const& items() const { return items_; }
    std::uint64_t used_bytes() const { return used_bytes_; }
    /// The sequence number of the last change.
    std::uint64_t sequence() const { return sequence_; }

    FolderKey top() const { return well_known("msgfolderroot"); }
    FolderKey well_known(std::string_view name) const;  ///< 0: none; case ignored.
    Folder const* folder(FolderKey key) const;
    std::vector<Folder const*> children(FolderKey parent) const;
    /// Name compared without case; nullptr if there is none.
    Folder const* child(FolderKey parent, std::string_view name) const;
    std::vector<std::string> path(FolderKey key) const;  ///< From below the top.

    FolderKey add_folder(FolderKey parent, std::string name, std::string folder_class);
    void rename_folder(FolderKey key, std::string name);
    void remove_folder(FolderKey key);  ///< With all that is in it.
    void set_search(FolderKey key, bool search, bool hidden);

    /// What a search folder shows: the unread messages, which lie in other folders.
    std::set<ItemKey> found_by_search() const;

    Item const* item(ItemKey key) const;
    Item const* item_by_number(std::uint64_t number) const;
    ItemKey add_item(FolderKey folder, LogicalItem logical, Time now);
    void replace_item(ItemKey key, LogicalItem logical, Time now);
    void move_item(ItemKey key, FolderKey folder, Time now);
    void remove_item(ItemKey key);
    void set_corrupt(ItemKey key) { items_.at(key).corrupt = true; }

    std::string folder_id(FolderKey key) const;
    std::string item_id(Item const& item, bool immutable) const;
    std::string item_id(Change const& change, bool immutable) const;
    std::string change_key_of(Item const& item) const;

private:
    void note_child(FolderKey parent, FolderKey child, bool removed);

    std::string guid_, tenant_, owner_;
    std::uint64_t seed_;
    std::map<FolderKey, Folder> folders_;
    std::unordered_map<ItemKey, Item> items_;
    std::unordered_map<std::uint64_t, ItemKey> key_of_number_;
    std::uint64_t used_bytes_ = 0;
    std::uint64_t sequence_ = 0;
    std::uint64_t last_folder_ = 0;
    std::uint64_t last_item_ = 0;
    std::uint64_t last_number_ = 0;
};

}  // namespace graphsim
