#pragma once

/// One accepted connection, TLS or plain: requests in, responses out. One request at a time.
/// Everything here throws boost::system::system_error when the connection breaks.

#include "tests/support/graphsim/http_message.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace graphsim {

class RequestParser;

class Connection : public BodySource, public std::enable_shared_from_this<Connection> {
public:
    /// Without `tls` plain HTTP is spoken, and the context isn't used.
    Connection(asio::ip::tcp::socket socket, asio::ssl::context& context, bool tls);
    ~Connection() override;

    asio::awaitable<void> handshake();

    /// nullopt: the client has closed, or sent no HTTP. Its body is read with next().
    asio::awaitable<std::optional<Request>> read_head();
    asio::awaitable<std::string_view> next() override;
    bool body_read() const;
    bool continue_awaited() const { return continue_awaited_; }
    bool keep_alive() const;
    std::optional<std::uint64_t> content_length() const;

    /// Called with the body's bytes before the client can know that it has the whole reply.
    using BeforeEnd = std::function<void(std::uint64_t)>;
    /// Head and body. `pause_ms` between pieces makes it trickle. What is passed must outlive it.
    asio::awaitable<void> write(Response const& response, bool close, int pause_ms,
                                BeforeEnd const& before_end);
    /// Head and half of the body; the caller resets then.
    asio::awaitable<void> write_truncated(Response const& response);

    /// Reads and forgets what the client still sends, for some seconds at most.
    asio::awaitable<void> drain();
    void reset();  ///< So that the client sees a connection reset.
    asio::awaitable<void> close();

private:
    asio::awaitable<std::size_t> read_some();
    asio::awaitable<void> send(std::string_view bytes);
    void watch(int seconds_max);

    asio::ssl::stream<asio::ip::tcp::socket> stream_;
    bool tls_;
    asio::steady_timer deadline_;
    std::string input_;
    std::string piece_;
    bool continue_awaited_ = false;  ///< The client sends its body once it is told to.
    std::unique_ptr<RequestParser> parser_;
};

}  // namespace graphsim
