#pragma once

/// Requests and responses of HTTP/1.1 (RFC 9110, 9112) as a client sees them. Bodies are streamed:
/// no part of the client holds a whole one.

#include "async/asio.hpp"
#include "config/base/secret.hpp"
#include "transport/http/url.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::http {

struct Header {
    std::string name, value;
};

struct ResponseHead {
    int status = 0;
    std::vector<Header> headers;  ///< Of the final response; values are untrusted.

    bool good() const { return status >= 200 && status < 300; }
    /// The first one of that name, whatever its case; null if there is none.
    std::string const* find(std::string_view name) const;
};

/// A request's body.
class BodySource {
public:
    virtual ~BodySource() = default;
    /// Announced as Content-Length; next() yields exactly so many.
    virtual std::uint64_t size() const = 0;
    /// Next piece, valid until the next call; empty at the end. A piece is on its way to the server
    /// before the next one is asked for, so a source that must not let go of the last one does its
    /// waiting here. An error cuts the connection and is what send() answers.
    virtual awaitable<Result<std::span<std::byte const>>> next() = 0;
    /// Back to the first byte: the request is repeated.
    virtual void rewind() = 0;
};

/// Takes a response's body: head, piece*, end. An error of any of them cuts the connection and is
/// what send() answers. If send() fails otherwise, end() was not called and all pieces are void.
class BodySink {
public:
    virtual ~BodySink() = default;
    virtual awaitable<Result<void>> head(ResponseHead const& head);
    /// Unpacked, at least one byte, at most 64 KiB; valid until it resolves. Nothing more is read
    /// before that.
    virtual awaitable<Result<void>> piece(std::span<std::byte const> bytes) = 0;
    /// The body was whole.
    virtual awaitable<Result<void>> end();
};

struct Request {
    std::string method = "GET";
    Url url;
    /// Besides these the client sends Host, User-Agent, Accept-Encoding, Content-Length and, with
    /// `bearer`, Authorization.
    std::vector<Header> headers;
    std::shared_ptr<Secret const> bearer;
    BodySource* body = nullptr;  ///< Outlives the call.
    /// Sending it twice does no harm. Only such a request is sent again by the client, and only
    /// once, when a kept connection turns out to have been closed by the server.
    bool repeatable = true;
    /// The answer holds a secret: our buffers are wiped as it passes through.
    bool secret_answer = false;

    std::chrono::milliseconds first_byte_limit{120'000};  ///< From the request's last byte.
    std::chrono::milliseconds idle_limit{60'000};         ///< Between two bytes, both ways.
    std::chrono::milliseconds total_limit{0};             ///< From connected to the end; 0: none.
    std::uint64_t response_bytes_max = 64ULL << 20;       ///< Of the body, unpacked.
};

/// How far a request got. Filled as it goes, also when send() fails or is cancelled.
struct Progress {
    std::uint64_t body_bytes_sent = 0;  ///< Handed to the kernel, in the last attempt.
    /// The whole request was handed to the kernel in some attempt: the server may have acted on it.
    bool request_sent = false;
    bool response_begun = false;
};

}  // namespace mailferry::http
