#pragma once

/// Reads a mailbox's folders: one request for the top, and one for each folder that has children.

#include "transport/graph/api.hpp"
#include "transport/graph/folder_rules.hpp"

namespace mailferry::graph {

/// The id of `address`'s mailbox. mailbox_refused names what is missing: mailbox, licence,
/// permission or scope.
awaitable<Result<std::string>> find_mailbox(Api& api, std::string address);

/// What the server lists, hidden and system folders included.
struct ListedFolders {
    std::vector<GraphFolder> folders;
    std::map<std::string, std::string> names;  ///< As tree_of() takes them.
};
awaitable<Result<ListedFolders>> list_folders(Api& api, std::string mailbox_id);

/// Folders directly below `parent`; "": at the top.
awaitable<Result<std::vector<GraphFolder>>> list_level(Api& api, std::string mailbox_id,
                                                       std::string parent);

}  // namespace mailferry::graph
