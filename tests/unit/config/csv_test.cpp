#include "config/csv.hpp"

#include <gtest/gtest.h>

namespace mailferry::config {
namespace {

using namespace std::string_view_literals;

/// "1:a|b 2:c|d", a fault as "3!text".
std::string printed(std::vector<CsvRow> const& rows) {
    std::string text;
    for (auto const& row : rows) {
        if (!text.empty()) text += ' ';
        text += std::to_string(row.line);
        if (!row.fault.empty()) {
            text += '!' + row.fault.substr(0, row.fault.find(':'));
            continue;
        }
        text += ':';
        for (std::size_t i = 0; i < row.fields.size(); ++i)
            text += (i > 0 ? "|" : "") + row.fields[i];
    }
    return text;
}

std::string rows_of(std::string_view bytes, std::size_t chunk_bytes, CsvLimits limits = {}) {
    CsvReader reader(limits);
    std::vector<CsvRow> rows;
    for (std::size_t i = 0; i < bytes.size(); i += chunk_bytes)
        reader.feed(bytes.substr(i, chunk_bytes), rows);
    reader.finish(rows);
    return printed(rows);
}

struct CsvCase {
    std::string_view name, bytes, rows;
};

constexpr CsvCase csv_cases[] = {
    {"empty_file", "", ""},
    {"only_a_byte_order_mark", "\xEF\xBB\xBF", ""},
    {"commas", "a,b\n1,2\n", "1:a|b 2:1|2"},
    {"no_line_end_at_the_end", "a,b\n1,2", "1:a|b 2:1|2"},
    {"empty_last_cell", "a,b\n1,", "1:a|b 2:1|"},
    {"crlf", "a,b\r\n1,2\r\n", "1:a|b 2:1|2"},
    {"cr", "a,b\r1,2\r", "1:a|b 2:1|2"},
    {"lf_then_cr", "a,b\n\r1,2", "1:a|b 3:1|2"},
    {"semicolons", "a;b\n1,5;2\n", "1:a|b 2:1,5|2"},
    {"tabs", "a\tb\n1,5\t2;3\n", "1:a|b 2:1,5|2;3"},
    {"delimiter_in_quotes_has_no_say", "\"a,,,\";b\n1;2", "1:a,,,|b 2:1|2"},
    {"sep_line", "sep=;\na;b\n1;2", "2:a|b 3:1|2"},
    {"sep_line_crlf", "sep=|\r\na|b\r\n", "2:a|b"},
    {"one_column", "a\nx\n", "1:a 2:x"},
    {"quoted", "a,b\n\"x\",\"y\"\n", "1:a|b 2:x|y"},
    {"quoted_delimiter", "a,b\n\"x,y\",z\n", "1:a|b 2:x,y|z"},
    {"doubled_quotes", "a,b\n\"x\"\"y\",\"\"\"\"\n", "1:a|b 2:x\"y|\""},
    {"empty_quoted", "a,b\n\"\",\"\"\n", "1:a|b 2:|"},
    {"line_break_in_quotes", "a,b\n\"x\r\ny\",2\n3,4\n", "1:a|b 2:x\ny|2 4:3|4"},
    {"cr_in_quotes", "a,b\n\"x\ry\",2\n3,4\n", "1:a|b 2:x\ny|2 4:3|4"},
    {"line_break_in_quoted_header", "\"a\nb\",c\n1,2", "1:a\nb|c 3:1|2"},
    {"blanks_around_quotes", "a,b\n \"x\" ,\t\"y\"\n", "1:a|b 2:x|y"},
    {"blanks_are_kept_in_bare_cells", "a,b\n x , y z \n", "1:a|b 2: x | y z "},
    {"empty_lines", "\n\na,b\n\n1,2\n\n", "3:a|b 5:1|2"},
    {"comments", "# one, \"two\na,b\n#x\n1,2\n# y", "2:a|b 4:1|2"},
    {"number_sign_inside", "a,b\n1,#2\n\"#3\",4\n", "1:a|b 2:1|#2 3:#3|4"},
    {"byte_order_mark", "\xEF\xBB\xBF" "a,b\n1,2", "1:a|b 2:1|2"},
    {"mark_then_quote", "\xEF\xBB\xBF\"a\",b\n", "1:a|b"},
    {"utf16_little", "\xFF\xFE" "a\0,\0b\0\r\0\n\0\xE9\0,\0\xAC\x20\n\0"sv, "1:a|b 2:é|€"},
    {"utf16_big", "\xFE\xFF\0a\0,\0b\0\n\xD8\x3D\xDE\0\0,\0x"sv, "1:a|b 2:😀|x"},
    {"utf16_lone_surrogate", "\xFE\xFF\0a\0\n\xD8\x3D\0x\0\n\0y"sv,
     "1:a 2!not UTF-8 text 3:y"},
    {"utf16_half_a_unit", "\xFE\xFF\0a\0\n\0x\0"sv, "1:a 2!not UTF-8 text"},
    {"latin1", "a,b\nM\xFCller,2\n3,4\n", "1:a|b 2!not UTF-8 text 3:3|4"},
    {"nul_is_a_character", "a,b\n\0,2\n"sv, "1:a|b 2:\0|2"sv},
    {"quote_in_bare_cell", "a,b\nx\"y,2\n3,4\n", "1:a|b 2!a quote within an unquoted cell 3:3|4"},
    {"text_after_quote", "a,b\n\"x\"y,2\n3,4\n", "1:a|b 2!text after a closing quote 3:3|4"},
    {"text_after_a_quoted_line_break", "a,b\n\"x\n\"y,2\n3,4\n",
     "1:a|b 2!text after a closing quote 4:3|4"},
    {"unclosed_quote", "a,b\n1,\"2\n3,4\n", "1:a|b 2!the quote opened in this row is never closed"},
    {"unclosed_quote_in_header", "a,\"b\n1,2\n", "1!the quote opened in this row is never closed"},
    {"fault_in_last_line", "a,b\nx\"", "1:a|b 2!a quote within an unquoted cell"},
};

class CsvTest : public testing::TestWithParam<CsvCase> {};

// Goal: how the file was read in pieces makes no difference. Method: every case in every chunk
// size, one byte at a time included.
TEST_P(CsvTest, SameRowsForEveryChunkSize) {
    auto const& c = GetParam();
    for (std::size_t chunk_bytes = 1; chunk_bytes <= c.bytes.size() + 1; ++chunk_bytes) {
        SCOPED_TRACE("chunk_bytes=" + std::to_string(chunk_bytes));
        EXPECT_EQ(rows_of(c.bytes, chunk_bytes), c.rows);
    }
}

INSTANTIATE_TEST_SUITE_P(Config, CsvTest, testing::ValuesIn(csv_cases),
                         [](auto const& c) { return std::string(c.param.name); });

TEST(CsvLimitsTest, LongCellsAndRowsAreFaultsAndTheNextLineIsRead) {
    CsvLimits const limits{.field_bytes_max = 8, .fields_max = 3, .header_bytes_max = 64};
    for (std::size_t chunk_bytes = 1; chunk_bytes <= 24; ++chunk_bytes) {
        EXPECT_EQ(rows_of("a,b\n123456789,2\n3,4\n", chunk_bytes, limits),
                  "1:a|b 2!a cell is longer than 8 bytes 3:3|4");
        EXPECT_EQ(rows_of("a,b\n12345678,2\n", chunk_bytes, limits), "1:a|b 2:12345678|2");
        EXPECT_EQ(rows_of("a,b\n1,2,3\n1,2,3,4\n5,6\n", chunk_bytes, limits),
                  "1:a|b 2:1|2|3 3!the row has more than 3 cells 4:5|6");
        EXPECT_EQ(rows_of("a,b\n\"1\n34567\n9,2\n3,4\n", chunk_bytes, limits),
                  "1:a|b 2!a cell is longer than 8 bytes; is its quote closed? 5:3|4");
        EXPECT_EQ(rows_of("\"" + std::string(100, 'x') + "\n1,2\n", chunk_bytes, limits),
                  "1!a cell is longer than 8 bytes; is its quote closed? 2:1|2");
        EXPECT_EQ(rows_of("#" + std::string(100, 'x') + "\na;b\n", chunk_bytes, limits), "2:a|b");
    }
}

}  // namespace
}  // namespace mailferry::config
