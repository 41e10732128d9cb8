#include "fake_graph.hpp"

#include "transport/auth/sasl.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>

#include <algorithm>

namespace mailferry::graph {
namespace {

namespace json = boost::json;

std::string lower(std::string text) {
    for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return text;
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%' || i + 2 >= text.size()) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
    }
    return out;
}

Reply refusal(int status, std::string_view code) {
    return {status, json::serialize(json::object{{"error", {{"code", code}, {"message", code}}}})};
}

/// The number behind `name` in a query; `otherwise` if it isn't there.
std::size_t number_of(std::string const& query, std::string const& name, std::size_t otherwise) {
    auto const at = query.find(name);
    return at == query.npos ? otherwise : std::stoul(query.substr(at + name.size()));
}

std::string take_segment(std::string& path) {
    auto const end = std::min(path.find('/'), path.size());
    auto segment = decoded(path.substr(0, end));
    path.erase(0, std::min(end + 1, path.size()));
    return segment;
}

}  // namespace

FakeGraph::FakeGraph(asio::io_context& io)
    : acceptor_(io, asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {
    folders.push_back({"inbox-id", "Posteingang", "IPF.Note", "root", "inbox", {}});
    folders.push_back({"cal-id", "Kalender", "IPF.Appointment", "root", "", {}});
    asio::co_spawn(io, accept(), asio::detached);
}

FakeGraph::Folder& FakeGraph::folder(std::string const& id) {
    return *std::find_if(folders.begin(), folders.end(),
                         [&](Folder const& held) { return held.id == id; });
}

void FakeGraph::fill(std::string const& folder_id, int count) {
    auto& items = folder(folder_id).items;
    for (int i = 0; i < count; ++i) {
        auto const id = folder_id + "-" + std::to_string(items.size());
        items.push_back({id, "key of " + id, "data of " + id, "search " + id});
    }
}

std::vector<std::string> FakeGraph::requests(std::string const& part) const {
    std::vector<std::string> found;
    for (auto const& exchange : seen)
        if (exchange.target.find(part) != std::string::npos) found.push_back(exchange.target);
    return found;
}

awaitable<void> FakeGraph::accept() {
    for (;;) {
        boost::system::error_code error;
        auto socket =
            co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), asio::detached);
    }
}

