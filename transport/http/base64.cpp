#include "transport/http/base64.hpp"

#include <algorithm>

namespace mailferry::http {
namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t no_digit = 0xff;

constexpr auto digit_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(alphabet[i])] = i;
    return values;
}();

void encode_group(std::byte const* from, char* to) {
    auto const a = std::to_integer<unsigned>(from[0]), b = std::to_integer<unsigned>(from[1]),
               c = std::to_integer<unsigned>(from[2]);
    to[0] = alphabet[a >> 2];
    to[1] = alphabet[((a & 3) << 4) | (b >> 4)];
    to[2] = alphabet[((b & 15) << 2) | (c >> 6)];
    to[3] = alphabet[c & 63];
}

}  // namespace

void Base64Encoder::write(std::span<std::byte const> bytes, std::string& out) {
    if (held_count_ > 0) {
        auto const count = std::min(bytes.size(), held_.size() - held_count_);
        std::copy_n(bytes.begin(), count, held_.begin() + held_count_);
        held_count_ += count;
        bytes = bytes.subspan(count);
        if (held_count_ < held_.size()) return;
        char group[4];
        encode_group(held_.data(), group);
        out.append(group, 4);
    }
    auto const groups = bytes.size() / 3;
    auto const begin = out.size();
    out.resize(begin + groups * 4);
    for (std::size_t i = 0; i < groups; ++i)
        encode_group(bytes.data() + i * 3, out.data() + begin + i * 4);
    auto const rest = bytes.subspan(groups * 3);
    std::copy(rest.begin(), rest.end(), held_.begin());
    held_count_ = rest.size();
}

void Base64Encoder::finish(std::string& out) {
    if (held_count_ > 0) {
        std::fill(held_.begin() + held_count_, held_.end(), std::byte{0});
        char group[4];
        encode_group(held_.data(), group);
        std::fill(group + held_count_ + 1, group + 4, '=');
        out.append(group, 4);
    }
    held_count_ = 0;
}

bool Base64Decoder::take(unsigned char c, std::vector<std::byte>& out) {
    if (c == '=') {
        if (count_ < 2) return false;
        ++padding_;
        bits_ <<= 6;
    } else {
        auto const value = digit_values[c];
        // A digit behind padding: within the group, or in a group after the last one.
        if (value == no_digit || padding_ > 0) return false;
        bits_ = (bits_ << 6) | value;
    }
    if (++count_ < 4) return true;
    auto const left_over = padding_ == 2 ? 0xffffU : padding_ == 1 ? 0xffU : 0U;
    if ((bits_ & left_over) != 0) return false;
    for (int i = 0; i < 3 - padding_; ++i)
        out.push_back(static_cast<std::byte>((bits_ >> (16 - 8 * i)) & 0xff));
    bits_ = 0;
    count_ = 0;
    return true;
}

bool Base64Decoder::write(std::string_view text, std::vector<std::byte>& out) {
    auto const* at = reinterpret_cast<unsigned char const*>(text.data());
    auto const* const end = at + text.size();
    while (!bad_ && at != end) {
        // Whole groups at once; anything out of the ordinary goes the slow way.
        if (count_ == 0 && padding_ == 0) {
            auto const groups = static_cast<std::size_t>(end - at) / 4;
            auto const begin = out.size();
            out.resize(begin + groups * 3);
            auto* to = out.data() + begin;
            for (std::size_t i = 0; i < groups; ++i, at += 4, to += 3) {
                auto const a = digit_values[at[0]], b = digit_values[at[1]],
                           c = digit_values[at[2]], d = digit_values[at[3]];
                if (((a | b | c | d) & 0xc0) != 0) break;
                to[0] = static_cast<std::byte>((a << 2) | (b >> 4));
                to[1] = static_cast<std::byte>((b << 4) | (c >> 2));
                to[2] = static_cast<std::byte>((c << 6) | d);
            }
            out.resize(static_cast<std::size_t>(to - out.data()));
            if (at == end) break;
        }
        bad_ = !take(*at++, out);
    }
    return !bad_;
}

bool Base64Decoder::finish() {
    auto const whole = !bad_ && count_ == 0;
    reset();
    return whole;
}

std::string base64url(std::string_view bytes) {
    Base64Encoder encoder;
    std::string text;
    encoder.write(std::as_bytes(std::span(bytes.data(), bytes.size())), text);
    encoder.finish(text);
    text.erase(std::min(text.find('='), text.size()));
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

}  // namespace mailferry::http
