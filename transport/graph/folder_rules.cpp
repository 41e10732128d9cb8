#include "transport/graph/folder_rules.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <set>

namespace mailferry::graph {
namespace {

using transport::Folder;
using transport::FolderPath;
using transport::FolderRole;
using transport::ItemKind;

constexpr int depth_max = 300;  ///< The service's own limit.

struct NamedRole {
    std::string_view name;
    FolderRole role;
};
constexpr std::array<NamedRole, 12> roles{{{"inbox", FolderRole::inbox},
                                           {"sentitems", FolderRole::sent},
                                           {"drafts", FolderRole::drafts},
                                           {"deleteditems", FolderRole::trash},
                                           {"archive", FolderRole::archive},
                                           {"junkemail", FolderRole::junk},
                                           {"outbox", FolderRole::outbox},
                                           {"calendar", FolderRole::calendar},
                                           {"contacts", FolderRole::contacts},
                                           {"tasks", FolderRole::tasks},
                                           {"notes", FolderRole::notes},
                                           {"journal", FolderRole::journal}}};

/// The default folder of each class, where it stands at the top and alone.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> default_classes{
    {{"ipf.appointment", "calendar"},
     {"ipf.contact", "contacts"},
     {"ipf.task", "tasks"},
     {"ipf.stickynote", "notes"},
     {"ipf.journal", "journal"}}};

struct NamedReason {
    std::string_view name, reason;
};
constexpr std::array<NamedReason, 7> left_out_names{
    {{"searchfolders", "search folders"},
     {"syncissues", "synchronisation log"},
     {"conflicts", "synchronisation log"},
     {"localfailures", "synchronisation log"},
     {"serverfailures", "synchronisation log"},
     {"outbox", "outbox: what is there was never sent"},
     {"scheduled", "mail waiting to be sent"}}};

/// System folders at the top that bear the same name in every language.
constexpr std::array<std::string_view, 7> system_folders{"yammer root",
                                                         "social activity notifications",
                                                         "conversation action settings",
                                                         "externalcontacts",
                                                         "personmetadata",
                                                         "quick step settings",
                                                         "sync issues"};

/// A search folder only shows what lies elsewhere.
std::uint64_t own_items(GraphFolder const& folder) {
    return folder.search_folder ? 0 : folder.items;
}

std::string folded_class(std::string_view folder_class) {
    return folder_class.empty() ? "ipf.note" : config::fold_case(folder_class);
}

/// Why a folder isn't copied; "" if it is.
std::string reason_to_leave(GraphFolder const& folder, std::string const& name, bool top) {
    if (folder.search_folder) return "search folder";
    if (folder.hidden) return "hidden system folder";
    for (auto const& known : left_out_names)
        if (name == known.name) return std::string(known.reason);
    if (name.starts_with("recoverableitems")) return "recoverable items";
    auto const folder_class = folded_class(folder.type);
    if (folder_class.starts_with("ipf.note.outlookhomepage")) return "web page or feed";
    auto const plain = config::fold_case(folder.name);
    bool const system =
        std::find(system_folders.begin(), system_folders.end(), plain) != system_folders.end() ||
        plain.starts_with("myanalytics");
    if (top && name.empty() && system) return "system folder";
    if (!kind_of(folder.type)) return "folders of class " + folder.type + " aren't copied";
    return {};
}

class TreeMaker {
public:
    TreeMaker(std::vector<GraphFolder> const& listed,
              std::map<std::string, std::string> const& names) {
        for (auto const& folder : listed) {
            by_id_.emplace(folder.id, &folder);
            auto name = config::fold_case(folder.well_known.value_or(""));
            if (auto const asked = names.find(folder.id); name.empty() && asked != names.end())
                name = asked->second;
            if (!name.empty()) names_.emplace(folder.id, std::move(name));
        }
        for (auto const& folder : listed)
            children_[is_top(folder) ? std::string() : folder.parent_id].push_back(&folder);
        find_defaults();
    }

    FolderTree make() {
        descend({}, {}, {}, 0);
        return std::move(tree_);
    }

private:
    bool is_top(GraphFolder const& folder) const {
        return folder.parent_id == folder.id || !by_id_.contains(folder.parent_id);
    }

    std::string name_of(GraphFolder const& folder) const {
        auto const known = names_.find(folder.id);
        return known == names_.end() ? std::string() : known->second;
    }

    void find_defaults() {
        std::set<std::string> taken;
        for (auto const& [id, name] : names_) taken.insert(name);
        for (auto const& [folder_class, name] : default_classes) {
            if (taken.contains(std::string(name))) continue;
            GraphFolder const* found = nullptr;
            int count = 0;
            for (auto const* folder : children_[{}]) {
                if (folded_class(folder->type) != folder_class || folder->hidden) continue;
                found = folder;
                ++count;
            }
            if (count == 1) names_.emplace(found->id, std::string(name));
        }
    }

