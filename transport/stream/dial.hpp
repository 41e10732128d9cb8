#pragma once

/// From a host name to a connected TCP socket.

#include "async/asio.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace mailferry::transport {

/// Tries all addresses of `host`, each 250 ms after the one before or as soon as that one failed
/// (RFC 8305), IPv6 and IPv4 in turn; the first to answer wins. unreachable names host, port and
/// the last reason; timed_out when `limit` is over. The socket has TCP_NODELAY and keep-alive.
awaitable<Result<asio::ip::tcp::socket>> dial(std::string host, std::uint16_t port,
                                              std::chrono::milliseconds limit);

/// "mail.example.org:993", "[::1]:993".
std::string host_and_port(std::string_view host, std::uint16_t port);

}  // namespace mailferry::transport
