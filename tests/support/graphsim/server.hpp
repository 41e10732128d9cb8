#pragma once

/// Takes each request of each listener through limits, faults, its host, and the audit.

#include "tests/support/graphsim/http_connection.hpp"
#include "tests/support/graphsim/world.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>

namespace graphsim {

class Control;

class Server {
public:
    Server(asio::io_context& context, World& world, asio::ssl::context& tls, Control& control)
        : context_(context), world_(world), tls_(tls), control_(control) {}

    /// Listens on loopback; port 0: the kernel chooses. Answers the port.
    std::uint16_t listen(Listener listener, std::uint16_t port);

private:
    asio::awaitable<void> accept(asio::ip::tcp::acceptor acceptor, Listener listener);
    asio::awaitable<void> serve(std::shared_ptr<Connection> connection, Listener listener);
    /// False if the connection is over.
    asio::awaitable<bool> exchange(Connection& connection, Request request);
    asio::awaitable<bool> control_exchange(Connection& connection, Request request);

    asio::io_context& context_;
    World& world_;
    asio::ssl::context& tls_;
    Control& control_;
};

}  // namespace graphsim