    /// Children of `parent`; `reason` is why they are left out with it.
    void descend(std::string const& parent, FolderPath const& path, std::string const& reason,
                 int depth) {
        auto const found = children_.find(parent);
        if (found == children_.end() || depth > depth_max) return;
        for (auto const* listed : found->second) {
            if (!visited_.insert(listed->id).second) continue;
            auto own = path;
            own.push_back(listed->name);
            auto why =
                reason.empty() ? reason_to_leave(*listed, name_of(*listed), depth == 0) : reason;
            // The root has no name of its own in paths, should a server list it.
            if (name_of(*listed) == "msgfolderroot") {
                descend(listed->id, path, reason, depth);
                continue;
            }
            if (why.empty())
                add(*listed, own);
            else
                tree_.left_out.push_back({own, why, own_items(*listed)});
            descend(listed->id, own, why, depth + 1);
        }
    }

    void add(GraphFolder const& listed, FolderPath path) {
        Folder folder;
        folder.id = listed.id;
        folder.path = std::move(path);
        folder.kind = *kind_of(listed.type);
        folder.role = role_of(name_of(listed));
        folder.native_class = listed.type;
        folder.items = listed.items;
        tree_.folders.push_back(std::move(folder));
    }

    std::map<std::string, GraphFolder const*> by_id_;
    std::map<std::string, std::string> names_;
    std::map<std::string, std::vector<GraphFolder const*>> children_;
    std::set<std::string> visited_;
    FolderTree tree_;
};

}  // namespace

FolderRole role_of(std::string_view well_known_name) {
    auto const name = config::fold_case(well_known_name);
    for (auto const& known : roles)
        if (known.name == name) return known.role;
    return FolderRole::none;
}

std::optional<ItemKind> kind_of(std::string_view folder_class) {
    auto const name = folded_class(folder_class);
    auto const within = [&](std::string_view root) {
        return name == root || (name.starts_with(root) && name[root.size()] == '.');
    };
    if (name == "ipf.appointment.birthday") return std::nullopt;
    if (name == "ipf" || name == "ipf.imap" || within("ipf.note")) return ItemKind::mail;
    if (within("ipf.appointment")) return ItemKind::calendar;
    if (name == "ipf.contact") return ItemKind::contacts;
    if (within("ipf.task") || within("ipf.stickynote") || within("ipf.journal"))
        return ItemKind::tasks;
    return std::nullopt;
}

std::string class_of(Folder const& folder) {
    if (!folder.native_class.empty()) return folder.native_class;
    if (folder.role == FolderRole::notes) return "IPF.StickyNote";
    if (folder.role == FolderRole::journal) return "IPF.Journal";
    switch (folder.kind) {
    case ItemKind::mail: return "IPF.Note";
    case ItemKind::calendar: return "IPF.Appointment";
    case ItemKind::contacts: return "IPF.Contact";
    case ItemKind::tasks: return "IPF.Task";
    }
    return "IPF.Note";
}

bool same_class(std::string_view a, std::string_view b) {
    return folded_class(a) == folded_class(b);
}

FolderTree tree_of(std::vector<GraphFolder> const& listed,
                   std::map<std::string, std::string> const& names) {
    return TreeMaker(listed, names).make();
}

bool is_left_with_all_below(GraphFolder const& folder) {
    if (folder.search_folder || folder.hidden) return true;
    auto const name = config::fold_case(folder.well_known.value_or(""));
    return std::any_of(left_out_names.begin(), left_out_names.end(),
                       [&](NamedReason const& known) { return known.name == name; });
}

std::vector<std::string_view> names_to_ask(std::vector<GraphFolder> const& listed) {
    std::set<std::string> ids, given;
    bool any_member = false;
    for (auto const& folder : listed) {
        ids.insert(folder.id);
        any_member = any_member || folder.well_known.has_value();
        if (folder.well_known) given.insert(config::fold_case(*folder.well_known));
    }
    std::vector<std::string_view> open;
    for (auto const name : well_known_names) {
        if (given.contains(std::string(name))) continue;
        auto const by_class = std::find_if(default_classes.begin(), default_classes.end(),
                                           [&](auto const& entry) { return entry.second == name; });
        if (by_class != default_classes.end()) {
            auto const count = std::count_if(listed.begin(), listed.end(), [&](auto const& folder) {
                bool const top = !ids.contains(folder.parent_id);
                return top && !folder.hidden && folded_class(folder.type) == by_class->first;
            });
            // One is the default, none has none.
            if (count > 1) open.push_back(name);
            continue;
        }
        if (!any_member) open.push_back(name);
    }
    return open;
}

}  // namespace mailferry::graph