awaitable<void> FakeGraph::serve(asio::ip::tcp::socket socket) {
    std::string buffer;
    for (;;) {
        boost::system::error_code error;
        auto const head_bytes =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n",
                                            asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        Exchange exchange;
        auto head = buffer.substr(0, head_bytes);
        buffer.erase(0, head_bytes);
        exchange.method = head.substr(0, head.find(' '));
        auto const target = head.find(' ') + 1;
        exchange.target = head.substr(target, head.find(' ', target) - target);
        for (auto at = head.find("\r\n") + 2; at < head.size() - 2;) {
            auto const end = head.find("\r\n", at);
            auto const colon = head.find(':', at);
            exchange.headers[lower(head.substr(at, colon - at))] =
                head.substr(colon + 2, end - colon - 2);
            at = end + 2;
        }
        auto const length = std::stoul("0" + exchange.headers["content-length"]);
        while (buffer.size() < length) {
            body_bytes_come = buffer.size();
            char piece[4096];
            auto const count = co_await socket.async_read_some(
                asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
            if (error) co_return;
            buffer.append(piece, count);
        }
        exchange.body = buffer.substr(0, length);
        buffer.erase(0, length);
        seen.push_back(exchange);
        auto reply = intercept ? intercept(exchange) : std::nullopt;
        if (reply && reply->drop) {
            if (reply->after_effect) answer(exchange);
            co_return;
        }
        if (!reply) reply = answer(exchange);
        auto text = "HTTP/1.1 " + std::to_string(reply->status) +
                    " X\r\nContent-Type: application/json\r\nContent-Length: " +
                    std::to_string(reply->body.size()) + "\r\n";
        for (auto const& [name, value] : reply->headers) text += name + ": " + value + "\r\n";
        text += "\r\n" + reply->body;
        co_await asio::async_write(socket, asio::buffer(text),
                                   asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
    }
}

Reply FakeGraph::answer(Exchange const& exchange) {
    if (exchange.target.ends_with("/oauth2/v2.0/token"))
        return {200, R"({"token_type":"Bearer","expires_in":3599,"access_token":"tok"})"};
    if (exchange.target.starts_with("/import?")) return import_item(exchange);
    if (!exchange.headers.contains("authorization")) return refusal(401, "NoToken");
    constexpr std::string_view prefix = "/v1.0/";
    return graph(exchange, exchange.target.substr(prefix.size()));
}

Reply FakeGraph::graph(Exchange const& exchange, std::string path) {
    std::string query;
    if (auto const mark = path.find('?'); mark != path.npos) {
        query = decoded(path.substr(mark + 1));
        path.resize(mark);
    }
    if (path.starts_with("users/")) {
        take_segment(path);
        if (take_segment(path).starts_with("nobody")) return refusal(404, "ResourceNotFound");
        return {200, R"({"primaryMailboxId":"MBX:1@2"})"};
    }
    for (int i = 0; i < 3; ++i) take_segment(path);
    if (take_segment(path) != "MBX:1@2") return refusal(404, "ErrorNonExistentMailbox");
    auto const what = take_segment(path);
    if (what == "exportItems") return export_items(exchange);
    if (what == "createImportSession")
        return {200, R"({"expirationDateTime":"2099-01-01T00:00:00.1234567Z","importUrl":")" +
                         root() + R"(/import?authtoken=SECRET"})"};
    auto const folder_id = take_segment(path);
    auto const part = take_segment(path);
    if (folder_id.empty() || part == "childFolders") {
        auto const parent = folder_id.empty() ? std::string("root") : folder_id;
        if (exchange.method == "POST") {
            auto const wanted = json::parse(exchange.body).as_object();
            Folder made{"made-" + std::to_string(next_id_++),
                        std::string(wanted.at("displayName").as_string()),
                        std::string(wanted.at("type").as_string()),
                        parent,
                        {},
                        {}};
            for (auto const& held : folders)
                if (held.parent == parent && held.name == made.name)
                    return refusal(409, "ErrorFolderExists");
            folders.push_back(made);
            return {201, folder_json(made)};
        }
        std::string list;
        for (auto const& held : folders)
            if (held.parent == parent) list += (list.empty() ? "" : ",") + folder_json(held);
        return {200, "{\"value\":[" + list + "]}"};
    }
    auto const known = std::find_if(folders.begin(), folders.end(),
                                    [&](Folder const& held) { return held.id == folder_id; });
    if (known == folders.end()) return refusal(404, "ErrorFolderNotFound");
    if (path == "delta") return delta(*known, query);
    if (path.empty() && part == "items") return list_items(*known, query);
    auto const item_id = take_segment(path);
    for (auto const& item : known->items)
        if (item.id == item_id) return {200, item_json(item)};
    return refusal(404, "ErrorItemNotFound");
}

Reply FakeGraph::list_items(Folder& folder, std::string const& query) {
    auto const from = number_of(query, "skip=", 0);
    std::string list;
    std::size_t at = from;
    for (; at < folder.items.size() && at < from + page_items; ++at) {
        auto const& item = folder.items[at];
        if (std::find(hidden_in_lists.begin(), hidden_in_lists.end(), item.id) !=
            hidden_in_lists.end())
            continue;
        list += (list.empty() ? "" : ",") + item_json(item);
    }
    auto body = "{\"value\":[" + list + "]";
    if (at < folder.items.size())
        body += ",\"@odata.nextLink\":\"" + root() + "/v1.0/admin/exchange/mailboxes/MBX:1@2/" +
                "folders/" + folder.id + "/items?$skip=" + std::to_string(at) + "\"";
    return {200, body + "}"};
}

