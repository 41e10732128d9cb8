#include "transport/graph/resources.hpp"

#include "transport/graph/properties.hpp"

#include <utility>

namespace mailferry::graph {
namespace {

constexpr std::string_view property_path = "/singleValueExtendedProperties/#";

std::uint64_t count_of(std::int64_t value) {
    return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

}  // namespace

transport::ItemMeta meta_of(GraphItem item) {
    transport::ItemMeta meta;
    meta.received.unix_seconds = item.received.value_or(item.created.value_or(0));
    meta.size = item.size;
    meta.identity = identity_of(item.search_key, item.message_id, item.type, item.received);
    meta.name = std::move(item.id);
    meta.version = std::move(item.change_key);
    return meta;
}

void PageHandler::reset() {
    open_ = false;
    next_link.clear();
    delta_link.clear();
    property_id_.clear();
    property_value_.clear();
}

std::optional<std::string_view> PageHandler::member_of(http::JsonPath path) const {
    if (!open_ || path.size() <= element_.size() || !path.starts_with(element_))
        return std::nullopt;
    return path.substr(element_.size());
}

Result<void> PageHandler::text(http::JsonPath path, std::string_view value) {
    if (path == "/@odata.nextLink") {
        next_link = value;
        return {};
    }
    if (path == "/@odata.deltaLink") {
        delta_link = value;
        return {};
    }
    auto const member = member_of(path);
    if (!member) return {};
    if (member->starts_with(property_path)) {
        auto const part = member->substr(property_path.size());
        if (part == "/id") property_id_ = value;
        if (part == "/value") property_value_ = value;
        return {};
    }
    member_text(*member, value);
    return {};
}

Result<void> PageHandler::integer(http::JsonPath path, std::int64_t value) {
    if (auto const member = member_of(path)) member_integer(*member, value);
    return {};
}

Result<void> PageHandler::boolean(http::JsonPath path, bool value) {
    if (auto const member = member_of(path)) member_boolean(*member, value);
    return {};
}

Result<void> PageHandler::null(http::JsonPath path) {
    if (auto const member = member_of(path)) member_null(*member);
    return {};
}

Result<void> PageHandler::object_begin(http::JsonPath path) {
    if (path == element_) {
        open_ = true;
        element_begin();
    }
    auto const member = member_of(path);
    if (!member) return {};
    if (*member == property_path) {
        property_id_.clear();
        property_value_.clear();
    }
    member_object(*member);
    return {};
}

Result<void> PageHandler::object_end(http::JsonPath path) {
    if (path == element_) {
        open_ = false;
        element_end();
    }
    auto const member = member_of(path);
    if (!member || *member != property_path) return {};
    if (auto const tag = property_tag(property_id_)) property(*tag, property_value_);
    return {};
}

void FolderPage::reset() {
    PageHandler::reset();
    folders.clear();
}

void FolderPage::element_end() {
    if (folders.back().id.empty()) folders.pop_back();
}

void FolderPage::member_text(std::string_view member, std::string_view value) {
    auto& folder = folders.back();
    if (member == "/id") folder.id = value;
    if (member == "/parentFolderId") folder.parent_id = value;
    if (member == "/displayName") folder.name = value;
    if (member == "/type") folder.type = value;
    if (member == "/wellKnownName") folder.well_known = std::string(value);
}

void FolderPage::member_integer(std::string_view member, std::int64_t value) {
    if (member == "/childFolderCount") folders.back().child_folders = count_of(value);
    if (member == "/totalItemCount") folders.back().items = count_of(value);
}

void FolderPage::member_null(std::string_view member) {
    if (member == "/wellKnownName") folders.back().well_known = std::string();
}

void FolderPage::property(std::uint32_t tag, std::string_view value) {
    constexpr std::string_view search_folder = "2";
    if (tag == tag_folder_type) folders.back().search_folder = value == search_folder;
    if (tag == tag_hidden) folders.back().hidden = value == "true" || value == "True";
}

void ItemPage::reset() {
    PageHandler::reset();
    items.clear();
}

void ItemPage::element_end() {
    if (items.back().id.empty()) items.pop_back();
}

void ItemPage::member_text(std::string_view member, std::string_view value) {
    auto& item = items.back();
    if (member == "/id") item.id = value;
    if (member == "/changeKey") item.change_key = value;
    if (member == "/type") item.type = value;
    if (member == "/createdDateTime") item.created = instant_of(value);
}

void ItemPage::member_integer(std::string_view member, std::int64_t value) {
    if (member == "/size") items.back().size = count_of(value);
}

void ItemPage::member_object(std::string_view member) {
    if (member == "/@removed") items.back().removed = true;
}

void ItemPage::property(std::uint32_t tag, std::string_view value) {
    auto& item = items.back();
    if (tag == tag_received) item.received = instant_of(value);
    if (tag == tag_message_id) item.message_id = value;
    if (tag == tag_search_key) item.search_key = value;
}

Result<void> TextMembers::text(http::JsonPath path, std::string_view value) {
    if (!path.starts_with('/')) return {};
    path.remove_prefix(1);
    for (std::size_t i = 0; i < wanted_.size(); ++i)
        if (path == wanted_[i]) values_[i] = value;
    return {};
}

}  // namespace mailferry::graph
