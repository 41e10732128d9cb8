#include "transport/imap/utf7.hpp"

#include <gtest/gtest.h>

namespace mailferry::imap {
namespace {

struct NameCase {
    std::string_view wire;
    std::string_view text;
};

constexpr NameCase name_cases[] = {
    {"", ""},
    {"INBOX", "INBOX"},
    {"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"},
    {"&-", "&"},
    {"A&-B &-&-", "A&B &&"},
    {"Entw&APw-rfe", "Entwürfe"},
    {"Cart&APM-rio", "Cartório"},
    {"&2D3eAA-", "😀"},
    {"&2D3eANg93gE-", "😀😁"},
    {"&BBIESwRFBD4ENAQ9BEsENQ-", "Выходные"},
    {"&AAo-", "\n"},
};

TEST(Utf7Test, KnownNamesGoBothWays) {
    for (auto const& c : name_cases) {
        EXPECT_EQ(utf8_from_utf7(c.wire), std::string(c.text)) << c.wire;
        EXPECT_EQ(utf7_from_utf8(c.text), std::string(c.wire)) << c.text;
    }
}

TEST(Utf7Test, NamesThatWouldEncodeOtherwiseStayBytes) {
    for (auto const* wire :
         {"&",           "A&",       "A&B",        "&AOk",     "1200&1201",  // Never closed.
          "caf\xc3\xa9", "caf\xe9",  "a\x01",      "a\x7f",                  // Raw octets.
          "&AEE-",       "&AGEA6Q-",                                         // ASCII in base64.
          "&AOm-",       "&AO-",     "&A-",        "&AOkA-",                 // Bits left over.
          "&AOk-&AOk-",                                         // Two runs that should be one.
          "&2D0-",       "&3gA-",    "&2D3YPd4A-", "&AOnYPQ-",  // Half a surrogate pair.
          "&U/BTFw-",    "&AOk=-",   "&A Ok-"})                 // Not the modified alphabet.
        EXPECT_EQ(utf8_from_utf7(wire), std::nullopt) << wire;
}

TEST(Utf7Test, OnlyValidUtf8IsEncoded) {
    for (auto const* text : {"\x80", "\xc3", "\xc3(", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
                             "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
                             "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"})
        EXPECT_EQ(utf7_from_utf8(text), std::nullopt);
}

std::string utf8(char32_t code) {
    if (code < 0x80) return {static_cast<char>(code)};
    std::string text;
    int const tails = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    text += static_cast<char>((0xF0 << (3 - tails) & 0xFF) | code >> (6 * tails));
    for (int i = tails - 1; i >= 0; --i) text += static_cast<char>(0x80 | (code >> (6 * i) & 0x3F));
    return text;
}

TEST(Utf7Test, EveryCodePointComesBack) {
    for (char32_t code = 0; code <= 0x10FFFF; ++code) {
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        auto const text = "a" + utf8(code) + "b" + utf8(code) + utf8(code);
        auto const wire = utf7_from_utf8(text);
        ASSERT_TRUE(wire) << static_cast<unsigned>(code);
        ASSERT_EQ(utf8_from_utf7(*wire), text) << static_cast<unsigned>(code);
        for (char const c : *wire) ASSERT_TRUE(c >= 0x20 && c <= 0x7E);
    }
}

}  // namespace
}  // namespace mailferry::imap
