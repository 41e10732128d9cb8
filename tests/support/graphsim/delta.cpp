// Delta queries. The position in a mailbox's changes lies in the token, sealed; nothing is kept
// here.

#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/graph_host.hpp"

#include <charconv>

namespace graphsim {

namespace {

constexpr std::uint64_t filtered_items_max = 5000;

/// What a token says.
struct Position {
    std::string kind;     ///< items or folders
    std::string mailbox;  ///< guid
    FolderKey folder = 0;
    std::uint64_t after = 0;  ///< Sequence number of the last change told.
    std::uint64_t until = 0;  ///< Last change of this round; 0: the round is over.
    bool first_round = true;
    std::string select;
    std::uint64_t top = 0;
    std::string received_from;    ///< ISO time; empty: no filter.
    bool received_later = false;  ///< gt, not ge.
    std::uint64_t told = 0;
    Time issued{};
    std::uint64_t epoch = 0;
    std::uint64_t mailbox_epoch = 0;
};

std::string keystream(std::string const& key, std::string const& nonce, std::size_t count) {
    std::string bytes;
    for (std::uint64_t n = 0; bytes.size() < count; ++n) {
        bytes += hmac_sha256(key, nonce + std::to_string(n));
    }
    return bytes.substr(0, count);
}

std::string sealed(Position const& position, std::string const& key) {
    json::array const fields{
        position.kind,           position.mailbox,      position.folder,
        position.after,          position.until,        position.first_round,
        position.select,         position.top,          position.received_from,
        position.received_later, position.told,         position.issued.time_since_epoch().count(),
        position.epoch,          position.mailbox_epoch};
    auto text = json::serialize(fields);
    auto const nonce = hmac_sha256(key, text).substr(0, 16);
    auto const stream = keystream(key, nonce, text.size());
    for (std::size_t n = 0; n < text.size(); ++n) text[n] = static_cast<char>(text[n] ^ stream[n]);
    return base64url(nonce + text);
}

std::optional<Position> unsealed(std::string_view token, std::string const& key) {
    auto const bytes = from_base64url(token);
    if (!bytes || bytes->size() < 16) return std::nullopt;
    auto const nonce = bytes->substr(0, 16);
    auto text = bytes->substr(16);
    auto const stream = keystream(key, nonce, text.size());
    for (std::size_t n = 0; n < text.size(); ++n) text[n] = static_cast<char>(text[n] ^ stream[n]);
    if (hmac_sha256(key, text).substr(0, 16) != nonce) return std::nullopt;
    auto const value = json::parse(text);
    auto const& fields = value.as_array();
    Position position;
    position.kind = fields[0].as_string();
    position.mailbox = fields[1].as_string();
    position.folder = fields[2].to_number<std::uint64_t>();
    position.after = fields[3].to_number<std::uint64_t>();
    position.until = fields[4].to_number<std::uint64_t>();
    position.first_round = fields[5].as_bool();
    position.select = fields[6].as_string();
    position.top = fields[7].to_number<std::uint64_t>();
    position.received_from = fields[8].as_string();
    position.received_later = fields[9].as_bool();
    position.told = fields[10].to_number<std::uint64_t>();
    position.issued = Time{Duration{fields[11].to_number<std::int64_t>()}};
    position.epoch = fields[12].to_number<std::uint64_t>();
    position.mailbox_epoch = fields[13].to_number<std::uint64_t>();
    return position;
}

std::uint64_t mailbox_epoch(Context const& context) {
    auto const found = context.world.delta_epoch_of.find(context.mailbox().id());
    return found == context.world.delta_epoch_of.end() ? 0 : found->second;
}

[[noreturn]] void refuse_expired(Context const& context) {
    GraphError error(410, "SyncStateNotFound", "The sync state generation is not found.");
    if (context.world.random.chance(0.5)) {
        error.headers.emplace_back("Location", context.request.origin + context.request.path);
    }
    throw error;
}

/// "receivedDateTime ge 2026-01-01T00:00:00Z" and nothing else.
void take_received_filter(Position& position, std::string const& text) {
    constexpr std::string_view name = "receivedDateTime ";
    auto const rest = text.starts_with(name) ? text.substr(name.size()) : "";
    auto const value = rest.size() > 3 ? rest.substr(3) : "";
    if ((!rest.starts_with("ge ") && !rest.starts_with("gt ")) || !parse_time(value)) {
        throw GraphError(400, "RequestBroker--ParseUri",
                         "Only $filter=receivedDateTime ge|gt {value} is supported in delta.");
    }
    position.received_from = value;
    position.received_later = rest.starts_with("gt ");
}

Position first_position(Context const& context, Folder const& folder, std::string_view kind,
                        QueryRules const& rules) {
    // These two are checked here: their property isn't one of mailboxItem.
    auto fields = form_fields(context.request.query).value_or(std::map<std::string, std::string>{});
    Position position;
    if (kind == "items") {
        if (fields.contains("$filter")) take_received_filter(position, fields["$filter"]);
        if (fields.contains("$orderby") && fields["$orderby"] != "receivedDateTime desc") {
            throw GraphError(400, "RequestBroker--ParseUri",
                             "Only $orderby=receivedDateTime desc is supported in delta.");
        }
        fields.erase("$filter");
        fields.erase("$orderby");
    }
    std::string rest;
    for (auto const& [name, value] : fields) {
        rest += percent_encoded(name) + "=" + percent_encoded(value) + "&";
    }
    auto const query = parse_query(rest, rules);
    position.kind = kind;
    position.mailbox = context.mailbox().guid();
    position.folder = folder.key;
    position.until = context.mailbox().sequence();
    auto const select = query.given.find("$select");
    if (select != query.given.end()) position.select = select->second;
    position.top = query.top.value_or(0);
    return position;
}

/// Out of the token in the query, or a new one.
Position position_of(Context const& context, Folder const& folder, std::string_view kind,
                     QueryRules const& rules) {
    auto const fields =
        form_fields(context.request.query).value_or(std::map<std::string, std::string>{});
    auto const* name = fields.contains("$deltatoken") ? "$deltatoken" : "$skiptoken";
    auto const given = fields.find(name);
    auto now = first_position(
        context, folder, kind,
        given == fields.end()
            ? rules
            : QueryRules{rules.type, rules.properties, {"$deltatoken", "$skiptoken"}, false, 1000});
    now.issued = context.now();
    now.epoch = context.world.delta_epoch;
    now.mailbox_epoch = mailbox_epoch(context);
    if (given == fields.end()) return now;
    auto position = unsealed(given->second, context.world.delta_key);
    if (!position || fields.size() != 1 || position->kind != kind ||
        position->mailbox != now.mailbox || position->folder != folder.key ||
        (position->until == 0) != (given->first == "$deltatoken")) {
        throw GraphError(400, "SyncStateInvalid", "The sync state is not valid for this request.");
    }
    auto const lifetime = context.world.options.delta_seconds;
    bool const too_old = lifetime > 0 && position->issued + seconds(lifetime) < now.issued;
    if (too_old || position->epoch != now.epoch || position->mailbox_epoch != now.mailbox_epoch) {
        refuse_expired(context);
    }
    position->issued = now.issued;
    if (position->until == 0) {
        position->until = now.until;
        position->first_round = false;
    }
    return *position;
}

std::uint64_t page_size(Context const& context, Position const& position) {
    auto const text = context.request.preference("odata.maxpagesize");
    std::uint64_t size = 0;
    std::from_chars(text.data(), text.data() + text.size(), size);
    if (size == 0) size = position.top;
    return size == 0 ? 10 : std::min<std::uint64_t>(size, 1000);
}

json::object removed_json(std::string id, bool restorable) {
    return {{"id", std::move(id)},
            {"@removed", json::object{{"reason", restorable ? "changed" : "deleted"}}}};
}

bool wanted(Position const& position, Item const& item) {
    if (position.received_from.empty()) return true;
    if (!item.logical.received) return false;
    auto const from = *parse_time(position.received_from);
    return position.received_later ? *item.logical.received > from : *item.logical.received >= from;
}

using ShowChange = std::function<std::optional<json::object>(Change const&)>;

/// One page: moves `position` on.
json::array next_page(Context const& context, Position& position, ChangeLog const& log,
                      ShowChange const& show) {
    auto& random = context.world.random;
    auto const& options = context.world.options;
    auto size = page_size(context, position);
    json::array values;
    if (position.after != 0 && random.chance(options.delta_empty_page)) return values;
    if (size > 1 && random.chance(options.page_short)) size = 1 + random.below(size - 1);
    auto each = log.entries().upper_bound(position.after);
    while (each != log.entries().end() && each->first <= position.until && values.size() < size) {
        position.after = each->first;
        auto object = show(each->second);
        if (object) {
            values.push_back(std::move(*object));
            ++position.told;
        }
        ++each;
    }
    bool const over = each == log.entries().end() || each->first > position.until;
    bool const filtered_out =
        !position.received_from.empty() && position.told >= filtered_items_max;
    if (over || filtered_out) position.after = position.until;
    if (values.size() > 1 && random.chance(options.delta_duplicate)) {
        values.push_back(values[random.below(values.size())]);
    }
    if (options.delta_shuffle) {
        for (auto n = values.size(); n > 1; --n) {
            std::swap(values[n - 1], values[random.below(n)]);
        }
    }
    return values;
}

Response delta_reply(Context const& context, Position position, json::array values,
                     std::string_view type) {
    bool const over = position.after >= position.until;
    if (over) {
        position.after = position.until;
        position.until = 0;
        position.told = 0;
    }
    auto const link = context.request.origin + context.request.path +
                      (over ? "?$deltatoken=" : "?$skiptoken=") +
                      sealed(position, context.world.delta_key);
    json::object const body{
        {"@odata.context", odata_context(context, "Collection(" + std::string(type) + ")")},
        {over ? "@odata.deltaLink" : "@odata.nextLink", link},
        {"value", std::move(values)}};
    auto response = json_response(200, body);
    auto const preference = context.request.preference("odata.maxpagesize");
    if (!preference.empty()) {
        response.headers.emplace_back("Preference-Applied", "odata.maxpagesize=" + preference);
    }
    return response;
}

}  // namespace

Response delta_items(Context& context, Folder const& folder) {
    context.audit.route = "delta items";
    if (folder.search) {
        throw GraphError(400, "ErrorInvalidOperation", "Search folders have no delta.");
    }
    if (context.world.options.items_by_import_export_role) {
        require_role(context, {"MailboxItem.Read.All", "MailboxItem.ImportExport.All"});
    } else {
        require_role(context, {"MailboxItem.Read.All"});
    }
    std::vector<std::string_view> options{"$select", "$top"};
    if (context.world.options.delta_expand) options.push_back("$expand");
    auto const rules = item_query_rules(context, std::move(options));
    auto position = position_of(context, folder, "items", rules);
    auto const select = parse_query("$select=" + percent_encoded(position.select), rules);
    auto const& box = context.mailbox();
    auto const show = [&](Change const& change) -> std::optional<json::object> {
        if (change.removed) {
            if (position.first_round) return std::nullopt;
            return removed_json(box.item_id(change, context.immutable_ids()), change.restorable);
        }
        auto const& item = *box.item(change.key);
        if (!wanted(position, item)) return std::nullopt;
        auto object = item_json(context, item);
        select.select_from(object);
        return object;
    };
    auto values = next_page(context, position, folder.item_changes, show);
    return delta_reply(context, position, std::move(values), "mailboxItem");
}

Response delta_folders(Context& context, Folder const& parent) {
    context.audit.route = "delta folders";
    require_role(context, {"MailboxFolder.Read.All", "MailboxFolder.ReadWrite.All"});
    auto const rules = folder_query_rules({"$select"});
    auto position = position_of(context, parent, "folders", rules);
    auto const select = parse_query("$select=" + percent_encoded(position.select), rules);
    auto const& box = context.mailbox();
    auto const show = [&](Change const& change) -> std::optional<json::object> {
        if (change.removed) {
            if (position.first_round) return std::nullopt;
            return removed_json(box.folder_id(change.key), false);
        }
        auto object = folder_json(context, *box.folder(change.key));
        select.select_from(object);
        return object;
    };
    auto values = next_page(context, position, parent.child_changes, show);
    return delta_reply(context, position, std::move(values), "mailboxFolder");
}

}  // namespace graphsim
