#include "config/base/crypto.hpp"

#include <gtest/gtest.h>

namespace mailferry {
namespace {

std::string unhex(std::string_view digits) {
    auto const value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes.push_back(static_cast<char>(value(digits[i]) << 4 | value(digits[i + 1])));
    return bytes;
}

// FIPS 180-2, appendix B.
TEST(CryptoTest, Sha256OfTheStandardsExamples) {
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(CryptoTest, PiecesGiveTheSameDigestAndTheObjectStartsAfresh) {
    Sha256 digest;
    digest.update("a");
    digest.update("");
    digest.update("bc");
    EXPECT_EQ(digest.finish(), sha256("abc"));
    EXPECT_EQ(digest.finish(), sha256(""));
}

// RFC 4231, cases 2 and 6 (a key longer than a block).
TEST(CryptoTest, HmacOfTheStandardsExamples) {
    EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                              "Test Using Larger Than Block-Size Key - Hash Key First")),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    EXPECT_EQ(hex(hmac_sha256("", "")),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

struct HkdfCase {
    std::string_view key, salt, info, out;
};

// RFC 5869, appendix A.1 and A.3.
constexpr HkdfCase hkdf_cases[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

TEST(CryptoTest, HkdfOfTheStandardsExamples) {
    for (auto const& c : hkdf_cases) {
        std::array<std::uint8_t, 42> out{};
        hkdf_sha256(unhex(c.key), unhex(c.salt), unhex(c.info), out);
        EXPECT_EQ(hex(out), c.out);
    }
}

TEST(CryptoTest, RandomBytesDiffer) {
    std::array<std::uint8_t, 32> a{}, b{};
    random_bytes(a);
    random_bytes(b);
    EXPECT_NE(a, b);
    random_bytes({});
}

TEST(CryptoTest, HexKeepsLeadingZeros) {
    EXPECT_EQ(hex(std::string_view("\x00\x0f\xf0", 3)), "000ff0");
}

}  // namespace
}  // namespace mailferry
