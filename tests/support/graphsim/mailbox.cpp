#include "tests/support/graphsim/mailbox.hpp"

#include "tests/support/graphsim/default_folders.hpp"
#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/ids.hpp"

#include <algorithm>
#include <cstring>

namespace graphsim {

void ChangeLog::note(std::uint64_t sequence, Change const& change) {
    auto const [place, fresh] = sequence_of_.emplace(change.number, sequence);
    if (!fresh) {
        entries_.erase(place->second);
        place->second = sequence;
    }
    entries_.emplace(sequence, change);
}

Mailbox::Mailbox(std::string guid, std::string tenant, std::string owner, std::string_view language)
    : guid_(std::move(guid)), tenant_(std::move(tenant)), owner_(std::move(owner)) {
    auto const digest = sha256(guid_ + tenant_);
    std::memcpy(&seed_, digest.data(), sizeof seed_);
    std::map<std::string_view, FolderKey> keys;
    for (auto const& plan : default_folders()) {
        auto const parent = plan.parent.empty() ? 0 : keys.at(plan.parent);
        auto const name = language == "de" ? plan.german : plan.english;
        auto const key = add_folder(parent, std::string(name), std::string(plan.folder_class));
        auto& folder = folders_.at(key);
        folder.well_known = plan.well_known;
        folder.hidden = plan.hidden;
        folder.search = plan.search;
        folder.made_by_system = true;
        keys[plan.key] = key;
    }
}

FolderKey Mailbox::well_known(std::string_view name) const {
    for (auto const& [key, folder] : folders_) {
        if (!folder.well_known.empty() && equal_folded(folder.well_known, name)) return key;
    }
    return 0;
}

Folder const* Mailbox::folder(FolderKey key) const {
    auto const found = folders_.find(key);
    return found == folders_.end() ? nullptr : &found->second;
}

std::vector<Folder const*> Mailbox::children(FolderKey parent) const {
    std::vector<Folder const*> found;
    for (auto const& [key, folder] : folders_) {
        if (folder.parent == parent) found.push_back(&folder);
    }
    return found;
}

Folder const* Mailbox::child(FolderKey parent, std::string_view name) const {
    for (auto const& [key, folder] : folders_) {
        if (folder.parent == parent && equal_folded(folder.name, name)) return &folder;
    }
    return nullptr;
}

std::vector<std::string> Mailbox::path(FolderKey key) const {
    std::vector<std::string> names;
    for (auto const* each = folder(key); each != nullptr && each->key != top();
         each = folder(each->parent)) {
        names.insert(names.begin(), each->name);
    }
    return names;
}

void Mailbox::note_child(FolderKey parent, FolderKey child, bool removed) {
    ++sequence_;
    auto const found = folders_.find(parent);
    if (found == folders_.end()) return;
    found->second.child_changes.note(sequence_, Change{child, child, removed, false});
}

FolderKey Mailbox::add_folder(FolderKey parent, std::string name, std::string folder_class) {
    auto const key = ++last_folder_;
    Folder folder;
    folder.key = key;
    folder.parent = parent;
    folder.name = std::move(name);
    folder.folder_class = std::move(folder_class);
    folders_.emplace(key, std::move(folder));
    note_child(parent, key, false);
    return key;
}

void Mailbox::rename_folder(FolderKey key, std::string name) {
    auto& folder = folders_.at(key);
    folder.name = std::move(name);
    note_child(folder.parent, key, false);
}

void Mailbox::remove_folder(FolderKey key) {
    for (auto const* child : children(key)) remove_folder(child->key);
    auto const items = folders_.at(key).items;
    for (auto const item : items) remove_item(item);
    auto const parent = folders_.at(key).parent;
    folders_.erase(key);
    note_child(parent, key, true);
}

void Mailbox::set_search(FolderKey key, bool search, bool hidden) {
    folders_.at(key).search = search;
    folders_.at(key).hidden = hidden;
}

std::set<ItemKey> Mailbox::found_by_search() const {
    std::set<ItemKey> keys;
    for (auto const& [key, folder] : folders_) {
        for (auto const each : folder.items) {
            auto const& logical = items_.at(each).logical;
            bool const unread = (logical.message_flags & LogicalItem::read) == 0;
            if (unread && logical.item_class.starts_with("IPM.Note")) keys.insert(each);
        }
    }
    return keys;
}

Item const* Mailbox::item(ItemKey key) const {
    auto const found = items_.find(key);
    return found == items_.end() ? nullptr : &found->second;
}

Item const* Mailbox::item_by_number(std::uint64_t number) const {
    auto const found = key_of_number_.find(number);
    return found == key_of_number_.end() ? nullptr : item(found->second);
}

ItemKey Mailbox::add_item(FolderKey folder, LogicalItem logical, Time now) {
    Item item;
    item.key = ++last_item_;
    item.number = ++last_number_;
    item.folder = folder;
    item.change = ++sequence_;
    item.modified = now;
    item.logical = std::move(logical);
    used_bytes_ += item.logical.size;
    auto& place = folders_.at(folder);
    place.items.insert(item.key);
    place.item_changes.note(sequence_, Change{item.number, item.key, false, false});
    key_of_number_.emplace(item.number, item.key);
    auto const key = item.key;
    items_.emplace(key, std::move(item));
    return key;
}

void Mailbox::replace_item(ItemKey key, LogicalItem logical, Time now) {
    auto& item = items_.at(key);
    used_bytes_ += logical.size - item.logical.size;
    item.logical = std::move(logical);
    item.change = ++sequence_;
    item.modified = now;
    folders_.at(item.folder).item_changes.note(sequence_, Change{item.number, key, false, false});
}

void Mailbox::move_item(ItemKey key, FolderKey folder, Time now) {
    auto& item = items_.at(key);
    auto& old_place = folders_.at(item.folder);
    old_place.items.erase(key);
    old_place.item_changes.note(++sequence_, Change{item.number, key, true, true});
    key_of_number_.erase(item.number);
    item.number = ++last_number_;
    key_of_number_.emplace(item.number, key);
    item.folder = folder;
    item.change = ++sequence_;
    item.modified = now;
    auto& place = folders_.at(folder);
    place.items.insert(key);
    place.item_changes.note(sequence_, Change{item.number, key, false, false});
}

void Mailbox::remove_item(ItemKey key) {
    auto const& item = items_.at(key);
    used_bytes_ -= item.logical.size;
    auto& place = folders_.at(item.folder);
    place.items.erase(key);
    place.item_changes.note(++sequence_, Change{item.number, key, true, false});
    key_of_number_.erase(item.number);
    items_.erase(key);
}

std::string Mailbox::folder_id(FolderKey key) const {
    return encode_id(IdKind::folder, seed_, key);
}

std::string Mailbox::item_id(Item const& item, bool immutable) const {
    return immutable ? encode_id(IdKind::immutable_item, seed_, item.key)
                     : encode_id(IdKind::item, seed_, item.number);
}

std::string Mailbox::item_id(Change const& change, bool immutable) const {
    return immutable ? encode_id(IdKind::immutable_item, seed_, change.key)
                     : encode_id(IdKind::item, seed_, change.number);
}

std::string Mailbox::change_key_of(Item const& item) const {
    return change_key(seed_, item.change);
}

}  // namespace graphsim
