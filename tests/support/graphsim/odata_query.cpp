#include "tests/support/graphsim/odata_query.hpp"

#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/http_message.hpp"

#include <charconv>

namespace graphsim {

namespace {

[[noreturn]] void refuse(std::string text) {
    throw GraphError(400, "RequestBroker--ParseUri", std::move(text));
}

std::uint64_t number_of(std::string_view name, std::string const& text, std::uint64_t least,
                        std::uint64_t most) {
    std::uint64_t number = 0;
    auto const* const end = text.data() + text.size();
    auto const result = std::from_chars(text.data(), end, number);
    if (text.empty() || result.ec != std::errc{} || result.ptr != end || number < least ||
        number > most) {
        refuse("Invalid value '" + text + "' for " + std::string(name) + " query option.");
    }
    return number;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        auto part = text.substr(0, text.find(separator));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        parts.emplace_back(part);
    }
    return parts;
}

void check_property(std::string const& name, QueryRules const& rules) {
    for (auto const each : rules.properties) {
        if (each == name) return;
    }
    refuse("Could not find a property named '" + name + "' on type '" + std::string(rules.type) +
           "'.");
}

/// singleValueExtendedProperties($filter=id eq 'A' or id eq 'B')
std::vector<std::string> expanded_ids(std::string_view text) {
    constexpr std::string_view opening = "singleValueExtendedProperties($filter=";
    if (!text.starts_with(opening) || !text.ends_with(')')) {
        refuse("Invalid $expand: only singleValueExtendedProperties with a $filter on id.");
    }
    text = text.substr(opening.size(), text.size() - opening.size() - 1);
    std::vector<std::string> ids;
    while (!text.empty()) {
        constexpr std::string_view lead = "id eq '";
        while (text.starts_with(' ')) text.remove_prefix(1);
        if (!text.starts_with(lead)) refuse("Invalid $expand: id eq '...' expected.");
        text.remove_prefix(lead.size());
        auto const end = text.find('\'');
        auto const id = normalised_property_id(text.substr(0, end));
        if (end == text.npos || !id) {
            refuse(
                "PropertyId values must be of the form 'Type 0xTag' or 'Type {guid} Id|Name x'.");
        }
        ids.push_back(*id);
        text.remove_prefix(end + 1);
        while (text.starts_with(' ')) text.remove_prefix(1);
        if (text.empty()) break;
        if (!text.starts_with("or ")) refuse("Invalid $expand: 'or' expected.");
        text.remove_prefix(3);
    }
    return ids;
}

void take_option(ODataQuery& query, std::string const& name, std::string const& value,
                 QueryRules const& rules) {
    if (name == "$select") {
        query.select = split(value, ',');
        for (auto const& each : query.select) check_property(each, rules);
    } else if (name == "$top") {
        query.top = number_of(name, value, 1, rules.top_max);
    } else if (name == "$skip") {
        query.skip = number_of(name, value, 0, 1'000'000'000);
    } else if (name == "$count") {
        if (value != "true" && value != "false") refuse("Invalid value for $count.");
        query.count = value == "true";
    } else if (name == "$orderby") {
        auto const parts = split(value, ' ');
        if (parts.empty() || parts.size() > 2) refuse("Invalid $orderby.");
        check_property(parts[0], rules);
        query.order_property = parts[0];
        if (parts.size() == 2 && parts[1] != "asc" && parts[1] != "desc") {
            refuse("Invalid $orderby.");
        }
        query.descending = parts.size() == 2 && parts[1] == "desc";
    } else if (name == "$filter") {
        query.filter = parse_filter(value, rules.properties, rules.extended_filter);
    } else if (name == "$expand") {
        query.expand = expanded_ids(value);
    }
}

}  // namespace

ODataQuery parse_query(std::string_view text, QueryRules const& rules) {
    ODataQuery query;
    auto const fields = form_fields(text);
    if (!fields) refuse("A query option was given more than once.");
    for (auto const& [name, value] : *fields) {
        if (std::find(rules.options.begin(), rules.options.end(), name) == rules.options.end()) {
            refuse("The query option '" + name + "' is not supported here.");
        }
        take_option(query, name, value, rules);
    }
    query.given = *fields;
    return query;
}

void ODataQuery::select_from(json::object& object) const {
    if (select.empty()) return;
    json::object kept;
    for (auto const& [name, value] : object) {
        std::string const text(name);
        bool const always =
            text == "id" || text.starts_with('@') || text == "singleValueExtendedProperties";
        if (always || std::find(select.begin(), select.end(), text) != select.end()) {
            kept[name] = value;
        }
    }
    object = std::move(kept);
}

void ODataQuery::expand_into(json::object& object, PropertyValues const& values) const {
    json::array list;
    for (auto const& wanted : expand) {
        for (auto const& [id, value] : values) {
            if (id == wanted) list.push_back(json::object{{"id", id}, {"value", value}});
        }
    }
    if (!list.empty()) object["singleValueExtendedProperties"] = std::move(list);
}

}  // namespace graphsim
