#pragma once

/// JSON (RFC 8259) as events, from bytes in pieces of any size. Nothing is kept but the path to
/// the present value and, where the handler wants it whole, the present string.

#include "config/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mailferry::http {

struct JsonLimits {
    std::size_t depth_max = 64;
    std::size_t key_bytes_max = 1'024;
    std::size_t text_bytes_max = 256 * 1024;  ///< Of a string that is delivered whole.
    std::uint64_t total_bytes_max = 64ULL << 20;
};

/// Where a value stands: "/value/#/data" is the member `data` of each element of the array that
/// the member `value` of the document is. "" is the document itself. `~`, `/` and `#` within a key
/// are written ~0, ~1 and ~2 (as in RFC 6901), so no key can pose as another path.
using JsonPath = std::string_view;

/// Views are valid during the call. A failure ends the parsing and is what write() answers.
class JsonHandler {
public:
    virtual ~JsonHandler() = default;

    /// Whether the string at `path` comes in pieces. Asked at its beginning.
    virtual bool in_pieces(JsonPath) { return false; }
    /// A part of it, which may be empty; `last` with the final one.
    virtual Result<void> string_piece(JsonPath, std::string_view /*piece*/, bool /*last*/) {
        return {};
    }
    /// Any other string, whole.
    virtual Result<void> text(JsonPath, std::string_view /*value*/) { return {}; }
    virtual Result<void> integer(JsonPath, std::int64_t) { return {}; }
    /// Fractions, and integers beyond 64 bits with sign.
    virtual Result<void> real(JsonPath, double) { return {}; }
    virtual Result<void> boolean(JsonPath, bool) { return {}; }
    virtual Result<void> null(JsonPath) { return {}; }
    virtual Result<void> object_begin(JsonPath) { return {}; }
    virtual Result<void> object_end(JsonPath) { return {}; }
    virtual Result<void> array_begin(JsonPath) { return {}; }
    virtual Result<void> array_end(JsonPath) { return {}; }
};

/// Sans-io. Errors of its own: protocol_error for what isn't JSON, ends too early or breaks a
/// limit; the text names the byte offset and no byte of the input. After an error it is of no use.
class JsonStream {
public:
    /// `handler` outlives the stream.
    explicit JsonStream(JsonHandler& handler, JsonLimits limits = {});
    ~JsonStream();
    JsonStream(JsonStream const&) = delete;
    JsonStream& operator=(JsonStream const&) = delete;

    Result<void> write(std::string_view piece);
    /// The document must be complete.
    Result<void> finish();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace mailferry::http
