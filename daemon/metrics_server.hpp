#pragma once

/// `GET /metrics` over HTTP, and nothing else: for Prometheus, on the address that
/// daemon.metrics_listen names. Clients, request size and times are limited; one request a
/// connection.

#include "async/task_group.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

namespace mailferry::daemon {

struct MetricsServerLimits {
    std::size_t clients_max = 8;
    std::chrono::milliseconds request_deadline{5'000}, response_deadline{10'000};
};

class MetricsServer {
public:
    using MakeText = std::function<std::string()>;

    /// `listen` is "host:port", "[::1]:port" or "localhost:port"; port 0 takes a free one.
    /// invalid_config, with the cure, if it can't be bound.
    static Result<std::unique_ptr<MetricsServer>> open(asio::any_io_executor executor,
                                                       std::string_view listen, MakeText make_text,
                                                       MetricsServerLimits limits = {});

    /// run() must have resolved.
    ~MetricsServer();
    MetricsServer(MetricsServer const&) = delete;
    MetricsServer& operator=(MetricsServer const&) = delete;

    std::uint16_t port() const { return port_; }
    /// Serves until stop(); resolves when the last client has gone.
    awaitable<void> run();
    void stop();

private:
    struct Client;
    using Acceptor = asio::ip::tcp::acceptor;

    MetricsServer(asio::any_io_executor executor, MakeText make_text, MetricsServerLimits limits,
                  Acceptor acceptor);
    awaitable<void> serve(std::list<Client>::iterator client);

    MakeText const make_text_;
    MetricsServerLimits const limits_;
    Acceptor acceptor_;
    std::uint16_t port_ = 0;
    bool stopping_ = false;
    std::list<Client> clients_;
    TaskGroup tasks_;
};

}  // namespace mailferry::daemon
