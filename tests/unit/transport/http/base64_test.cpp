#include "transport/http/base64.hpp"

#include <gtest/gtest.h>

#include <random>

namespace mailferry::http {
namespace {

std::span<std::byte const> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string encoded(std::string_view bytes, std::size_t slice) {
    Base64Encoder encoder;
    std::string out;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(slice, bytes.size())))
        encoder.write(bytes_of(bytes.substr(0, slice)), out);
    encoder.finish(out);
    return out;
}

std::string decoded(std::string_view text, std::size_t slice) {
    Base64Decoder decoder;
    std::vector<std::byte> out;
    for (; !text.empty(); text.remove_prefix(std::min(slice, text.size())))
        if (!decoder.write(text.substr(0, slice), out)) return "refused";
    if (!decoder.finish()) return "unfinished";
    return {reinterpret_cast<char const*>(out.data()), out.size()};
}

struct Base64Case {
    std::string_view bytes, text;
};

// From RFC 4648, chapter 10, and both ends of the alphabet.
constexpr Base64Case base64_cases[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xff\xff\xfb\xff\xbf", "////+/+/"},
};

TEST(Base64Test, KnownTextsInEverySlicing) {
    for (auto const& c : base64_cases) {
        for (std::size_t slice = 1; slice <= 9; ++slice) {
            EXPECT_EQ(encoded(c.bytes, slice), c.text);
            EXPECT_EQ(decoded(c.text, slice), c.bytes);
        }
        EXPECT_EQ(base64_size(c.bytes.size()), c.text.size());
    }
}

TEST(Base64Test, WhatIsntStrictIsRefused) {
    struct {
        std::string_view text, outcome;
    } const cases[] = {
        {"Zg=", "unfinished"},     {"Z", "unfinished"},        {"Zm8", "unfinished"},
        {"Zh==", "refused"},       {"Zm9=", "refused"},        {"=", "refused"},
        {"Z===", "refused"},       {"====", "refused"},        {"Zg==Zg==", "refused"},
        {"Zg==A", "refused"},      {"Zg===", "refused"},       {"Z=g=", "refused"},
        {"Zm9v\n", "refused"},     {" Zm9v", "refused"},       {"Zm9-", "refused"},
        {"Zm9vZg==\n", "refused"}, {"Zm9v\x80Zm9", "refused"},
    };
    for (auto const& c : cases)
        for (std::size_t slice = 1; slice <= 9; ++slice)
            EXPECT_EQ(decoded(c.text, slice), c.outcome) << c.text << " slice=" << slice;
}

TEST(Base64Test, RandomBytesComeBackWhateverTheSlicing) {
    std::mt19937 random(7);
    for (std::size_t size = 0; size < 200; ++size) {
        std::string bytes(size, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        auto const slice = 1 + random() % 20;
        auto const text = encoded(bytes, slice);
        EXPECT_EQ(text, encoded(bytes, 1'000));
        EXPECT_EQ(decoded(text, 1 + random() % 20), bytes);
    }
}

TEST(Base64Test, TheUrlAlphabetHasNoPadding) {
    EXPECT_EQ(base64url("\xfb\xff"), "-_8");
    EXPECT_EQ(base64url(""), "");
    EXPECT_EQ(base64url("foo"), "Zm9v");
}

}  // namespace
}  // namespace mailferry::http
