#include "transport/graph/paths.hpp"

#include "transport/graph/properties.hpp"
#include "transport/http/url.hpp"

namespace mailferry::graph::paths {
namespace {

constexpr std::string_view item_members = "$select=id,changeKey,createdDateTime,type,size";

std::string expand(std::string_view value) { return "$expand=" + http::percent_encoded(value); }

}  // namespace

std::string settings(std::string_view address) {
    return "/users/" + http::percent_encoded(address) + "/settings/exchange";
}

std::string mailbox(std::string_view mailbox_id) {
    return "/admin/exchange/mailboxes/" + http::percent_encoded(mailbox_id);
}

std::string top_folders(std::string_view mailbox_id) { return mailbox(mailbox_id) + "/folders"; }

std::string folder(std::string_view mailbox_id, std::string_view folder_id) {
    return top_folders(mailbox_id) + "/" + http::percent_encoded(folder_id);
}

std::string child_folders(std::string_view mailbox_id, std::string_view folder_id) {
    return folder(mailbox_id, folder_id) + "/childFolders";
}

std::string items(std::string_view mailbox_id, std::string_view folder_id) {
    return folder(mailbox_id, folder_id) + "/items";
}

std::string item(std::string_view mailbox_id, std::string_view folder_id,
                 std::string_view item_id) {
    return items(mailbox_id, folder_id) + "/" + http::percent_encoded(item_id);
}

std::string folder_options(std::uint32_t page_items) {
    return "?$top=" + std::to_string(page_items) + "&" + expand(expand_folder);
}

std::string item_options() { return "?" + std::string(item_members) + "&" + expand(expand_item); }

std::string item_options(std::uint32_t page_items) {
    return item_options() + "&$top=" + std::to_string(page_items);
}

std::string filter(std::string_view condition) {
    return "&$filter=" + http::percent_encoded(condition);
}

}  // namespace mailferry::graph::paths
