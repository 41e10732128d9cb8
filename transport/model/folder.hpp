#pragma once

/// A folder as every connector sees it: mail folders, calendars, address books and task lists
/// alike.

#include "config/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::transport {

using config::ItemKind;

/// What a folder is for, whatever its name and language (RFC 6154, Graph's well-known names).
/// calendar, contacts, tasks, notes and journal are the mailbox's default ones of that kind.
enum class FolderRole {
    none,
    inbox,
    all,
    archive,
    drafts,
    flagged,
    important,
    junk,
    sent,
    trash,
    outbox,
    calendar,
    contacts,
    tasks,
    notes,
    journal,
};

std::string_view to_string(FolderRole role);
std::optional<FolderRole> folder_role_from(std::string_view name);
std::string_view to_string(ItemKind kind);

/// Components from the root, decoded to UTF-8; never joined except for people to read.
using FolderPath = std::vector<std::string>;
std::string display(FolderPath const& path);  ///< "Archive/2019"; a slash inside a name shows as ∕.

struct Folder {
    std::string id =
        {};  ///< The server's own handle, opaque to the engine and durable in the ledger.
    FolderPath path = {};
    ItemKind kind = ItemKind::mail;
    FolderRole role = FolderRole::none;
    /// The server's own type of the folder where `kind` doesn't say all ("IPF.StickyNote"); a
    /// target of the same sort makes the folder with it. "": what the kind implies.
    std::string native_class = {};
    bool holds_items = true;  ///< False for a mere node of the tree (\Noselect).
    bool subscribed = false;
    std::uint64_t items = 0;  ///< As listed; 0 if the listing doesn't tell.
    /// Equal to the mark that the last scan answered with if nothing has changed since. "" if the
    /// listing can't tell.
    std::string mark = {};
};

/// A folder that a connector leaves out whatever the configuration says, for people to read.
struct LeftOutFolder {
    FolderPath path;
    std::string reason;
    std::uint64_t items = 0;
};

}  // namespace mailferry::transport
