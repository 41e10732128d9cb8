// Folders: list, read, create, rename, delete.

#include "tests/support/graphsim/body_check.hpp"
#include "tests/support/graphsim/graph_host.hpp"

namespace graphsim {

namespace {

constexpr std::size_t name_chars_max = 255;

std::size_t characters_of(std::string_view utf8) {
    std::size_t count = 0;
    for (char const byte : utf8) count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
    return count;
}

void check_name(std::string const& name) {
    if (name.empty() || characters_of(name) > name_chars_max) {
        throw GraphError(400, "ErrorInvalidRequest", "The folder's name is empty or too long.");
    }
}

void refuse_twin(Mailbox const& box, FolderKey parent, std::string const& name, FolderKey self) {
    auto const* twin = box.child(parent, name);
    if (twin == nullptr || twin->key == self) return;
    throw GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.");
}

json::value property_of(Context const& context, Folder const& folder, std::string_view name) {
    auto const object = folder_json(context, folder);
    auto const* value = object.if_contains(name);
    return value != nullptr ? *value : json::value();
}

/// Folders before others of another value of `property`; null comes first.
bool comes_before(json::value const& one, json::value const& other) {
    if (one.is_number() && other.is_number()) {
        return one.to_number<double>() < other.to_number<double>();
    }
    return (one.is_string() ? one.as_string() : json::string()) <
           (other.is_string() ? other.as_string() : json::string());
}

}  // namespace

QueryRules folder_query_rules(std::vector<std::string_view> options) {
    return {"microsoft.graph.mailboxFolder",
            {"id", "displayName", "parentFolderId", "childFolderCount", "totalItemCount", "type",
             "wellKnownName"},
            std::move(options),
            true,
            1000};
}

json::object folder_json(Context const& context, Folder const& folder) {
    auto const& box = context.mailbox();
    auto const count = folder.search ? box.found_by_search().size() : folder.items.size();
    json::object object{
        {"@odata.type", "#microsoft.graph.mailboxFolder"},
        {"id", box.folder_id(folder.key)},
        {"displayName", folder.name},
        {"parentFolderId", box.folder_id(folder.parent)},
        {"parentMailboxUrl", mailbox_url(context)},
        {"childFolderCount", box.children(folder.key).size()},
        {"totalItemCount", count},
        {"type", folder.folder_class.empty() ? json::value() : json::value(folder.folder_class)}};
    auto const shown =
        context.place.user->well_known_names.value_or(context.world.options.well_known_names);
    if (shown) {
        object["wellKnownName"] =
            folder.well_known.empty() ? json::value() : json::value(folder.well_known);
    }
    return object;
}

Response list_folders(Context& context, Folder const& parent) {
    context.audit.route = "list folders";
    require_role(context, {"MailboxFolder.Read.All", "MailboxFolder.ReadWrite.All"});
    auto const query = parse_query(context.request.query,
                                   folder_query_rules({"$select", "$filter", "$top", "$skip",
                                                       "$orderby", "$count", "$expand"}));
    auto folders = context.mailbox().children(parent.key);
    if (query.filter) {
        std::erase_if(folders, [&](Folder const* folder) {
            FilterRow const row{
                [&](std::string_view name) { return property_of(context, *folder, name); },
                [&] { return extended_properties(*folder); }};
            return !query.filter(row);
        });
    }
    if (!query.order_property.empty()) {
        std::stable_sort(folders.begin(), folders.end(), [&](auto const* one, auto const* other) {
            auto const left = property_of(context, *one, query.order_property);
            auto const right = property_of(context, *other, query.order_property);
            return query.descending ? comes_before(right, left) : comes_before(left, right);
        });
    }
    auto page = cut_page(context, query, folders.size());
    json::array values;
    for (auto n = page.first; n < page.end; ++n) {
        auto object = folder_json(context, *folders[n]);
        query.select_from(object);
        query.expand_into(object, extended_properties(*folders[n]));
        values.push_back(std::move(object));
    }
    json::object body{
        {"@odata.context", odata_context(context, "admin/exchange/mailboxes('" +
                                                      context.mailbox().id() + "')/folders")}};
    for (auto const& [name, value] : page.envelope) body[name] = value;
    body["value"] = std::move(values);
    return json_response(200, body);
}

Response read_folder(Context& context, Folder const& folder) {
    context.audit.route = "read folder";
    require_role(context, {"MailboxFolder.Read.All", "MailboxFolder.ReadWrite.All"});
    auto const query =
        parse_query(context.request.query, folder_query_rules({"$select", "$expand"}));
    auto object = folder_json(context, folder);
    object["@odata.context"] = odata_context(context, "mailboxFolder/$entity");
    query.select_from(object);
    query.expand_into(object, extended_properties(folder));
    return json_response(200, object);
}

asio::awaitable<Response> create_folder(Context& context, Folder const& parent) {
    context.audit.route = "create folder";
    require_role(context, {"MailboxFolder.ReadWrite.All"});
    expect_no_query(context);
    auto const parent_key = parent.key;
    std::vector<BodyMember> const members{
        {"displayName", "Edm.String", true},
        {"type", "Edm.String", true},
        {"singleValueExtendedProperties", "Collection(graph.singleValueLegacyExtendedProperty)"}};
    auto const body = co_await checked_body(context, "microsoft.graph.mailboxFolder", members);
    std::string const name(body.at("displayName").as_string());
    std::string const type(body.at("type").as_string());
    check_name(name);
    if (!type.starts_with("IPF.")) {
        throw GraphError(400, "ErrorInvalidRequest", "The folder's type must begin with IPF.");
    }
    auto& box = context.mailbox();
    if (box.folder(parent_key) == nullptr) {
        throw GraphError(404, "ErrorFolderNotFound", "The parent folder has gone.");
    }
    refuse_twin(box, parent_key, name, 0);
    note_write(context);
    auto const key = box.add_folder(parent_key, name, type);
    auto object = folder_json(context, *box.folder(key));
    object["@odata.context"] = odata_context(context, "mailboxFolder/$entity");
    co_return json_response(201, object);
}

asio::awaitable<Response> rename_folder(Context& context, Folder const& folder) {
    context.audit.route = "rename folder";
    require_role(context, {"MailboxFolder.ReadWrite.All"});
    expect_no_query(context);
    auto const key = folder.key;
    std::vector<BodyMember> const members{
        {"displayName", "Edm.String"},
        {"singleValueExtendedProperties", "Collection(graph.singleValueLegacyExtendedProperty)"}};
    auto const body = co_await checked_body(context, "microsoft.graph.mailboxFolder", members);
    auto& box = context.mailbox();
    auto const* now = box.folder(key);
    if (now == nullptr) throw GraphError(404, "ErrorFolderNotFound", "The folder has gone.");
    if (auto const* given = body.if_contains("displayName")) {
        std::string const name(given->as_string());
        check_name(name);
        refuse_twin(box, now->parent, name, key);
        if (now->made_by_system) {
            throw GraphError(400, "ErrorInvalidRequest", "A distinguished folder keeps its name.");
        }
        note_write(context);
        box.rename_folder(key, name);
    }
    co_return json_response(200, folder_json(context, *now));
}

Response delete_folder(Context& context, Folder const& folder) {
    context.audit.route = "delete folder";
    require_role(context, {"MailboxFolder.ReadWrite.All"});
    expect_no_query(context);
    if (folder.made_by_system) {
        throw GraphError(400, "ErrorDeleteDistinguishedFolder",
                         "Distinguished folders cannot be deleted.");
    }
    note_write(context);
    context.mailbox().remove_folder(folder.key);
    Response response;
    response.status = 204;
    return response;
}

}  // namespace graphsim
