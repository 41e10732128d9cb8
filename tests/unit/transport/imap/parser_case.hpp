#pragma once

/// Tables of (wire, events), each fed in every slicing.

#include "tests/unit/transport/imap/event_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace mailferry::imap {

struct ParserCase {
    std::string_view name;
    std::string_view wire;
    std::string_view events;  ///< As events_of() prints them.
};

inline void PrintTo(ParserCase const& c, std::ostream* out) { *out << c.name; }

inline std::string name_of(testing::TestParamInfo<ParserCase> const& info) {
    return std::string(info.param.name);
}

// Goal: what is understood doesn't depend on how TCP sliced the bytes. Method: every case is fed in
// every piece size, one octet at a time included, and must give the same events.
inline void expect_same_events_for_every_piece_size(
    ParserCase const& c, ResponseParser::Begin begin = ResponseParser::Begin::response) {
    for (std::size_t piece_bytes = 1; piece_bytes <= c.wire.size(); ++piece_bytes) {
        SCOPED_TRACE("piece_bytes=" + std::to_string(piece_bytes));
        ASSERT_EQ(events_of(c.wire, piece_bytes, {}, begin), c.events);
    }
}

}  // namespace mailferry::imap