Reply FakeGraph::delta(Folder& folder, std::string const& query) {
    auto const base =
        root() + "/v1.0/admin/exchange/mailboxes/MBX:1@2/folders/" + folder.id + "/items/delta?";
    std::string list;
    auto const add = [&](std::string const& element) {
        list += (list.empty() ? "" : ",") + element;
    };
    std::string link = "\"@odata.deltaLink\":\"" + base + "$deltatoken=mark\"";
    if (query.find("deltatoken") != query.npos) {
        for (auto const& id : changed) add("{\"id\":\"" + id + "\",\"changeKey\":\"x\"}");
        for (auto const& id : removed)
            add("{\"id\":\"" + id + "\",\"@removed\":{\"reason\":\"deleted\"}}");
        return {200, "{\"value\":[" + list + "]," + link + "}"};
    }
    auto const from = number_of(query, "skiptoken=", 0);
    auto const to = std::min(folder.items.size(), from + page_items);
    for (auto at = from; at < to; ++at) add("{\"id\":\"" + folder.items[at].id + "\"}");
    if (to < folder.items.size())
        link = "\"@odata.nextLink\":\"" + base + "$skiptoken=" + std::to_string(to) + "\"";
    return {200, "{\"value\":[" + list + "]," + link + "}"};
}

Reply FakeGraph::export_items(Exchange const& exchange) {
    auto const request = json::parse(exchange.body).as_object();
    auto const& ids = request.at("itemIds").as_array();
    if (ids.size() > 20) return refusal(400, "BadRequest");
    json::array value;
    for (auto const& id : ids) {
        json::object element{{"itemId", id}};
        for (auto const& held : folders)
            for (auto const& item : held.items)
                if (item.id == id.as_string()) {
                    element["changeKey"] = item.key;
                    element["data"] = transport::base64_encode(item.data);
                }
        if (!element.contains("data")) element["error"] = {{"code", "ErrorItemNotFound"}};
        value.push_back(std::move(element));
    }
    return {200, json::serialize(json::object{{"value", std::move(value)}})};
}

Reply FakeGraph::import_item(Exchange const& exchange) {
    if (exchange.headers.contains("authorization")) return refusal(400, "BadRequest");
    auto const request = json::parse(exchange.body).as_object();
    auto const text = [&](char const* name) { return std::string(request.at(name).as_string()); };
    auto const known = std::find_if(folders.begin(), folders.end(), [&](Folder const& held) {
        return held.id == text("FolderId");
    });
    if (known == folders.end()) return refusal(404, "ErrorFolderNotFound");
    auto const data = transport::base64_decode(text("Data"));
    if (!data || *data == "corrupt") return refusal(400, "ErrorCorruptData");
    std::string id;
    if (text("Mode") == "update") {
        for (auto& item : known->items) {
            if (item.id != text("ItemId")) continue;
            if (item.key != text("ChangeKey")) return refusal(412, "ErrorIrresolvableConflict");
            item.data = *data;
            item.key += "+";
            id = item.id;
        }
        if (id.empty()) return refusal(404, "ErrorItemNotFound");
    } else {
        id = "copy-" + std::to_string(next_id_++);
        known->items.push_back({id, "key of " + id, *data, "search of " + *data});
    }
    return {200, json::serialize(json::object{{"itemId", id}, {"changeKey", "k"}})};
}

std::string FakeGraph::item_json(Item const& item) const {
    return json::serialize(json::object{
        {"id", item.id},
        {"changeKey", item.key},
        {"type", "IPM.Note"},
        {"size", item.data.size()},
        {"createdDateTime", "2026-02-01T00:00:00Z"},
        {"singleValueExtendedProperties",
         {{{"id", "SystemTime 0xe06"}, {"value", item.received}},
          {{"id", "Binary 0x300b"}, {"value", transport::base64_encode(item.search_key)}}}}});
}

std::string FakeGraph::folder_json(Folder const& held) const {
    auto const children = std::count_if(folders.begin(), folders.end(), [&](Folder const& other) {
        return other.parent == held.id;
    });
    json::object made{{"id", held.id},
                      {"displayName", held.name},
                      {"parentFolderId", held.parent},
                      {"childFolderCount", children},
                      {"totalItemCount", held.items.size()},
                      {"type", held.type}};
    if (held.well_known.empty())
        made["wellKnownName"] = nullptr;
    else
        made["wellKnownName"] = held.well_known;
    return json::serialize(made);
}

}  // namespace mailferry::graph
