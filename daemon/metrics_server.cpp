#include "daemon/metrics_server.hpp"

#include "config/base/assert.hpp"
#include "config/base/log.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <charconv>

namespace mailferry::daemon {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

struct MetricsServer::Client {
    explicit Client(tcp::socket socket) : stream(std::move(socket)) {}
    beast::tcp_stream stream;
    bool waits = false;  ///< For a request: stop() may cut it off.
};

namespace {

constexpr std::uint32_t request_bytes_max = 8 << 10;

Error refused(std::string_view listen, std::string_view why) {
    return {Errc::invalid_config,
            std::string("metrics_listen = \"").append(listen).append("\": ").append(why)};
}

Result<tcp::endpoint> endpoint_of(std::string_view listen) {
    auto const colon = listen.rfind(':');
    if (colon == listen.npos || colon == 0)
        return refused(listen, "write host:port, as in 127.0.0.1:9464");
    auto host = std::string(listen.substr(0, colon));
    auto const port_text = listen.substr(colon + 1);
    std::uint16_t port = 0;
    auto const* const end = port_text.data() + port_text.size();
    if (auto const [rest, error] = std::from_chars(port_text.data(), end, port);
        error != std::errc{} || rest != end)
        return refused(listen, "the port is no number up to 65535");
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    error_code error;
    auto const address = asio::ip::make_address(host, error);
    if (error) return refused(listen, "the host is no IP address (nor localhost)");
    return tcp::endpoint(address, port);
}

http::response<http::string_body> answer(http::request<http::empty_body> const& request,
                                         MetricsServer::MakeText const& make_text) {
    http::response<http::string_body> response;
    response.version(11);
    response.keep_alive(false);
    response.set(http::field::server, "mailferryd");
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    if (request.target() != "/metrics") {
        response.result(http::status::not_found);
        response.body() = "Only /metrics is served here.\n";
    } else if (request.method() != http::verb::get) {
        response.result(http::status::method_not_allowed);
        response.set(http::field::allow, "GET");
        response.body() = "Only GET is answered here.\n";
    } else {
        response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
        response.body() = make_text();
    }
    response.prepare_payload();
    return response;
}

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::open(asio::any_io_executor executor,
                                                           std::string_view listen,
                                                           MakeText make_text,
                                                           MetricsServerLimits limits) {
    auto const endpoint = endpoint_of(listen);
    if (!endpoint) return endpoint.error();
    Acceptor acceptor(executor);
    error_code error;
    acceptor.open(endpoint->protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(*endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        return refused(listen, error.message() + "; choose another port, or \"\" to turn it off");
    return std::unique_ptr<MetricsServer>(
        new MetricsServer(executor, std::move(make_text), limits, std::move(acceptor)));
}

MetricsServer::MetricsServer(asio::any_io_executor executor, MakeText make_text,
                             MetricsServerLimits limits, Acceptor acceptor)
    : make_text_(std::move(make_text)),
      limits_(limits),
      acceptor_(std::move(acceptor)),
      tasks_(executor) {
    error_code ignored;
    port_ = acceptor_.local_endpoint(ignored).port();
}

MetricsServer::~MetricsServer() { MAILFERRY_ASSERT(tasks_.running() == 0); }

awaitable<void> MetricsServer::run() {
    constexpr std::chrono::milliseconds out_of_descriptors_pause{200};
    auto const executor = co_await asio::this_coro::executor;
    while (!stopping_) {
        error_code error;
        tcp::socket socket(executor);
        co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
        if (stopping_ || error == asio::error::operation_aborted) break;
        if (error) {
            log::warning("metrics server can't accept", {{"error", error.message()}});
            asio::steady_timer pause(executor, out_of_descriptors_pause);
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
            continue;
        }
        // Over the limit the newcomer is cut off: a scrape is repeated soon.
        if (clients_.size() >= limits_.clients_max) continue;
        clients_.emplace_back(std::move(socket));
        tasks_.spawn(serve(std::prev(clients_.end())));
    }
    co_await tasks_.join();
}

void MetricsServer::stop() {
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (auto& client : clients_)
        if (client.waits) client.stream.cancel();
}

awaitable<void> MetricsServer::serve(std::list<Client>::iterator client) {
    auto& stream = client->stream;
    beast::flat_buffer buffer(request_bytes_max);
    http::request_parser<http::empty_body> parser;
    parser.header_limit(request_bytes_max);
    error_code error;
    stream.expires_after(limits_.request_deadline);
    client->waits = true;
    co_await http::async_read(stream, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, error));
    client->waits = false;
    if (!error) {
        auto const response = answer(parser.get(), make_text_);
        stream.expires_after(limits_.response_deadline);
        co_await http::async_write(stream, response,
                                   asio::redirect_error(asio::use_awaitable, error));
        if (!error) stream.socket().shutdown(tcp::socket::shutdown_send, error);
    }
    stream.close();
    clients_.erase(client);
}

}  // namespace mailferry::daemon
