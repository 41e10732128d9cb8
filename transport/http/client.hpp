#pragma once

/// An HTTP/1.1 client with kept connections.

#include "transport/http/message.hpp"
#include "transport/stream/tcp_tls.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailferry::http {

/// An HTTP proxy that is asked to CONNECT; TLS goes through to the origin.
struct Proxy {
    std::string host;
    std::uint16_t port = 0;
    std::shared_ptr<Secret const> credential;  ///< "user:password" for Basic; may be null.
};

/// "http://host:port" (port 80 if it isn't said), as `https_proxy` has it. User names don't belong
/// there: invalid_config.
[[nodiscard]] Result<Proxy> parse_proxy(std::string_view text);

/// Makes a stream to the origin, TLS included where the URL asks for it.
using Dial = std::function<awaitable<Result<std::unique_ptr<transport::Stream>>>(Url url)>;

struct ClientSettings {
    /// The only hosts that requests go to (lower case), wherever an address comes from.
    std::vector<std::string> hosts;
    std::shared_ptr<transport::TlsContext const> tls;
    std::optional<Proxy> proxy;   ///< For https; http goes to loopback only, directly.
    bool plain_loopback = false;  ///< Accept http:// towards loopback.
    std::string user_agent = "mailferry";

    std::size_t connections_max = 8;  ///< Per host and port; more requests wait for their turn.
    std::chrono::milliseconds connect_limit{10'000};
    std::chrono::milliseconds kept_max{50'000};  ///< A connection unused for so long is closed.
    /// A request that isn't repeatable uses a kept connection only within this time after its last
    /// use: later the server may be closing it just now.
    std::chrono::milliseconds fresh_max{2'000};
    std::size_t head_bytes_max = 32 * 1024;
    std::size_t headers_max = 100;
    Dial dial;  ///< Instead of the client's own; for tests.
};

/// One per tenant; shared by all its sessions. On one executor (one thread). Errors of send():
/// - invalid_config: the host isn't one of ours, or http is asked for beyond loopback;
/// - unreachable, timed_out, tls_failed: as connect_stream() says; nothing was sent;
/// - connection_lost: the peer left, or the body ended too early ("truncated"); timed_out: a limit
///   of the request;
/// - protocol_error: what came isn't HTTP, breaks a limit on headers or can't be unpacked;
///   item_too_large: the body is larger than response_bytes_max;
/// - unavailable: a redirect (we follow none); unsupported: an encoding that we didn't ask for.
/// A status, whatever it is, is no error here. No error holds a query or a header's value.
class Client {
public:
    Client(asio::any_io_executor executor, ClientSettings settings);
    ~Client();
    Client(Client const&) = delete;
    Client& operator=(Client const&) = delete;

    /// Sends and receives; resolves after sink.end(). `sink` and `progress` outlive the call. If
    /// the server answers before it has the whole request, the rest isn't sent. Cancellation cuts
    /// the request's own connection and nothing else.
    awaitable<Result<ResponseHead>> send(Request request, BodySink& sink,
                                         Progress* progress = nullptr);

    /// Calls under way fail with connection_lost, later ones too. Idempotent.
    void cut();
    /// Closes what is idle and accepts no new request; calls under way go on.
    void close();

    std::size_t connections_open() const;

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace mailferry::http
