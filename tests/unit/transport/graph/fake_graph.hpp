#pragma once

/// The little of the service that sessions need, in memory, over plain HTTP on loopback.
/// `intercept` sees each request first and may answer, or break off, in its place.

#include "async/asio.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mailferry::graph {

struct Exchange {
    std::string method, target, body;
    std::map<std::string, std::string> headers;  ///< Names in lower case.
};

struct Reply {
    int status = 200;
    std::string body = "{}";
    std::vector<std::pair<std::string, std::string>> headers = {};
    bool drop = false;          ///< No answer: the connection ends.
    bool after_effect = false;  ///< Of a drop: what was asked is done first.
};

class FakeGraph {
public:
    struct Item {
        std::string id, key, data, search_key;
        std::string received = "2026-01-05T08:30:00Z";
    };
    struct Folder {
        std::string id, name, type, parent;
        std::string well_known;
        std::vector<Item> items;
    };

    explicit FakeGraph(asio::io_context& io);
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    void stop() { acceptor_.close(); }

    Folder& folder(std::string const& id);
    /// Adds `count` items named <folder><number>.
    void fill(std::string const& folder_id, int count);
    std::vector<std::string> requests(std::string const& part) const;

    std::vector<Folder> folders;
    std::vector<Exchange> seen;
    std::function<std::optional<Reply>(Exchange const&)> intercept;
    std::vector<std::string> hidden_in_lists;  ///< Ids that the plain listing skips.
    std::vector<std::string> removed;          ///< Said by each delta from a mark.
    std::vector<std::string> changed;          ///< The same.
    std::size_t page_items = 3;
    /// Bytes of the request body that have come, while it is coming.
    std::size_t body_bytes_come = 0;

private:
    awaitable<void> accept();
    awaitable<void> serve(asio::ip::tcp::socket socket);
    Reply answer(Exchange const& exchange);
    Reply graph(Exchange const& exchange, std::string path);
    Reply list_items(Folder& folder, std::string const& query);
    Reply delta(Folder& folder, std::string const& query);
    Reply export_items(Exchange const& exchange);
    Reply import_item(Exchange const& exchange);
    std::string item_json(Item const& item) const;
    std::string folder_json(Folder const& folder) const;
    std::string root() const { return "http://127.0.0.1:" + std::to_string(port()); }

    asio::ip::tcp::acceptor acceptor_;
    int next_id_ = 1;
};

}  // namespace mailferry::graph
