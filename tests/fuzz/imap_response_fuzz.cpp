// Goal: whatever a server sends, the parser neither crashes nor depends on how TCP cut the bytes.
// Method: the input is fed whole, octet by octet, and in pieces drawn from itself; all three must
// give the same events. Small limits, so that each of them is met.

#include "tests/unit/transport/imap/event_text.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace {

mailferry::imap::ParserLimits small_limits() {
    mailferry::imap::ParserLimits limits;
    limits.line_bytes_max = 512;
    limits.list_line_bytes_max = 1'024;
    limits.literal_bytes_max = 64;
    limits.header_bytes_max = 128;
    limits.skipped_literal_bytes_max = 256;
    limits.response_bytes_max = 1'024;
    limits.literals_max = 8;
    limits.list_items_max = 16;
    limits.blank_lines_max = 3;
    return limits;
}

void compare(std::string const& whole, std::string const& sliced) {
    if (whole == sliced) return;
    std::fprintf(stderr, "whole:  %s\nsliced: %s\n", whole.c_str(), sliced.c_str());
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace mailferry::imap;
    if (size == 0) return 0;
    std::string_view wire(reinterpret_cast<char const*>(data), size);
    auto const seed = data[0];
    auto const begin =
        seed % 2 == 0 ? ResponseParser::Begin::response : ResponseParser::Begin::greeting;
    wire.remove_prefix(1);
    std::mt19937 random(seed);
    auto const random_piece = [&random] { return std::size_t{1} + random() % 16; };
    for (auto const& limits : {ParserLimits(), small_limits()}) {
        auto const whole = events_of(wire, 0, limits, begin);
        compare(whole, events_of(wire, 1, limits, begin));
        compare(whole, events_of(wire, random_piece, limits, begin));
    }
    return 0;
}
