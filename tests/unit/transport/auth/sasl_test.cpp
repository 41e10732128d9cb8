#include "transport/auth/sasl.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace mailferry::transport {
namespace {

struct Base64Case {
    std::string_view bytes;
    std::string_view text;
};

// RFC 4648 chapter 10.
constexpr Base64Case base64_cases[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

TEST(Base64Test, EncodesAndDecodesTheTestVectors) {
    for (auto const& c : base64_cases) {
        EXPECT_EQ(base64_encode(c.bytes), c.text);
        EXPECT_EQ(base64_decode(c.text), std::string(c.bytes));
    }
}

TEST(Base64Test, EveryOctetComesBack) {
    std::mt19937 random(7);
    for (std::size_t size = 0; size < 300; ++size) {
        std::string bytes(size, '\0');
        for (auto& byte : bytes) byte = static_cast<char>(random());
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes) << "size=" << size;
    }
}

TEST(Base64Test, RefusesWhatNoEncoderWrites) {
    for (auto const* text : {"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm9v\r\n", "Zm 9",
                             "Zm-v", "=Zm9", "Zg==Zg=="})
        EXPECT_EQ(base64_decode(text), std::nullopt) << text;
}

TEST(SaslPlainTest, CarriesAllThreeParts) {
    EXPECT_EQ(base64_decode(*sasl_plain("user@fabrikam.example", "admin", "pass word;$")),
              std::string("user@fabrikam.example\0admin\0pass word;$", 39));
    EXPECT_EQ(base64_decode(*sasl_plain("", "tim", "tanstaaftanstaaf")),
              std::string("\0tim\0tanstaaftanstaaf", 21));
}

TEST(SaslPlainTest, RefusesNul) {
    std::string const nul("a\0b", 3);
    EXPECT_EQ(sasl_plain(nul, "b", "c"), std::nullopt);
    EXPECT_EQ(sasl_plain("a", nul, "c"), std::nullopt);
    EXPECT_EQ(sasl_plain("a", "b", nul), std::nullopt);
}

// The published example of the mechanism.
TEST(SaslXoauth2Test, WritesTheInitialResponse) {
    EXPECT_EQ(sasl_xoauth2("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"),
              "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNr"
              "QmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==");
}

TEST(SaslXoauth2Test, RefusesControlCharacters) {
    EXPECT_EQ(sasl_xoauth2("a\x01"
                           "auth=Bearer x",
                           "t"),
              std::nullopt);
    EXPECT_EQ(sasl_xoauth2("a", "t\x01"), std::nullopt);
    EXPECT_EQ(sasl_xoauth2("a", "t\r\n"), std::nullopt);
}

}  // namespace
}  // namespace mailferry::transport
