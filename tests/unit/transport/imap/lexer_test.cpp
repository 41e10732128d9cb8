#include "transport/imap/lexer.hpp"

#include <gtest/gtest.h>

namespace mailferry::imap {
namespace {

TEST(LexerTest, NumbersAreBounded) {
    EXPECT_EQ(Lexer("4294967295").take_number32(), 4294967295u);
    EXPECT_EQ(Lexer("4294967296").take_number32(), std::nullopt);
    EXPECT_EQ(Lexer("0").take_number32(), 0u);
    EXPECT_EQ(Lexer("0").take_nonzero32(), std::nullopt);
    EXPECT_EQ(Lexer("9223372036854775807").take_number63(), 9223372036854775807u);
    EXPECT_EQ(Lexer("9223372036854775808").take_number63(), std::nullopt);
    EXPECT_EQ(Lexer("18446744073709551616").take_number63(), std::nullopt);
    EXPECT_EQ(Lexer("000000000000000000001").take_number63(), std::nullopt);
    for (auto const* text : {"", "-1", "+1", "1x", "0x1", "1.0"})
        EXPECT_EQ(Lexer(text).take_number63(), std::nullopt) << text;
}

TEST(LexerTest, StringsMayBeQuotedOrLiteral) {
    EXPECT_EQ(Lexer("\"a\\\"\\\\b\" x").take_string(), "a\"\\b");
    EXPECT_EQ(Lexer("{3}\r\na\r\nb").take_string(), "a\r\n");
    EXPECT_EQ(Lexer(std::string_view("~{2}\n\0\xff", 7)).take_string(), std::string("\0\xff", 2));
}

TEST(LexerTest, StarvesOnlyAtALiteralWhoseOctetsAreMissing) {
    for (auto const* text : {"{3}", "~{3}", "{3+}"}) {
        Lexer lexer(text);
        EXPECT_TRUE(lexer.at_literal_head()) << text;
        EXPECT_EQ(lexer.take_string(), std::nullopt);
        EXPECT_TRUE(lexer.starved()) << text;
    }
    for (auto const* text :
         {"\"a", "{3} ", "{}", "{+}", "{1+2}", "{3}\r\nab", "~", "~3}", "x{3}"}) {
        Lexer lexer(text);
        EXPECT_FALSE(lexer.at_literal_head()) << text;
        EXPECT_EQ(lexer.take_string(), std::nullopt) << text;
        EXPECT_FALSE(lexer.starved()) << text;
    }
}

TEST(LexerTest, NilIsAWord) {
    EXPECT_TRUE(Lexer("nil").take_nstring()->is_nil);
    EXPECT_EQ(Lexer("\"NIL\"").take_nstring()->value, "NIL");
    EXPECT_FALSE(Lexer("nill").take_nstring());
    EXPECT_FALSE(Lexer("\"").take_nstring());
}

TEST(LexerTest, ItemNamesAreReadToTheMatchingBracket) {
    EXPECT_EQ(Lexer("rfc822.size 5").take_item_name(), "RFC822.SIZE");
    EXPECT_EQ(Lexer("body[] x").take_item_name(), "BODY[]");
    EXPECT_EQ(Lexer("BODY[]<0> x").take_item_name(), "BODY[]");
    EXPECT_EQ(Lexer("BODY[1.2.mime]").take_item_name(), "BODY[1.2.MIME]");
    EXPECT_EQ(Lexer("BODY[HEADER.FIELDS (\"a]b\" c])] x").take_item_name(), "BODY[HEADER.FIELDS ]");
    for (auto const* text : {"", " x", "(x)", "BODY[", "BODY[(]", "BODY[)]", "BODY[]<", "BODY[]<1",
                             "BODY[]<a>", "BODY[\"]"})
        EXPECT_EQ(Lexer(text).take_item_name(), std::nullopt) << text;
}

TEST(LexerTest, ValuesArePassedOverWhole) {
    for (auto const* text :
         {"a", "\"x y)\"", "()", "(a (b \")\") {1}\r\n) c)", "((()))", "{2}\r\n()"}) {
        Lexer lexer(text);
        EXPECT_TRUE(lexer.skip_value()) << text;
        EXPECT_TRUE(lexer.at_end()) << text;
    }
    for (auto const* text : {"", "(", "(a", ")", "(\"a)", "\r", "(\x01)"}) {
        Lexer lexer(text);
        EXPECT_FALSE(lexer.skip_value()) << text;
    }
}

}  // namespace
}  // namespace mailferry::imap
