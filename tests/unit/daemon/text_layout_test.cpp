#include "daemon/text_layout.hpp"

#include <gtest/gtest.h>

namespace mailferry::daemon {
namespace {

TEST(TextLayoutTest, CountsAreGrouped) {
    EXPECT_EQ(format_count(0), "0");
    EXPECT_EQ(format_count(999), "999");
    EXPECT_EQ(format_count(1'000), "1,000");
    EXPECT_EQ(format_count(18'446'744'073'709'551'615ULL), "18,446,744,073,709,551,615");
    EXPECT_EQ(format_count(1, "item", "items"), "1 item");
    EXPECT_EQ(format_count(6'400, "item", "items"), "6,400 items");
}

TEST(TextLayoutTest, InstantsAreUtc) {
    EXPECT_EQ(format_instant(0), "-");
    EXPECT_EQ(format_instant(1'709'210'096), "2024-02-29 12:34 UTC");
}

struct WidthCase {
    std::string_view text;
    std::size_t width;
};

TEST(TextLayoutTest, WidthIsThatOfTheTerminal) {
    constexpr WidthCase cases[] = {
        {"", 0},         {"abc", 3},          {"Gr\u00fc\u00dfe", 5},
        {"e\u0301", 1},  {"\u65e5\u672c", 4}, {"\U0001F600", 2},
        {"\xff\xfe", 2}, {"\uac00", 2},
    };
    for (auto const& c : cases) EXPECT_EQ(display_width(c.text), c.width) << c.text;
}

// Goal: whatever the text and the room, the result fits and no character is cut in two.
TEST(TextLayoutTest, CutTextAlwaysFits) {
    constexpr std::string_view texts[] = {"plain ascii text",
                                          "\u65e5\u672c\u8a9e\u306e\u30d5\u30a9\u30eb\u30c0",
                                          "e\u0301e\u0301e\u0301e\u0301e\u0301",
                                          "\xff\xff\xff\xff\xff", "a\u65e5b\u672cc\U0001F600d"};
    for (auto const text : texts)
        for (std::size_t columns = 0; columns < 24; ++columns) {
            SCOPED_TRACE(testing::Message() << text << " columns=" << columns);
            EXPECT_LE(display_width(cut_to_width(text, columns)), columns);
            EXPECT_LE(display_width(cut_middle(text, columns)), columns);
            if (display_width(text) <= columns) {
                EXPECT_EQ(cut_middle(text, columns), text);
            }
        }
    EXPECT_EQ(cut_middle("alexandra.mustermann@fabrikam.example", 21),
              "alexandra.\u2026am.example");
}

TEST(TextLayoutTest, BrokenUtf8IsReplacedAndTheRestStays) {
    EXPECT_EQ(valid_utf8("a\xff\u00fc\xc3"), "a\uFFFD\u00fc\uFFFD");
}

TEST(TextLayoutTest, TableAlignsWideCharacters) {
    TextTable table({{"Name"}, {"Count", TextTable::Align::right}, {"Note"}});
    table.add({"\u65e5\u672c", "7", ""});
    table.add({"long name", "1,234", "x"});
    EXPECT_EQ(table.text(),
              "Name       Count  Note\n"
              "\u65e5\u672c           7\n"
              "long name  1,234  x\n");
}

}  // namespace
}  // namespace mailferry::daemon
