#pragma once

/// What a mailbox's folders are, whatever their language, and which of them aren't copied (brief,
/// 2.2, 9.5 and 9.6).

#include "transport/graph/resources.hpp"
#include "transport/model/folder.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::graph {

/// "inbox", "sentitems", …: those that are asked for where a listing doesn't name them.
inline constexpr std::array<std::string_view, 14> well_known_names{
    "inbox",    "sentitems", "drafts", "deleteditems", "archive", "junkemail",  "outbox",
    "calendar", "contacts",  "tasks",  "notes",        "journal", "syncissues", "searchfolders"};

transport::FolderRole role_of(std::string_view well_known_name);

/// The kind of items in folders of this class; nothing for classes that aren't copied. Sticky notes
/// and journals go with the tasks.
std::optional<transport::ItemKind> kind_of(std::string_view folder_class);
/// The class for a new folder.
std::string class_of(transport::Folder const& folder);
/// The same class, as folders are compared: null is IPF.Note, case doesn't count.
bool same_class(std::string_view a, std::string_view b);

struct FolderTree {
    std::vector<transport::Folder> folders;  ///< Parents before children.
    std::vector<transport::LeftOutFolder> left_out;
};

/// `listed` in any order; folders whose parent isn't listed are at the top. `names`: folder id to
/// well-known name, for what the listing doesn't say.
FolderTree tree_of(std::vector<GraphFolder> const& listed,
                   std::map<std::string, std::string> const& names);

/// Nothing below it is copied either: needn't be listed.
bool is_left_with_all_below(GraphFolder const& folder);

/// Well-known names that the listing leaves open and that can't be told from the classes either:
/// worth a question each.
std::vector<std::string_view> names_to_ask(std::vector<GraphFolder> const& listed);

}  // namespace mailferry::graph
