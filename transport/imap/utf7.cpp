#include "transport/imap/utf7.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace mailferry::imap {
namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

bool is_direct(char32_t code) { return code >= 0x20 && code <= 0x7E; }

void append_utf8(std::string& text, char32_t code) {
    auto const tail = [&](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3F)); };
    if (code < 0x80) {
        text += static_cast<char>(code);
    } else if (code < 0x800) {
        text += static_cast<char>(0xC0 | code >> 6);
        text += tail(0);
    } else if (code < 0x10000) {
        text += static_cast<char>(0xE0 | code >> 12);
        text += tail(6);
        text += tail(0);
    } else {
        text += static_cast<char>(0xF0 | code >> 18);
        text += tail(12);
        text += tail(6);
        text += tail(0);
    }
}

/// Takes one code point from the front; nothing for overlong forms, surrogates and cut sequences.
std::optional<char32_t> take_utf8(std::string_view& text) {
    auto const lead = static_cast<unsigned char>(text.front());
    std::size_t const bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || text.size() < bytes) return std::nullopt;
    char32_t code = bytes == 1 ? lead : lead & (0xFFu >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        auto const byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0) != 0x80) return std::nullopt;
        code = code << 6 | (byte & 0x3Fu);
    }
    constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[bytes] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return std::nullopt;
    text.remove_prefix(bytes);
    return code;
}

/// The base64 of one run of UTF-16 units.
class ShiftedWriter {
public:
    explicit ShiftedWriter(std::string& name) : name_(name) {}

    void add(char32_t code) {
        if (code < 0x10000) return add_unit(code);
        add_unit(0xD800 + ((code - 0x10000) >> 10));
        add_unit(0xDC00 + ((code - 0x10000) & 0x3FF));
    }

    void finish() {
        if (!open_) return;
        if (bit_count_ > 0) name_ += digits[bits_ << (6 - bit_count_) & 63];
        name_ += '-';
        open_ = false;
        bits_ = 0;
        bit_count_ = 0;
    }

private:
    void add_unit(char32_t unit) {
        if (!open_) name_ += '&';
        open_ = true;
        bits_ = bits_ << 16 | unit;
        bit_count_ += 16;
        while (bit_count_ >= 6) {
            bit_count_ -= 6;
            name_ += digits[bits_ >> bit_count_ & 63];
        }
    }

    std::string& name_;
    std::uint32_t bits_ = 0;
    int bit_count_ = 0;
    bool open_ = false;
};

/// Decodes what stands between `&` and `-`. Lax: the caller compares with the strict encoding.
bool append_shifted(std::string& text, std::string_view shifted) {
    std::uint32_t bits = 0;
    int bit_count = 0;
    char32_t high = 0;
    for (char const c : shifted) {
        auto const value = digits.find(c);
        if (value == digits.npos) return false;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        bit_count += 6;
        if (bit_count < 16) continue;
        bit_count -= 16;
        char32_t const unit = bits >> bit_count & 0xFFFF;
        bool const is_low = unit >= 0xDC00 && unit <= 0xDFFF;
        if (is_low != (high != 0)) return false;
        if (is_low) {
            append_utf8(text, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
            high = 0;
        } else if (unit >= 0xD800 && unit <= 0xDBFF) {
            high = unit;
        } else {
            append_utf8(text, unit);
        }
    }
    return high == 0;
}

}  // namespace

std::optional<std::string> utf7_from_utf8(std::string_view text) {
    std::string name;
    ShiftedWriter shifted(name);
    while (!text.empty()) {
        auto const code = take_utf8(text);
        if (!code) return std::nullopt;
        if (!is_direct(*code)) {
            shifted.add(*code);
            continue;
        }
        shifted.finish();
        name += static_cast<char>(*code);
        if (*code == '&') name += '-';
    }
    shifted.finish();
    return name;
}

std::optional<std::string> utf8_from_utf7(std::string_view name) {
    std::string text;
    auto rest = name;
    while (!rest.empty()) {
        if (rest.front() != '&') {
            text += rest.front();
            rest.remove_prefix(1);
            continue;
        }
        auto const end = rest.find('-');
        if (end == rest.npos) return std::nullopt;
        if (end == 1)
            text += '&';
        else if (!append_shifted(text, rest.substr(1, end - 1)))
            return std::nullopt;
        rest.remove_prefix(end + 1);
    }
    // A folder is addressed by the name we encode, so a name that would come out otherwise (raw
    // 8-bit, ASCII in base64, left-over bits) stays undecoded.
    if (utf7_from_utf8(text) != name) return std::nullopt;
    return text;
}

}  // namespace mailferry::imap
