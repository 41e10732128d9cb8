#include "tests/support/graphsim/graph_host.hpp"

#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/ids.hpp"

namespace graphsim {

namespace {

constexpr std::string_view graph_resource = "https://graph.microsoft.com";
constexpr std::string_view folder_read[] = {"MailboxFolder.Read.All",
                                            "MailboxFolder.ReadWrite.All"};

[[noreturn]] void no_route(Context const& context) {
    throw GraphError(400, "BadRequest",
                     "Resource not found for the segment '" +
                         (context.segments.empty() ? "" : context.segments.back()) + "'.");
}

[[noreturn]] void wrong_method() {
    throw GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed.");
}

void require_token(Context const& context) {
    if (context.token != nullptr) return;
    auto const header = context.request.header("authorization");
    GraphError error(401, "InvalidAuthenticationToken", "Access token is empty.");
    if (header.starts_with("Bearer ")) {
        auto const found = context.world.tokens.find(header.substr(7));
        error.message = found == context.world.tokens.end() ? "JWT is not well formed."
                        : found->second.resource != graph_resource
                            ? "Access token validation failure. Invalid audience."
                            : "Lifetime validation failed, the token is expired.";
    }
    error.headers.emplace_back("WWW-Authenticate",
                               "Bearer realm=\"\", authorization_uri=\"https://login/common\", "
                               "error=\"invalid_token\", error_description=\"" +
                                   error.message + "\"");
    throw error;
}

void require_mailbox(Context const& context) {
    auto const* tenant = context.place.tenant;
    if (tenant == nullptr || tenant->id != context.token->tenant) {
        throw GraphError(404, "ResourceNotFound", "The mailbox was not found in this tenant.");
    }
    auto const& user = *context.place.user;
    auto const& app = tenant->apps.at(context.token->app);
    if (app.mailboxes && !app.mailboxes->contains(lower(user.name))) {
        throw GraphError(403, "ErrorAccessDenied",
                         "Access to OData is disabled: the app is not in scope for this mailbox.");
    }
    if (!user.licensed && !user.shared) {
        throw GraphError(404, "MailboxNotEnabledForRESTAPI",
                         "The mailbox is either inactive, soft-deleted, or is hosted on-premise.");
    }
    if (user.moving_until > context.now()) {
        throw GraphError(static_cast<int>(context.world.options.move_status),
                         "ErrorMailboxMoveInProgress", "The mailbox is being moved.");
    }
}

/// The rest of the path after .../folders/{fid}, or after childFolders/{cid}.
asio::awaitable<Response> answer_folder(Context& context, Folder const& folder, std::size_t at) {
    auto const& segments = context.segments;
    auto const& method = context.request.method;
    auto const left = segments.size() - at;
    if (left == 0) {
        if (method == "GET") co_return read_folder(context, folder);
        if (method == "PATCH") co_return co_await rename_folder(context, folder);
        wrong_method();
    }
    auto const& next = segments[at];
    if (left == 1 && next == "$ref" && method == "DELETE") co_return delete_folder(context, folder);
    if (left == 1 && next == "childFolders") {
        if (method == "GET") co_return list_folders(context, folder);
        if (method == "POST") co_return co_await create_folder(context, folder);
        wrong_method();
    }
    bool const reads = method == "GET";
    if (left == 2 && next == "childFolders" && segments[at + 1] == "delta") {
        if (!reads) wrong_method();
        co_return delta_folders(context, folder);
    }
    if (next == "childFolders" && left >= 2) {
        auto const& child = folder_named(context, segments[at + 1]);
        if (child.parent != folder.key) {
            throw GraphError(404, "ErrorFolderNotFound", "The folder isn't a child of that one.");
        }
        co_return co_await answer_folder(context, child, at + 2);
    }
    if (next == "items" && left == 1) {
        if (!reads) wrong_method();
        co_return list_items(context, folder);
    }
    if (next == "items" && left == 2) {
        if (segments[at + 1] == "delta") {
            if (!reads) wrong_method();
            co_return delta_items(context, folder);
        }
        if (reads) co_return read_item(context, folder, segments[at + 1]);
        if (method == "DELETE") co_return delete_item(context, folder, segments[at + 1]);
        wrong_method();
    }
    no_route(context);
}

asio::awaitable<Response> answer_mailbox(Context& context) {
    require_mailbox(context);
    auto const& segments = context.segments;
    auto const& method = context.request.method;
    auto const& box = context.mailbox();
    constexpr std::size_t at = 5;  // /v1.0/admin/exchange/mailboxes/{id}/...
    if (segments.size() <= at) no_route(context);
    auto const& what = segments[at];
    auto const left = segments.size() - at;
    if (what == "exportItems" && left == 1) {
        if (method != "POST") wrong_method();
        co_return co_await export_items(context);
    }
    if (what == "createImportSession" && left == 1) {
        if (method != "POST") wrong_method();
        co_return co_await create_import_session(context);
    }
    if (what != "folders") no_route(context);
    auto const& top = *box.folder(box.top());
    if (left == 1) {
        if (method == "GET") co_return list_folders(context, top);
        if (method == "POST") co_return co_await create_folder(context, top);
        wrong_method();
    }
    if (left == 2 && segments[at + 1] == "delta") {
        if (method != "GET") wrong_method();
        co_return delta_folders(context, top);
    }
    require_role(context, {folder_read[0], folder_read[1], "MailboxItem.Read.All",
                           "MailboxItem.ImportExport.All"});
    co_return co_await answer_folder(context, folder_named(context, segments[at + 1]), at + 2);
}

}  // namespace

void identify_graph(Context& context) {
    auto const header = context.request.header("authorization");
    auto const found =
        context.world.tokens.find(header.starts_with("Bearer ") ? header.substr(7) : "");
    if (found != context.world.tokens.end() && found->second.resource == graph_resource) {
        context.audit.app = found->second.app;
        context.audit.tenant = found->second.tenant;
        if (found->second.expires > context.now()) context.token = &found->second;
    }
    auto const& segments = context.segments;
    if (segments.size() > 4 && segments[1] == "admin" && segments[3] == "mailboxes") {
        auto const place = context.world.mailboxes.find(segments[4]);
        if (place != context.world.mailboxes.end()) {
            context.place = place->second;
            context.audit.mailbox = place->first;
        }
    }
    if (context.token != nullptr && context.place.tenant != nullptr &&
        context.place.tenant->id == context.token->tenant) {
        context.limiter = LimiterKey{context.token->app, context.audit.mailbox};
    }
}

asio::awaitable<Response> answer_graph(Context& context) {
    require_token(context);
    auto const& segments = context.segments;
    if (segments.size() < 2 || segments[0] != "v1.0") no_route(context);
    if (segments[1] == "$batch" && segments.size() == 2) {
        if (context.request.method != "POST") wrong_method();
        co_return co_await answer_batch(context);
    }
    if (segments[1] == "users") co_return co_await answer_users(context);
    if (segments.size() > 4 && segments[1] == "admin" && segments[2] == "exchange" &&
        segments[3] == "mailboxes") {
        co_return co_await answer_mailbox(context);
    }
    no_route(context);
}

Response error_response(Context const& context, GraphError const& error) {
    context.audit.error_code = error.code;
    auto const request_id = context.audit.headers["request-id"];
    auto date = iso_time(context.now());
    date.pop_back();
    json::object inner{{"date", date}, {"request-id", request_id}};
    auto const client_id = context.request.header("client-request-id");
    if (!client_id.empty()) inner["client-request-id"] = client_id;
    json::object const body{{"error", json::object{{"code", error.code},
                                                   {"message", error.message},
                                                   {"innerError", std::move(inner)}}}};
    auto response = json_response(error.status, body);
    response.content_type = "application/json";
    response.headers = error.headers;
    return response;
}

Response refusal_response(Context const& context, Refusal const& refusal) {
    GraphError error(429, refusal.code, refusal.message);
    error.headers = refusal.headers;
    if (refusal.retry_after_seconds) {
        auto const text = std::to_string(static_cast<std::int64_t>(*refusal.retry_after_seconds));
        error.headers.emplace_back("Retry-After", text);
    }
    return error_response(context, error);
}

void require_role(Context const& context, std::initializer_list<std::string_view> roles,
                  bool directory) {
    for (auto const role : roles) {
        if (context.token->roles.contains(std::string(role))) return;
    }
    if (directory) {
        throw GraphError(403, "Authorization_RequestDenied",
                         "Insufficient privileges to complete the operation.");
    }
    throw GraphError(403, "ErrorAccessDenied",
                     "Access is denied. Check credentials and try again.");
}

void note_write(Context& context) {
    context.audit.committed = true;
    if (context.place.tenant != nullptr && context.place.tenant->source) {
        context.world.audit.violation("write to the source tenant", context.audit);
    }
}

void expect_no_query(Context const& context) {
    if (context.request.query.empty()) return;
    throw GraphError(400, "RequestBroker--ParseUri", "This resource takes no query options.");
}

std::string odata_context(Context const& context, std::string_view fragment) {
    return context.request.origin + "/v1.0/$metadata#" + std::string(fragment);
}

std::string mailbox_url(Context const& context) {
    return context.request.origin + "/v1.0/admin/exchange/mailboxes/" + context.mailbox().id();
}

Page cut_page(Context const& context, ODataQuery const& query, std::uint64_t total,
              std::uint64_t page_default) {
    auto& random = context.world.random;
    auto const& options = context.world.options;
    auto size = query.top.value_or(page_default);
    if (size > 1 && random.chance(options.page_short)) size = 1 + random.below(size - 1);
    Page page;
    page.first = std::min(query.skip, total);
    page.end = std::min(total, page.first + size);
    if (query.count) page.envelope["@odata.count"] = total;
    bool const more = page.end < total;
    bool const empty_one_follows =
        !more && page.end > page.first && random.chance(options.page_empty_last);
    if (more || empty_one_follows) {
        auto link = context.request.origin + context.request.path + "?";
        for (auto const& [name, value] : query.given) {
            if (name != "$skip") link += percent_encoded(name) + "=" + percent_encoded(value) + "&";
        }
        page.envelope["@odata.nextLink"] = link + "%24skip=" + std::to_string(page.end);
    }
    return page;
}

Folder const& folder_named(Context const& context, std::string const& text) {
    auto const& box = context.mailbox();
    auto const decoded = decode_id(box.seed(), text);
    Folder const* folder = nullptr;
    if (decoded && decoded->kind == IdKind::folder) folder = box.folder(decoded->number);
    if (folder == nullptr && !text.empty()) folder = box.folder(box.well_known(text));
    if (folder != nullptr) return *folder;
    bool const name_like = text.find_first_not_of(
                               "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == text.npos;
    if (!looks_like_id(text) && !name_like) {
        throw GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.");
    }
    throw GraphError(404, "ErrorFolderNotFound",
                     "The specified folder could not be found in the store.");
}

Item const& item_named(Context const& context, Folder const& folder, std::string const& text) {
    auto const& box = context.mailbox();
    auto const decoded = decode_id(box.seed(), text);
    if (!decoded && !looks_like_id(text)) {
        throw GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.");
    }
    Item const* item = nullptr;
    if (decoded && decoded->kind == IdKind::item) item = box.item_by_number(decoded->number);
    if (decoded && decoded->kind == IdKind::immutable_item) item = box.item(decoded->number);
    if (item == nullptr || item->folder != folder.key) {
        throw GraphError(404, "ErrorItemNotFound",
                         "The specified object was not found in the store.");
    }
    return *item;
}

}  // namespace graphsim
