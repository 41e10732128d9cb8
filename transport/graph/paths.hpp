#pragma once

/// Addresses below the API's root, encoded. Ids go in as the server gave them.

#include <cstdint>
#include <string>
#include <string_view>

namespace mailferry::graph::paths {

std::string settings(std::string_view address);
std::string mailbox(std::string_view mailbox_id);
std::string top_folders(std::string_view mailbox_id);
std::string child_folders(std::string_view mailbox_id, std::string_view folder_id);
/// `folder_id` may be a well-known name.
std::string folder(std::string_view mailbox_id, std::string_view folder_id);
std::string items(std::string_view mailbox_id, std::string_view folder_id);
std::string item(std::string_view mailbox_id, std::string_view folder_id, std::string_view item_id);

/// Options for the calls above.
std::string folder_options(std::uint32_t page_items);
std::string item_options();
std::string item_options(std::uint32_t page_items);
/// `condition`: not yet encoded.
std::string filter(std::string_view condition);

}  // namespace mailferry::graph::paths
