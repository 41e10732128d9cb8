#include "transport/auth/sasl.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace mailferry::transport {
namespace {

constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto base64_values = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < base64_digits.size(); ++i)
        values[static_cast<unsigned char>(base64_digits[i])] = static_cast<std::int8_t>(i);
    return values;
}();

/// Encodes pieces as one text. The text is reserved beforehand: growing it would leave copies of
/// a secret in freed memory.
class Base64Writer {
public:
    explicit Base64Writer(std::size_t bytes) { text_.reserve((bytes + 2) / 3 * 4); }

    Base64Writer& add(std::string_view bytes) {
        for (char const byte : bytes) {
            bits_ = bits_ << 8 | static_cast<unsigned char>(byte);
            bit_count_ += 8;
            while (bit_count_ >= 6) {
                bit_count_ -= 6;
                text_ += base64_digits[bits_ >> bit_count_ & 63];
            }
        }
        return *this;
    }

    std::string finish() {
        if (bit_count_ > 0) text_ += base64_digits[bits_ << (6 - bit_count_) & 63];
        while (text_.size() % 4 != 0) text_ += '=';
        return std::move(text_);
    }

private:
    std::string text_;
    std::uint32_t bits_ = 0;
    int bit_count_ = 0;
};

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
    return Base64Writer(bytes.size()).add(bytes).finish();
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && !text.empty() && text.back() == '=') {
        text.remove_suffix(1);
        ++padding;
    }
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    int bit_count = 0;
    for (char const digit : text) {
        auto const value = base64_values[static_cast<unsigned char>(digit)];
        if (value < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            bytes += static_cast<char>(bits >> bit_count & 0xFF);
        }
    }
    if ((bits & ((1u << bit_count) - 1)) != 0) return std::nullopt;
    return bytes;
}

std::optional<std::string> sasl_plain(std::string_view authzid, std::string_view authcid,
                                      std::string_view password) {
    constexpr std::string_view nul("\0", 1);
    for (auto const part : {authzid, authcid, password})
        if (part.find('\0') != part.npos) return std::nullopt;
    return Base64Writer(authzid.size() + authcid.size() + password.size() + 2)
        .add(authzid)
        .add(nul)
        .add(authcid)
        .add(nul)
        .add(password)
        .finish();
}

std::optional<std::string> sasl_xoauth2(std::string_view user, std::string_view access_token) {
    constexpr std::string_view user_is = "user=", token_is =
                                                      "\x01"
                                                      "auth=Bearer ";
    constexpr std::string_view end = "\x01\x01";
    if (has_control(user) || has_control(access_token)) return std::nullopt;
    return Base64Writer(user_is.size() + user.size() + token_is.size() + access_token.size() +
                        end.size())
        .add(user_is)
        .add(user)
        .add(token_is)
        .add(access_token)
        .add(end)
        .finish();
}

}  // namespace mailferry::transport
