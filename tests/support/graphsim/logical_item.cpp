#include "tests/support/graphsim/logical_item.hpp"

#include "tests/support/graphsim/encoding.hpp"

namespace graphsim {

namespace json = boost::json;

namespace {

json::value time_value(std::optional<Time> time) {
    if (!time) return nullptr;
    return time->time_since_epoch().count();
}

std::optional<Time> time_of(json::value const& value) {
    if (value.is_null()) return std::nullopt;
    return Time{Duration{value.to_number<std::int64_t>()}};
}

}  // namespace

std::string LogicalItem::subject() const {
    boost::system::error_code error;
    auto const parsed = json::parse(content, error);
    if (error || !parsed.is_object()) return {};
    auto const* subject = parsed.as_object().if_contains("subject");
    return subject != nullptr && subject->is_string() ? std::string(subject->as_string()) : "";
}

json::object to_json(LogicalItem const& item) {
    json::object object;
    object["class"] = item.item_class;
    object["content"] = item.content;
    object["categories"] = json::value_from(item.categories);
    object["received"] = time_value(item.received);
    object["submitted"] = time_value(item.submitted);
    object["created"] = time_value(item.created);
    object["message_flags"] = item.message_flags;
    object["flag_status"] = item.flag_status;
    object["message_id"] = item.message_id;
    object["search_key"] = hex(item.search_key);
    object["global_object_id"] = base64(item.global_object_id);
    object["payload_seed"] = item.payload_seed;
    object["size"] = item.size;
    return object;
}

std::optional<LogicalItem> logical_item_of(json::object const& object) try {
    LogicalItem item;
    item.item_class = object.at("class").as_string();
    item.content = object.at("content").as_string();
    item.categories = json::value_to<std::vector<std::string>>(object.at("categories"));
    item.received = time_of(object.at("received"));
    item.submitted = time_of(object.at("submitted"));
    item.created = time_of(object.at("created")).value_or(Time{});
    item.message_flags = object.at("message_flags").to_number<unsigned>();
    item.flag_status = object.at("flag_status").to_number<int>();
    item.message_id = object.at("message_id").as_string();
    item.search_key = from_hex(std::string(object.at("search_key").as_string())).value();
    item.global_object_id =
        from_base64(std::string(object.at("global_object_id").as_string())).value();
    item.payload_seed = object.at("payload_seed").to_number<std::uint64_t>();
    item.size = object.at("size").to_number<std::uint64_t>();
    return item;
} catch (std::exception const&) {
    return std::nullopt;
}

std::string content_hash(LogicalItem const& item) {
    return hex(sha256(item.item_class + '\0' + item.content + '\0' +
                      std::to_string(item.payload_seed) + '\0' + std::to_string(item.size)));
}

std::string logical_hash(LogicalItem const& item) {
    return hex(sha256(json::serialize(to_json(item))));
}

}  // namespace graphsim
