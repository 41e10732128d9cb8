#include "tests/support/graphsim/encoding.hpp"

#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cctype>
#include <cstdint>

namespace graphsim {

namespace {

constexpr char standard_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::array<std::int8_t, 256> table_of(char const* alphabet) {
    std::array<std::int8_t, 256> table;
    table.fill(-1);
    for (int n = 0; n < 64; ++n) {
        table[static_cast<unsigned char>(alphabet[n])] = static_cast<std::int8_t>(n);
    }
    return table;
}

std::array<std::int8_t, 256> const standard_values = table_of(standard_alphabet);
std::array<std::int8_t, 256> const url_values = table_of(url_alphabet);

std::string encoded(std::string_view bytes, char const* alphabet, bool padded) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    auto const at = [&](std::size_t index) { return static_cast<unsigned char>(bytes[index]); };
    std::size_t n = 0;
    for (; n + 3 <= bytes.size(); n += 3) {
        unsigned const group = at(n) << 16 | at(n + 1) << 8 | at(n + 2);
        char const four[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                              alphabet[group >> 6 & 63], alphabet[group & 63]};
        text.append(four, 4);
    }
    if (n + 1 == bytes.size()) {
        text += alphabet[at(n) >> 2];
        text += alphabet[(at(n) & 3) << 4];
        if (padded) text += "==";
    } else if (n + 2 == bytes.size()) {
        text += alphabet[at(n) >> 2];
        text += alphabet[(at(n) & 3) << 4 | at(n + 1) >> 4];
        text += alphabet[(at(n + 1) & 15) << 2];
        if (padded) text += "=";
    }
    return text;
}

int hex_value(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
}

std::string digest(std::string_view bytes, EVP_MD const* kind) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> result;
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), result.data(), &size, kind, nullptr);
    return {reinterpret_cast<char const*>(result.data()), size};
}

}  // namespace

std::string base64(std::string_view bytes) { return encoded(bytes, standard_alphabet, true); }

std::string base64url(std::string_view bytes) { return encoded(bytes, url_alphabet, false); }

std::optional<std::string> from_base64(std::string_view text) {
    Base64Decoder decoder;
    std::string bytes;
    if (!decoder.add(text, bytes) || !decoder.complete()) return std::nullopt;
    return bytes;
}

std::optional<std::string> from_base64url(std::string_view text) {
    std::string bytes;
    unsigned group = 0;
    int bits = 0;
    for (char const letter : text) {
        auto const value = url_values[static_cast<unsigned char>(letter)];
        if (value < 0) return std::nullopt;
        group = group << 6 | static_cast<unsigned>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(group >> bits & 255);
        }
    }
    if (text.size() % 4 == 1) return std::nullopt;
    return bytes;
}

bool Base64Decoder::add(std::string_view text, std::string& bytes) {
    bytes.reserve(bytes.size() + text.size() / 4 * 3 + 3);
    for (char const letter : text) {
        if (letter == '=' && count_ >= 2) {
            ++padding_;
            group_ <<= 6;
        } else {
            auto const value = standard_values[static_cast<unsigned char>(letter)];
            if (value < 0 || padding_ > 0) return false;
            group_ = group_ << 6 | static_cast<unsigned>(value);
        }
        if (++count_ == 4) {
            char const three[3] = {static_cast<char>(group_ >> 16), static_cast<char>(group_ >> 8),
                                   static_cast<char>(group_)};
            bytes.append(three, 3 - static_cast<std::size_t>(padding_));
            group_ = 0;
            count_ = 0;
        }
    }
    return true;
}

std::string hex(std::string_view bytes) {
    std::string text;
    for (unsigned char const byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

std::optional<std::string> from_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t n = 0; n + 1 < text.size(); n += 2) {
        if (hex_value(text[n]) < 0 || hex_value(text[n + 1]) < 0) return std::nullopt;
        bytes += static_cast<char>(hex_value(text[n]) * 16 + hex_value(text[n + 1]));
    }
    if (text.size() % 2 != 0) return std::nullopt;
    return bytes;
}

std::string percent_decoded(std::string_view text, bool plus_is_space) {
    std::string plain;
    for (std::size_t n = 0; n < text.size(); ++n) {
        bool const escaped = text[n] == '%' && n + 2 < text.size() && hex_value(text[n + 1]) >= 0 &&
                             hex_value(text[n + 2]) >= 0;
        if (escaped) {
            plain += static_cast<char>(hex_value(text[n + 1]) * 16 + hex_value(text[n + 2]));
            n += 2;
        } else {
            plain += plus_is_space && text[n] == '+' ? ' ' : text[n];
        }
    }
    return plain;
}

std::string percent_encoded(std::string_view text) {
    std::string result;
    for (unsigned char const byte : text) {
        if (std::isalnum(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~') {
            result += static_cast<char>(byte);
        } else {
            result += '%';
            result += "0123456789ABCDEF"[byte >> 4];
            result += "0123456789ABCDEF"[byte & 15];
        }
    }
    return result;
}

std::optional<std::map<std::string, std::string>> form_fields(std::string_view text) {
    std::map<std::string, std::string> fields;
    while (!text.empty()) {
        auto const part = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        if (part.empty()) continue;
        auto const name = part.substr(0, part.find('='));
        auto const value = part.size() > name.size() ? part.substr(name.size() + 1) : "";
        if (!fields.emplace(percent_decoded(name, true), percent_decoded(value, true)).second) {
            return std::nullopt;
        }
    }
    return fields;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& letter : result) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + 32);
    }
    return result;
}

bool equal_folded(std::string_view one, std::string_view other) {
    return lower(one) == lower(other);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
}

void Sha256::add(std::string_view bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string Sha256::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> result;
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), result.data(), &size);
    return {reinterpret_cast<char const*>(result.data()), size};
}

std::string sha256(std::string_view bytes) { return digest(bytes, EVP_sha256()); }

std::string sha1(std::string_view bytes) { return digest(bytes, EVP_sha1()); }

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> result;
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size(), result.data(), &size);
    return {reinterpret_cast<char const*>(result.data()), size};
}

std::string secret_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count));
    return bytes;
}

std::string guid_of(std::string_view bytes16) {
    auto text = hex(bytes16.substr(0, 16));
    for (auto const place : {20, 16, 12, 8}) text.insert(static_cast<std::size_t>(place), 1, '-');
    return text;
}

std::string random_guid() { return guid_of(secret_bytes(16)); }

bool is_guid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t n = 0; n < text.size(); ++n) {
        bool const dash = n == 8 || n == 13 || n == 18 || n == 23;
        if (dash ? text[n] != '-' : hex_value(text[n]) < 0) return false;
    }
    return true;
}

}  // namespace graphsim
