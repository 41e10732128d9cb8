#pragma once

/// Feeds a JSON text to a handler in pieces of every size.

#include "transport/http/json_stream.hpp"

#include <algorithm>
#include <string_view>

namespace mailferry::graph {

inline Result<void> feed(http::JsonHandler& handler, std::string_view text,
                         std::size_t piece_bytes) {
    http::JsonStream stream(handler);
    for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
        auto const written = stream.write(text.substr(at, piece_bytes));
        if (!written) return written;
    }
    return stream.finish();
}

}  // namespace mailferry::graph
