#pragma once

/// Graph: from a path to a route, and what all routes have in common.

#include "tests/support/graphsim/context.hpp"
#include "tests/support/graphsim/odata_query.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace graphsim {

/// Who asks about whose mailbox, for limits, faults and audit. Refuses nothing.
void identify_graph(Context& context);

/// Throws GraphError.
asio::awaitable<Response> answer_graph(Context& context);

Response error_response(Context const& context, GraphError const& error);
Response refusal_response(Context const& context, Refusal const& refusal);

/// Throws 403 unless the token has one of the roles.
void require_role(Context const& context, std::initializer_list<std::string_view> roles,
                  bool directory = false);
/// To be called before anything is changed.
void note_write(Context& context);
void expect_no_query(Context const& context);
/// https://graph.../v1.0/$metadata#...
std::string odata_context(Context const& context, std::string_view fragment);
std::string mailbox_url(Context const& context);

/// A page of what `total` elements are, as lists are cut: adds nextLink and count.
struct Page {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    json::object envelope;
};
Page cut_page(Context const& context, ODataQuery const& query, std::uint64_t total,
              std::uint64_t page_default = 10);

/// By id or well-known name; throws 400 or 404.
Folder const& folder_named(Context const& context, std::string const& text);
/// By id; throws 400 or 404. `folder` must hold it.
Item const& item_named(Context const& context, Folder const& folder, std::string const& text);

// The routes, one file for each group. Paths after /v1.0/admin/exchange/mailboxes/{id}.
Response list_folders(Context& context, Folder const& parent);
Response read_folder(Context& context, Folder const& folder);
asio::awaitable<Response> create_folder(Context& context, Folder const& parent);
asio::awaitable<Response> rename_folder(Context& context, Folder const& folder);
Response delete_folder(Context& context, Folder const& folder);
Response list_items(Context& context, Folder const& folder);
Response read_item(Context& context, Folder const& folder, std::string const& id);
Response delete_item(Context& context, Folder const& folder, std::string const& id);
Response delta_items(Context& context, Folder const& folder);
Response delta_folders(Context& context, Folder const& parent);
asio::awaitable<Response> export_items(Context& context);
asio::awaitable<Response> create_import_session(Context& context);
// The directory, and what only exists to be counted.
asio::awaitable<Response> answer_users(Context& context);
asio::awaitable<Response> answer_batch(Context& context);

json::object folder_json(Context const& context, Folder const& folder);
json::object item_json(Context const& context, Item const& item);
QueryRules folder_query_rules(std::vector<std::string_view> options);
QueryRules item_query_rules(Context const& context, std::vector<std::string_view> options);

}  // namespace graphsim
