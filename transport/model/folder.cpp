#include "transport/model/folder.hpp"

#include <array>
#include <utility>

namespace mailferry::transport {
namespace {
constexpr std::array<std::pair<FolderRole, std::string_view>, 16> role_names{{
    {FolderRole::none, "none"},
    {FolderRole::inbox, "inbox"},
    {FolderRole::all, "all"},
    {FolderRole::archive, "archive"},
    {FolderRole::drafts, "drafts"},
    {FolderRole::flagged, "flagged"},
    {FolderRole::important, "important"},
    {FolderRole::junk, "junk"},
    {FolderRole::sent, "sent"},
    {FolderRole::trash, "trash"},
    {FolderRole::outbox, "outbox"},
    {FolderRole::calendar, "calendar"},
    {FolderRole::contacts, "contacts"},
    {FolderRole::tasks, "tasks"},
    {FolderRole::notes, "notes"},
    {FolderRole::journal, "journal"},
}};
}  // namespace

std::string_view to_string(FolderRole role) {
    return role_names[static_cast<std::size_t>(role)].second;
}

std::optional<FolderRole> folder_role_from(std::string_view name) {
    for (auto const& [role, known] : role_names)
        if (known == name) return role;
    return std::nullopt;
}

std::string_view to_string(ItemKind kind) {
    switch (kind) {
    case ItemKind::mail: return "mail";
    case ItemKind::calendar: return "calendar";
    case ItemKind::contacts: return "contacts";
    case ItemKind::tasks: return "tasks";
    }
    return "mail";
}

std::string display(FolderPath const& path) {
    std::string joined;
    for (auto const& component : path) {
        if (!joined.empty()) joined += '/';
        for (char const c : component) {
            if (c == '/')
                joined += "\u2215";
            else
                joined += c;
        }
    }
    return joined;
}

}  // namespace mailferry::transport
