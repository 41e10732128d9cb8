#include "tests/support/graphsim/body_check.hpp"

namespace graphsim {

namespace {

constexpr std::size_t body_bytes_max = 4u << 20;

bool is_of_type(json::value const& value, std::string_view type) {
    if (type == "Edm.String") return value.is_string();
    if (type == "Collection(Edm.String)") {
        if (!value.is_array()) return false;
        for (auto const& each : value.as_array()) {
            if (!each.is_string()) return false;
        }
        return true;
    }
    if (type == "Collection(graph.singleValueLegacyExtendedProperty)") {
        if (!value.is_array()) return false;
        for (auto const& each : value.as_array()) {
            auto const* object = each.if_object();
            auto const* id = object != nullptr ? object->if_contains("id") : nullptr;
            auto const* text = object != nullptr ? object->if_contains("value") : nullptr;
            if (object == nullptr || object->size() != 2 || id == nullptr || !id->is_string() ||
                text == nullptr || !text->is_string()) {
                return false;
            }
        }
        return true;
    }
    return false;
}

[[noreturn]] void refuse(std::string text) { throw GraphError(400, "BadRequest", std::move(text)); }

}  // namespace

asio::awaitable<json::object> checked_body(Context& context, std::string_view type,
                                           std::vector<BodyMember> const& members) {
    if (!context.request.header("content-type").starts_with("application/json")) {
        throw GraphError(415, "UnsupportedMediaType", "The content type must be application/json.");
    }
    auto const text = co_await whole_body(*context.request.body, body_bytes_max);
    boost::system::error_code error;
    auto const value = json::parse(text, error);
    if (error || !value.is_object()) refuse("Unable to read JSON request payload.");
    json::object result;
    for (auto const& [name, given] : value.as_object()) {
        std::string const key(name);
        if (key == "@odata.type") continue;
        auto const known = std::find_if(members.begin(), members.end(), [&](auto const& each) {
            return each.name == key || (!each.other_name.empty() && each.other_name == key);
        });
        if (known == members.end()) {
            refuse("The property '" + key + "' does not exist on type '" + std::string(type) +
                   "', or can't be set.");
        }
        if (!is_of_type(given, known->type)) {
            refuse("The property '" + key + "' is not of type " + std::string(known->type) + ".");
        }
        if (result.contains(known->name)) refuse("The property '" + key + "' comes twice.");
        result[known->name] = given;
    }
    for (auto const& member : members) {
        if (member.required && !result.contains(member.name)) {
            refuse("The property '" + std::string(member.name) + "' is required.");
        }
    }
    co_return result;
}

asio::awaitable<void> expect_no_body(Context& context) {
    auto const text = co_await whole_body(*context.request.body, 1024);
    if (!text.empty() && text != "{}" && text != "null") {
        refuse("This action takes no parameters.");
    }
}

}  // namespace graphsim
