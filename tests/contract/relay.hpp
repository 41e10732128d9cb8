#pragma once

/// A TCP relay between a connector and its server, for tests: it slows, stalls, swallows and cuts.
/// It passes bytes blindly, so TLS stays end to end. Runs on the test's own executor: between end()
/// and the relay's destruction that has to run until nothing is ready.

#include "async/event.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace mailferry::contract {

enum class Direction { to_server, to_client };

class Relay {
public:
    /// What becomes of a chunk, and of its connection.
    enum class Verdict { pass, swallow, cut };

    /// `upstream`: where every connection leads; nothing: where its client's CONNECT says.
    Relay(asio::any_io_executor executor, std::optional<asio::ip::tcp::endpoint> upstream);
    Relay(Relay const&) = delete;
    Relay& operator=(Relay const&) = delete;

    std::uint16_t port() const { return port_; }
    asio::any_io_executor executor() const { return executor_; }

    /// Asked for each chunk, before it goes on. Empty: everything passes.
    std::function<Verdict(Direction)> on_chunk;
    /// At most so many bytes are one chunk.
    std::size_t chunk_bytes = 16 * 1024;
    /// While true, every new connection is closed at once.
    bool closed = false;

    /// Ends everything for good.
    void end();
    /// Ends all connections, new ones are taken.
    void cut_all();
    /// Says `text` to every client, as if the server had, and ends the connections.
    void say_and_cut(std::string text);
    /// Nothing passes until resume().
    void stall() { stalled_ = true; }
    void resume();

    std::uint64_t bytes_to_client() const { return bytes_to_client_; }
    std::size_t connections() const { return links_.size(); }

private:
    struct Link;
    awaitable<void> accept();
    awaitable<void> serve(std::shared_ptr<Link> link);
    awaitable<bool> reach_server(std::shared_ptr<Link> link);
    awaitable<void> pass_on(std::shared_ptr<Link> link, Direction direction);
    awaitable<void> pump(std::shared_ptr<Link> link, Direction direction);

    asio::any_io_executor const executor_;
    std::optional<asio::ip::tcp::endpoint> const upstream_;
    asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_ = 0;
    Event resumed_;
    bool stalled_ = false;
    std::uint64_t bytes_to_client_ = 0;
    std::list<std::shared_ptr<Link>> links_;
    bool ended_ = false;
};

}  // namespace mailferry::contract
