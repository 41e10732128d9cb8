// The simulator of Microsoft's cloud; its control commands are the test's own door.

#include "tests/contract/service.hpp"
#include "transport/graph/connector.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <ctime>
#include <stdexcept>

namespace mailferry::contract {

namespace {

using asio::ip::tcp;
namespace json = boost::json;

constexpr std::int64_t faults_many = 1'000'000;
constexpr std::uint64_t requests_many = 100'000'000;

std::string iso_time(std::int64_t unix_seconds) {
    auto const time = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[64];
    auto const count = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return std::string(text, count);
}

class GraphService final : public Service {
public:
    explicit GraphService(json::object const& settings) : settings_(settings) {}

    std::unique_ptr<transport::Connector> connector(asio::any_io_executor executor, Side side,
                                                    Relay const& relay, Temper temper) override {
        auto const& own = of(side);
        config::Tenant tenant;
        tenant.name = "contract";
        tenant.protocol = config::Protocol::graph;
        tenant.host = text(settings_, "host");
        tenant.authority = text(settings_, "authority");
        tenant.tenant_id = text(own, "tenant_id");
        tenant.ca_file = text(settings_, "ca_file");
        tenant.https_proxy = "http://127.0.0.1:" + std::to_string(relay.port());
        config::Admin admin;
        admin.auth = config::Auth::app_secret;
        admin.client_id = text(own, "client_id");
        graph::ConnectorOptions options;
        options.limits.requests_max = requests_many;
        options.limits.upload_bytes_max = requests_many * 1'000;
        options.limits.backoff_first = std::chrono::milliseconds(2);
        options.limits.backoff_max = std::chrono::milliseconds(10);
        options.limits.attempts_max = temper.attempts_max;
        options.tokens.back_off_first = std::chrono::milliseconds(2);
        options.tokens.back_off_max = std::chrono::milliseconds(10);
        return std::make_unique<graph::Connector>(executor, tenant, admin,
                                                  Secret(text(own, "secret")), options);
    }
    /// Every connection says where it wants to go.
    std::optional<tcp::endpoint> upstream() const override { return std::nullopt; }

    std::string mailbox(Side side) const override { return text(of(side), "mailbox"); }
    std::string other_mailbox(Side side) const override { return text(of(side), "other"); }
    std::string unknown_mailbox(Side) const override { return "nobody@contract.example"; }

    void add_folder(Side side, std::string const& name) override {
        call("folder", {{"mailbox", id_of(side)}, {"name", name}});
    }
    void remove_folder(Side side, std::string const& name) override {
        call("remove-folder", {{"mailbox", id_of(side)}, {"folder", json::array{name}}});
    }
    void add_item(Side side, std::string const& folder, std::int64_t received,
                  std::size_t bytes) override {
        call("items", {{"mailbox", id_of(side)},
                       {"folder", json::array{folder}},
                       {"kind", "attachment"},
                       {"seed", received},
                       {"bytes", bytes},
                       {"received", iso_time(received)}});
    }
    void remove_item(Side side, std::string const& folder, std::int64_t received) override {
        auto const id = item_id(side, folder, received);
        call("change-item", {{"mailbox", id_of(side)}, {"id", id}, {"do", "delete"}});
    }
    void change_item(Side side, std::string const& folder, std::int64_t received) override {
        auto const id = item_id(side, folder, received);
        call("change-item",
             {{"mailbox", id_of(side)}, {"id", id}, {"do", "set"}, {"flag_status", 2}});
    }
    std::vector<std::int64_t> items_in(Side side, std::string const& folder) override {
        std::vector<std::int64_t> found;
        for (auto const& item : dump(side, folder)) found.push_back(received_of(item));
        std::sort(found.begin(), found.end());
        return found;
    }

    void forget_marks(Side side) override {
        call("expire", {{"what", "delta"}, {"mailbox", id_of(side)}});
    }

    void refuse_opening(Side) override { throttle(); }
    void put_off(Side, Relay&) override { throttle(); }
    void relent(Relay&) override { call("faults", {{"clear", true}}); }
    bool tells_pause() const override { return true; }

private:
    static std::string text(json::object const& object, std::string_view name) {
        return std::string(object.at(name).as_string());
    }
    json::object const& of(Side side) const {
        return settings_.at(side == Side::source ? "source" : "target").as_object();
    }
    std::string id_of(Side side) const { return text(of(side), "mailbox_id"); }

    void throttle() {
        json::object const rule{
            {"match", json::object{{"pathPattern", "/mailboxes|/users|/import"}}},
            {"action", "throttle"},
            {"retryAfter", "1"},
            {"count", faults_many}};
        call("faults", {{"rules", json::array{rule}}});
    }

    json::array dump(Side side, std::string const& folder) {
        auto const all = call("dump", {{"mailbox", id_of(side)}});
        for (auto const& one : all.as_object().at("folders").as_array())
            if (one.at("path") == json::array{folder}) return one.at("items").as_array();
        throw std::runtime_error("no folder " + folder);
    }
    static std::int64_t received_of(json::value const& item) {
        std::tm parts{};
        auto const time = text(item.as_object(), "received");
        if (::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr)
            throw std::runtime_error("no time: " + time);
        return ::timegm(&parts);
    }
    std::string item_id(Side side, std::string const& folder, std::int64_t received) {
        for (auto const& item : dump(side, folder))
            if (received_of(item) == received) return text(item.as_object(), "id");
        throw std::runtime_error("no item " + std::to_string(received) + " in " + folder);
    }

    json::value call(std::string const& command, json::object const& arguments) {
        auto const body = json::serialize(arguments);
        asio::io_context context;
        tcp::socket socket(context);
        auto const port = settings_.at("control_port").to_number<std::uint16_t>();
        socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
        auto const request = "POST /" + command +
                             " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                             "Content-Type: application/json\r\nContent-Length: " +
                             std::to_string(body.size()) + "\r\n\r\n" + body;
        asio::write(socket, asio::buffer(request));
        std::string answer;
        boost::system::error_code error;
        asio::read(socket, asio::dynamic_buffer(answer), error);
        auto const end = answer.find("\r\n\r\n");
        if (end == answer.npos || answer.substr(0, 15).find(" 200") == answer.npos)
            throw std::runtime_error(command + ": " + answer);
        return json::parse(std::string_view(answer).substr(end + 4));
    }

    json::object const settings_;
};

}  // namespace

std::unique_ptr<Service> make_graph_service(json::object const& settings) {
    return std::make_unique<GraphService>(settings);
}

}  // namespace mailferry::contract
