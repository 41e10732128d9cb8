// Items: list, read, delete.

#include "tests/support/graphsim/graph_host.hpp"

#include <algorithm>

namespace graphsim {

namespace {

json::value property_of(Context const& context, Item const& item, std::string_view name) {
    auto const& logical = item.logical;
    if (name == "createdDateTime") return json::value(iso_time(logical.created));
    if (name == "lastModifiedDateTime") return json::value(iso_time(item.modified));
    if (name == "type") return json::value(logical.item_class);
    if (name == "size") return json::value(logical.size);
    if (name == "categories") return json::value_from(logical.categories);
    if (name == "changeKey") return json::value(context.mailbox().change_key_of(item));
    if (name == "id") {
        return json::value(context.mailbox().item_id(item, context.immutable_ids()));
    }
    return {};
}

bool comes_before(json::value const& one, json::value const& other) {
    if (one.is_number() && other.is_number()) {
        return one.to_number<double>() < other.to_number<double>();
    }
    return one.is_string() && other.is_string() && one.as_string() < other.as_string();
}

void require_item_role(Context const& context) {
    if (context.world.options.items_by_import_export_role) {
        require_role(context, {"MailboxItem.Read.All", "MailboxItem.ImportExport.All"});
    } else {
        require_role(context, {"MailboxItem.Read.All"});
    }
}

/// Newest first, as the store lists them.
std::vector<Item const*> items_of(Context const& context, Folder const& folder,
                                  ODataQuery const& query) {
    auto const& box = context.mailbox();
    std::vector<Item const*> items;
    auto const keys = folder.search ? box.found_by_search() : folder.items;
    for (auto each = keys.rbegin(); each != keys.rend(); ++each) {
        auto const* item = box.item(*each);
        FilterRow const row{
            [&](std::string_view name) { return property_of(context, *item, name); },
            [&] { return extended_properties(*item); }};
        if (!query.filter || query.filter(row)) items.push_back(item);
    }
    if (!query.order_property.empty()) {
        std::stable_sort(items.begin(), items.end(), [&](auto const* one, auto const* other) {
            auto const left = property_of(context, *one, query.order_property);
            auto const right = property_of(context, *other, query.order_property);
            return query.descending ? comes_before(right, left) : comes_before(left, right);
        });
    }
    return items;
}

}  // namespace

QueryRules item_query_rules(Context const& context, std::vector<std::string_view> options) {
    return {"microsoft.graph.mailboxItem",
            {"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "categories", "type",
             "size"},
            std::move(options),
            context.world.options.filter_extended,
            1000};
}

json::object item_json(Context const& context, Item const& item) {
    auto const& box = context.mailbox();
    auto const change = box.change_key_of(item);
    return {{"@odata.type", "#microsoft.graph.mailboxItem"},
            {"@odata.etag", "W/\"" + change + "\""},
            {"id", box.item_id(item, context.immutable_ids())},
            {"createdDateTime", iso_time(item.logical.created)},
            {"lastModifiedDateTime", iso_time(item.modified)},
            {"changeKey", change},
            {"categories", json::value_from(item.logical.categories)},
            {"type", item.logical.item_class},
            {"size", item.logical.size}};
}

Response list_items(Context& context, Folder const& folder) {
    context.audit.route = "list items";
    require_item_role(context);
    auto const query = parse_query(context.request.query,
                                   item_query_rules(context, {"$select", "$filter", "$top", "$skip",
                                                              "$orderby", "$count", "$expand"}));
    auto const items = items_of(context, folder, query);
    auto page = cut_page(context, query, items.size());
    json::array values;
    for (auto n = page.first; n < page.end; ++n) {
        auto object = item_json(context, *items[n]);
        query.select_from(object);
        query.expand_into(object, extended_properties(*items[n]));
        values.push_back(std::move(object));
    }
    json::object body{{"@odata.context", odata_context(context, "Collection(mailboxItem)")}};
    for (auto const& [name, value] : page.envelope) body[name] = value;
    body["value"] = std::move(values);
    return json_response(200, body);
}

Response read_item(Context& context, Folder const& folder, std::string const& id) {
    context.audit.route = "read item";
    require_item_role(context);
    auto const query =
        parse_query(context.request.query, item_query_rules(context, {"$select", "$expand"}));
    auto const& item = item_named(context, folder, id);
    auto object = item_json(context, item);
    object["@odata.context"] = odata_context(context, "mailboxItem/$entity");
    query.select_from(object);
    query.expand_into(object, extended_properties(item));
    auto response = json_response(200, object);
    response.headers.emplace_back("ETag", "W/\"" + context.mailbox().change_key_of(item) + "\"");
    return response;
}

Response delete_item(Context& context, Folder const& folder, std::string const& id) {
    context.audit.route = "delete item";
    require_role(context, {"MailboxItem.ImportExport.All", "MailboxItem.ReadWrite.All"});
    auto const query =
        parse_query(context.request.query, item_query_rules(context, {"disposalType"}));
    auto const disposal = query.given.find("disposalType");
    bool const soft = disposal != query.given.end() && disposal->second == "softDelete";
    bool const hard = disposal != query.given.end() && disposal->second == "hardDelete";
    if (!soft && !hard) {
        throw GraphError(400, "BadRequest",
                         "The parameter disposalType is required: softDelete or hardDelete.");
    }
    auto const key = item_named(context, folder, id).key;
    if (context.place.user->on_hold) {
        throw GraphError(403, "ErrorAccessDenied", "A hold or retention rule protects the item.");
    }
    note_write(context);
    auto& box = context.mailbox();
    if (soft) {
        box.move_item(key, box.well_known("recoverableitemsdeletions"), context.now());
    } else {
        box.remove_item(key);
    }
    Response response;
    response.status = 204;
    return response;
}

}  // namespace graphsim
