#pragma once

/// Cuts a server's byte stream into a response's head, pieces of its body and its end: the only
/// door to Beast's parser.

#include "transport/http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>

namespace mailferry::http {

/// Sans-io, for one response. Informational ones (1xx) before it are read and dropped.
///
/// Protocol: call next(input) until it answers NeedMore, then append bytes from the wire behind the
/// rest of `input` and go on. What isn't consumed must be presented again, in one piece: up to
/// `head_bytes_max` of it. Views point into the caller's buffer.
class ResponseParser {
public:
    struct Limits {
        std::size_t head_bytes_max = 32 * 1024;
        std::size_t headers_max = 100;
        std::uint64_t body_bytes_max = 64ULL << 20;  ///< As transferred.
        int informational_max = 8;
    };
    struct NeedMore {};
    struct Head {
        ResponseHead head;
    };
    struct Piece {
        std::string_view bytes;  ///< At least one.
    };
    struct End {
        bool keep_alive;  ///< The server lets the connection serve another request.
    };
    using Step = std::variant<NeedMore, Head, Piece, End>;

    /// `bodiless`: the answer to HEAD or CONNECT, whatever its headers announce.
    ResponseParser(Limits limits, bool bodiless);
    ~ResponseParser();
    ResponseParser(ResponseParser const&) = delete;
    ResponseParser& operator=(ResponseParser const&) = delete;

    /// protocol_error, or item_too_large for the body; then it is of no more use.
    Result<Step> next(std::string_view& input);
    /// The stream has ended and all input was presented. End, if that ends the body (HTTP/1.0);
    /// else connection_lost, "truncated".
    Result<End> end_of_stream();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace mailferry::http
