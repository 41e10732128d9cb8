#include "tests/contract/relay.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <charconv>

namespace mailferry::contract {

namespace {

using asio::ip::tcp;

constexpr std::size_t head_bytes_max = 4'096;
constexpr int socket_buffer_bytes = 64 * 1024;

/// So that what isn't read is soon not sent either.
void keep_little(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(asio::socket_base::receive_buffer_size(socket_buffer_bytes), ignored);
    socket.set_option(asio::socket_base::send_buffer_size(socket_buffer_bytes), ignored);
    socket.set_option(tcp::no_delay(true), ignored);
}

/// The port of "CONNECT host:port HTTP/1.1"; the host is this machine.
std::optional<std::uint16_t> port_asked(std::string_view head) {
    auto const line = head.substr(0, head.find("\r\n"));
    auto const end = line.rfind(' ');
    if (!line.starts_with("CONNECT ") || end == line.npos) return std::nullopt;
    auto const colon = line.rfind(':', end);
    if (colon == line.npos) return std::nullopt;
    std::uint16_t port = 0;
    auto const parsed = std::from_chars(line.data() + colon + 1, line.data() + end, port);
    return parsed.ec == std::errc() ? std::optional(port) : std::nullopt;
}

}  // namespace

struct Relay::Link {
    explicit Link(asio::any_io_executor const& executor) : client(executor), server(executor) {}

    void close() {
        boost::system::error_code ignored;
        client.close(ignored);
        server.close(ignored);
    }

    tcp::socket client, server;
    bool leaving = false;  ///< The client has been told goodbye; what it sends goes nowhere.
};

Relay::Relay(asio::any_io_executor executor, std::optional<tcp::endpoint> upstream)
    : executor_(executor),
      upstream_(upstream),
      acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      resumed_(executor) {
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(executor_, accept(), asio::detached);
}

void Relay::end() {
    ended_ = true;
    acceptor_.close();
    cut_all();
}

void Relay::cut_all() {
    for (auto const& link : links_) link->close();
    resume();
}

void Relay::say_and_cut(std::string text) {
    for (auto const& link : links_) {
        boost::system::error_code ignored;
        asio::write(link->client, asio::buffer(text), ignored);
        // The text has to arrive: a close over unread bytes would be a reset.
        link->leaving = true;
        link->client.shutdown(tcp::socket::shutdown_send, ignored);
        link->server.close(ignored);
    }
}

void Relay::resume() {
    stalled_ = false;
    resumed_.notify_all();
}

awaitable<void> Relay::accept() {
    while (!ended_) {
        auto const link = std::make_shared<Link>(executor_);
        boost::system::error_code error;
        co_await acceptor_.async_accept(link->client,
                                        asio::redirect_error(asio::use_awaitable, error));
        if (!error && !closed) asio::co_spawn(executor_, serve(link), asio::detached);
    }
}

awaitable<bool> Relay::reach_server(std::shared_ptr<Link> link) {
    boost::system::error_code error;
    auto endpoint = upstream_;
    if (!endpoint) {
        std::string head;
        co_await asio::async_read_until(link->client, asio::dynamic_buffer(head, head_bytes_max),
                                        "\r\n\r\n",
                                        asio::redirect_error(asio::use_awaitable, error));
        auto const port = error ? std::nullopt : port_asked(head);
        if (!port) co_return false;
        endpoint = tcp::endpoint(asio::ip::address_v4::loopback(), *port);
    }
    co_await link->server.async_connect(*endpoint,
                                        asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    keep_little(link->client);
    keep_little(link->server);
    if (!upstream_) {
        std::string const answer = "HTTP/1.1 200 Connected\r\n\r\n";
        co_await asio::async_write(link->client, asio::buffer(answer),
                                   asio::redirect_error(asio::use_awaitable, error));
    }
    co_return !error;
}

awaitable<void> Relay::serve(std::shared_ptr<Link> link) {
    links_.push_back(link);
    auto const reached = co_await reach_server(link);
    if (!reached) {
        link->close();
        links_.remove(link);
        co_return;
    }
    asio::co_spawn(executor_, pass_on(link, Direction::to_server), asio::detached);
    asio::co_spawn(executor_, pass_on(link, Direction::to_client), asio::detached);
}

awaitable<void> Relay::pass_on(std::shared_ptr<Link> link, Direction direction) {
    co_await pump(link, direction);
    if (link->leaving && direction == Direction::to_client) co_return;
    link->close();
    links_.remove(link);
}

/// Ends when either side ends.
awaitable<void> Relay::pump(std::shared_ptr<Link> link, Direction direction) {
    auto& from = direction == Direction::to_server ? link->client : link->server;
    auto& to = direction == Direction::to_server ? link->server : link->client;
    std::string buffer(chunk_bytes, '\0');
    boost::system::error_code error;
    while (!error) {
        auto const count = co_await from.async_read_some(
            asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        while (stalled_ && !ended_) co_await resumed_.wait();
        auto const verdict = on_chunk ? on_chunk(direction) : Verdict::pass;
        // Whoever cuts wants to cut everything: another connection would carry the call on.
        if (verdict == Verdict::cut) co_return cut_all();
        if (verdict == Verdict::swallow || link->leaving) continue;
        if (direction == Direction::to_client) bytes_to_client_ += count;
        co_await asio::async_write(to, asio::buffer(buffer.data(), count),
                                   asio::redirect_error(asio::use_awaitable, error));
    }
}

}  // namespace mailferry::contract
