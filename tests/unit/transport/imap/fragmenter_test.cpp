#include "transport/imap/fragmenter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mailferry::imap {
namespace {

constexpr std::size_t line_bytes_max = 40;
constexpr std::size_t list_line_bytes_max = 60;

struct FragmenterCase {
    std::string_view name;
    std::string_view wire;
    std::string_view fragments;  ///< As fragments_of() prints them; "more" is the wait at the end.
};

void PrintTo(FragmenterCase const& c, std::ostream* out) { *out << c.name; }

std::string fragments_of(std::string_view wire, std::size_t chunk_bytes, bool drops = false) {
    Fragmenter fragmenter(line_bytes_max, list_line_bytes_max);
    std::string text, literal;
    while (!wire.empty()) {
        auto const chunk = std::string(wire.substr(0, chunk_bytes));
        wire.remove_prefix(chunk.size());
        std::string_view input = chunk;
        for (;;) {
            auto const step = fragmenter.next(input);
            if (std::holds_alternative<Fragmenter::NeedMore>(step)) break;
            if (auto const* piece = std::get_if<Fragmenter::LiteralChunk>(&step)) {
                literal += piece->bytes;
                if (piece->bytes_left == 0) text += "literal(" + std::exchange(literal, "") + ") ";
            } else if (auto const* line = std::get_if<Fragmenter::Line>(&step)) {
                text += "line(" + std::string(line->text) + ") ";
                if (drops && line->literal) fragmenter.drop_literal();
            } else if (std::holds_alternative<Fragmenter::LineTooLong>(step)) {
                return text + "too-long";
            } else {
                return text + "too-large";
            }
        }
        if (!input.empty()) return text + "input left over";
    }
    return text + "more";
}

constexpr FragmenterCase fragmenter_cases[] = {
    {"plain_line", "* OK hi\r\n", "line(* OK hi) more"},
    {"bare_lf", "* OK\nx\r\n", "line(* OK) line(x) more"},
    {"empty_lines", "\r\n\n", "line() line() more"},
    {"cr_inside", "a\rb\r\r\n", "line(a\rb\r) more"},
    {"literal_then_rest", "* 1 F {3}\r\nabc)\r\n", "line(* 1 F {3}) literal(abc) line()) more"},
    {"literal_after_bare_lf", "X {2}\n\r\n)\n", "line(X {2}) literal(\r\n) line()) more"},
    {"crlf_inside_literal", "X {4}\r\n\r\n* \r\n", "line(X {4}) literal(\r\n* ) line() more"},
    {"announcement_inside_literal", "X {4}\r\n{9}\n)\r\n",
     "line(X {4}) literal({9}\n) line()) "
     "more"},
    {"empty_literal", "X {0}\r\n)\r\n", "line(X {0}) line()) more"},
    {"leading_zeros", "X {002}\r\nab\r\n", "line(X {002}) literal(ab) line() more"},
    {"non_sync_literal", "X {2+}\r\nab\r\n", "line(X {2+}) literal(ab) line() more"},
    {"literal8", "X ~{2}\r\na\xff\r\n", "line(X ~{2}) literal(a\xff) line() more"},
    {"two_literals", "{1}\r\na{1}\r\nb\r\n",
     "line({1}) literal(a) line({1}) literal(b) line() "
     "more"},
    {"no_number", "X {}\r\n", "line(X {}) more"},
    {"only_plus", "X {+}\r\n", "line(X {+}) more"},
    {"no_digits", "X {1a}\r\n", "line(X {1a}) more"},
    {"negative", "X {-1}\r\n", "line(X {-1}) more"},
    {"blank_behind", "X {1} \r\n", "line(X {1} ) more"},
    {"no_brace", "X 1}\r\n", "line(X 1}) more"},
    {"half_a_line", "* O", "more"},
    {"line_at_limit", "* 34567890123456789012345678901234567890\r\n",
     "line(* 34567890123456789012345678901234567890) more"},
    {"line_over_limit", "* 345678901234567890123456789012345678901\r\n", "too-long"},
    {"line_over_limit_without_end", "* 3456789012345678901234567890123456789012", "too-long"},
    {"list_line_over_line_limit", "* search 890123456789012345678901234567890123\r\n",
     "line(* search 890123456789012345678901234567890123) more"},
    {"list_line_over_limit", "* VANISHED 23456789012345678901234567890123456789012345678901\r\n",
     "too-long"},
    {"largest_size", "X {9223372036854775807}\r\nab", "line(X {9223372036854775807}) more"},
    {"size_over_63_bits", "X {9223372036854775808}\r\n", "line(X {9223372036854775808}) too-large"},
    {"size_over_64_bits", "{18446744073709551617}\r\nab", "line({18446744073709551617}) too-large"},
};

class FragmenterTest : public testing::TestWithParam<FragmenterCase> {};

// Goal: the cut does not depend on how TCP sliced the bytes. Method: every case is fed in every
// chunk size, one byte at a time included, and must give the same fragments.
TEST_P(FragmenterTest, SameFragmentsForEveryChunkSize) {
    auto const& c = GetParam();
    for (std::size_t chunk_bytes = 1; chunk_bytes <= c.wire.size(); ++chunk_bytes) {
        SCOPED_TRACE("chunk_bytes=" + std::to_string(chunk_bytes));
        EXPECT_EQ(fragments_of(c.wire, chunk_bytes), c.fragments);
    }
}

INSTANTIATE_TEST_SUITE_P(Imap, FragmenterTest, testing::ValuesIn(fragmenter_cases),
                         [](auto const& named) { return std::string(named.param.name); });

TEST(FragmenterDropTest, TextForPeopleAnnouncesNothing) {
    for (std::size_t chunk_bytes = 1; chunk_bytes < 20; ++chunk_bytes) {
        EXPECT_EQ(fragments_of("* OK see {5}\r\na1 OK\r\n", chunk_bytes, true),
                  "line(* OK see {5}) line(a1 OK) more");
        EXPECT_EQ(fragments_of("* OK {9223372036854775808}\r\nx\r\n", chunk_bytes, true),
                  "line(* OK {9223372036854775808}) line(x) more");
    }
}

TEST(FragmenterLineTest, AWholeLineIsNotCopied) {
    Fragmenter fragmenter(line_bytes_max, list_line_bytes_max);
    std::string_view const wire = "* OK hi\r\n";
    auto input = wire;
    auto const step = fragmenter.next(input);
    EXPECT_EQ(std::get<Fragmenter::Line>(step).text.data(), wire.data());
}

}  // namespace
}  // namespace mailferry::imap
