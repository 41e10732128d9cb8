// The directory's few calls, and the calls that send mail: those exist only to be counted.

#include "tests/support/graphsim/body_check.hpp"
#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/graph_host.hpp"
#include "tests/support/graphsim/ids.hpp"

namespace graphsim {

namespace {

Tenant& tenant_of(Context const& context) {
    return *context.world.tenants.at(context.token->tenant);
}

User& user_named(Context const& context, std::string const& name) {
    auto* const user = tenant_of(context).user(name);
    if (user != nullptr) return *user;
    throw GraphError(404, "Request_ResourceNotFound",
                     "Resource '" + name +
                         "' does not exist or one of its queried reference-"
                         "property objects are not present.");
}

QueryRules user_rules(std::vector<std::string_view> options) {
    return {"microsoft.graph.user",
            {"id", "displayName", "userPrincipalName", "mail", "proxyAddresses", "accountEnabled",
             "assignedLicenses"},
            std::move(options),
            false,
            999};
}

json::object user_json(User const& user) {
    return {{"id", user.id},
            {"displayName", user.name.substr(0, user.name.find('@'))},
            {"userPrincipalName", user.name},
            {"mail", user.name},
            {"proxyAddresses", json::value_from(user.proxy_addresses)},
            {"accountEnabled", !user.shared},
            {"assignedLicenses",
             user.licensed ? json::array{json::object{{"skuId", guid_of(sha256("licence"))},
                                                      {"disabledPlans", json::array{}}}}
                           : json::array{}}};
}

/// Without $select a user has few members.
void leave_default_members(json::object& object, ODataQuery const& query) {
    if (query.select.empty()) {
        for (auto const* name : {"proxyAddresses", "accountEnabled", "assignedLicenses"}) {
            object.erase(name);
        }
    }
    query.select_from(object);
}

Response list_users(Context& context) {
    context.audit.route = "list users";
    require_role(context, {"User.Read.All", "User.ReadWrite.All", "Directory.Read.All"}, true);
    auto const query = parse_query(context.request.query,
                                   user_rules({"$select", "$filter", "$top", "$skip", "$count"}));
    std::vector<User const*> users;
    for (auto const& user : tenant_of(context).users) {
        auto const object = user_json(*user);
        FilterRow const row{[&](std::string_view name) {
                                auto const* value = object.if_contains(name);
                                return value != nullptr ? *value : json::value();
                            },
                            [] { return PropertyValues{}; }};
        if (!query.filter || query.filter(row)) users.push_back(user.get());
    }
    auto page = cut_page(context, query, users.size(), 100);
    json::array values;
    for (auto n = page.first; n < page.end; ++n) {
        auto object = user_json(*users[n]);
        leave_default_members(object, query);
        values.push_back(std::move(object));
    }
    json::object body{{"@odata.context", odata_context(context, "users")}};
    for (auto const& [name, value] : page.envelope) body[name] = value;
    body["value"] = std::move(values);
    return json_response(200, body);
}

Response read_user(Context& context, User const& user) {
    context.audit.route = "read user";
    require_role(context, {"User.Read.All", "User.ReadWrite.All", "Directory.Read.All"}, true);
    auto const query = parse_query(context.request.query, user_rules({"$select"}));
    auto object = user_json(user);
    object["@odata.context"] = odata_context(context, "users/$entity");
    leave_default_members(object, query);
    return json_response(200, object);
}

Response read_exchange_settings(Context& context, User const& user) {
    context.audit.route = "settings/exchange";
    require_role(context, {"User.Read.All", "User.ReadWrite.All"}, true);
    expect_no_query(context);
    if (!user.mailbox || (!user.licensed && !user.shared)) {
        throw GraphError(404, "MailboxNotEnabledForRESTAPI",
                         "The mailbox is either inactive, soft-deleted, or is hosted on-premise.");
    }
    return json_response(
        200, json::object{
                 {"@odata.context", odata_context(context, "users('" + percent_encoded(user.name) +
                                                               "')/settings/exchange/$entity")},
                 {"primaryMailboxId", user.mailbox->id()}});
}

/// Between default and immutable ids of one mailbox.
asio::awaitable<Response> translate_ids(Context& context, User const& user) {
    context.audit.route = "translateExchangeIds";
    require_role(context, {"User.Read.All", "User.ReadWrite.All", "User.ReadBasic.All"}, true);
    std::vector<BodyMember> const members{{"inputIds", "Collection(Edm.String)", true, "InputIds"},
                                          {"targetIdType", "Edm.String", true, "TargetIdType"},
                                          {"sourceIdType", "Edm.String", true, "SourceIdType"}};
    auto const body = co_await checked_body(context, "translateExchangeIds parameters", members);
    auto const ids = json::value_to<std::vector<std::string>>(body.at("inputIds"));
    auto const target = body.at("targetIdType").as_string();
    auto const source = body.at("sourceIdType").as_string();
    auto const known = [](auto const& type) {
        return type == "restId" || type == "restImmutableEntryId";
    };
    if (ids.size() > 1000 || !known(target) || !known(source) || !user.mailbox) {
        throw GraphError(400, "ErrorInvalidRequest", "The ids can't be translated.");
    }
    json::array values;
    for (auto const& id : ids) {
        auto const& box = *user.mailbox;
        auto const decoded = decode_id(box.seed(), id);
        auto const* item = !decoded                        ? nullptr
                           : decoded->kind == IdKind::item ? box.item_by_number(decoded->number)
                                                           : box.item(decoded->number);
        json::object value{{"sourceId", id}};
        if (item != nullptr) {
            value["targetId"] = box.item_id(*item, target == "restImmutableEntryId");
        } else {
            value["errorDetails"] =
                json::object{{"code", "ErrorItemNotFound"}, {"message", "The id isn't known."}};
        }
        values.push_back(std::move(value));
    }
    co_return json_response(
        200, json::object{{"@odata.context",
                           odata_context(context, "Collection(microsoft.graph.convertIdResult)")},
                          {"value", std::move(values)}});
}

bool sends_mail(Context const& context) {
    if (context.request.method == "GET") return false;
    for (std::string_view const name :
         {"events", "sendMail", "send", "reply", "replyAll", "forward", "createReply",
          "createForward", "accept", "decline", "tentativelyAccept", "cancel", "calendar",
          "messages", "calendars"}) {
        for (std::size_t n = 3; n < context.segments.size(); ++n) {
            if (equal_folded(context.segments[n], name)) return true;
        }
    }
    return false;
}

asio::awaitable<Response> count_mail(Context& context, User const& user) {
    context.audit.route = "outgoing mail";
    auto const body = co_await whole_body(*context.request.body, 4u << 20);
    auto const& route = context.segments.back();
    context.world.audit.outgoing(context.token->tenant, context.token->app,
                                 context.request.method + " " + route,
                                 "a call that notifies people, for " + user.name);
    if (tenant_of(context).source) {
        context.world.audit.violation("write to the source tenant", context.audit);
    }
    Response response;
    response.status = 202;
    co_return response;
}

}  // namespace

asio::awaitable<Response> answer_users(Context& context) {
    auto const& segments = context.segments;
    auto const& method = context.request.method;
    LimiterKey const key{context.token->app, context.token->tenant};
    std::vector<std::pair<std::string, std::string>> headers;
    auto const refusal = context.world.throttle.spend(key, segments.size() == 2 ? 2 : 1, headers);
    if (refusal) {
        auto response = refusal_response(context, *refusal);
        response.headers.insert(response.headers.end(), headers.begin(), headers.end());
        co_return response;
    }
    auto response = Response{};
    if (segments.size() == 2 && method == "GET") {
        response = list_users(context);
    } else if (segments.size() == 3 && method == "GET") {
        response = read_user(context, user_named(context, segments[2]));
    } else if (segments.size() == 5 && segments[3] == "settings" && segments[4] == "exchange" &&
               method == "GET") {
        response = read_exchange_settings(context, user_named(context, segments[2]));
    } else if (segments.size() == 4 && segments[3] == "translateExchangeIds" && method == "POST") {
        response = co_await translate_ids(context, user_named(context, segments[2]));
    } else if (segments.size() > 3 && sends_mail(context)) {
        response = co_await count_mail(context, user_named(context, segments[2]));
    } else {
        throw GraphError(400, "BadRequest", "Resource not found for the segment.");
    }
    response.headers.insert(response.headers.end(), headers.begin(), headers.end());
    co_return response;
}

}  // namespace graphsim
