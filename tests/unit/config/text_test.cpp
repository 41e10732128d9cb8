#include "config/text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace mailferry::config {
namespace {

TEST(TextTest, Utf8RoundTripsAndBrokenBytesAreFound) {
    for (char32_t const c : {U'a', U'\u00e9', U'\u20ac', U'\U0001F600', U'\u07ff', U'\uffff'}) {
        std::string text;
        append_utf8(text, c);
        std::string_view rest = text;
        EXPECT_EQ(take_code_point(rest), c);
        EXPECT_TRUE(rest.empty());
    }
    for (std::string_view const broken : {"\x80", "\xC0\x80", "\xC3", "\xE2\x82", "\xED\xA0\x80",
                                          "\xF4\x90\x80\x80", "\xF8", "a\xFF"})
        EXPECT_FALSE(is_utf8(broken));
}

TEST(TextTest, TrimsAsciiAndUnicodeBlanks) {
    EXPECT_EQ(trim_blanks("\u00a0 a b\t\u200b\ufeff"), "a b");
    EXPECT_EQ(trim_blanks("\u3000\u2003"), "");
    EXPECT_EQ(trim_blanks(""), "");
    EXPECT_EQ(trim_blanks("\xC2"), "\xC2");
    EXPECT_EQ(trim_blanks("é "), "é");
}

TEST(TextTest, SuggestsOnlyWhatIsNear) {
    constexpr std::array<std::string_view, 3> names{"host", "port", "password_file"};
    EXPECT_EQ(nearest_name("hots", names), std::nullopt);  // Two edits in four letters.
    EXPECT_EQ(nearest_name("hosts", names), "host");
    EXPECT_EQ(nearest_name("PORT", names), "port");
    EXPECT_EQ(nearest_name("passwordfile", names), "password_file");
    EXPECT_EQ(nearest_name("zebra", names), std::nullopt);
    EXPECT_EQ(nearest_name(std::string(5000, 'x'), names), std::nullopt);
    EXPECT_EQ(quoted_list(names), "\"host\", \"port\" or \"password_file\"");
}

}  // namespace
}  // namespace mailferry::config
