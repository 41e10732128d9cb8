#include "tests/support/graphsim/ids.hpp"

#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/random.hpp"

#include <cctype>

namespace graphsim {

namespace {

constexpr std::string_view digits = "aAbBcCdDeEfFgGhH";  // The lowest bit is the letter's case.
constexpr std::size_t filler_chars = 56;
constexpr std::size_t number_chars = 12;
constexpr std::size_t tail_chars = 41;

std::string_view prefix_of(IdKind kind) {
    switch (kind) {
    case IdKind::folder: return "AQMkA";
    case IdKind::item: return "AAMkA";
    case IdKind::immutable_item: return "AAkAL";
    }
    return "";
}

std::string filler(std::uint64_t seed, std::size_t chars) {
    std::string bytes;
    Random random(seed);
    while (bytes.size() * 4 / 3 < chars + 4) {
        auto const word = random.next();
        bytes.append(reinterpret_cast<char const*>(&word), sizeof word);
    }
    return base64url(bytes).substr(0, chars);
}

}  // namespace

std::string encode_id(IdKind kind, std::uint64_t mailbox, std::uint64_t number) {
    std::string text(prefix_of(kind));
    text += filler(mixed(mailbox, 1), filler_chars);
    for (std::size_t n = number_chars; n-- > 0;) text += digits[number >> (4 * n) & 15];
    // Of the pair, not of the number, or the pair would differ in more than one letter.
    text += "-_";
    text += filler(mixed(mailbox, (number >> 1) + 2), tail_chars);
    return text + "AAA=";
}

std::optional<DecodedId> decode_id(std::uint64_t mailbox, std::string_view text) {
    for (auto const kind : {IdKind::folder, IdKind::item, IdKind::immutable_item}) {
        auto const prefix = prefix_of(kind);
        if (!text.starts_with(prefix)) continue;
        std::uint64_t number = 0;
        if (text.size() < prefix.size() + filler_chars + number_chars) return std::nullopt;
        for (char const letter : text.substr(prefix.size() + filler_chars, number_chars)) {
            auto const digit = digits.find(letter);
            if (digit == digits.npos) return std::nullopt;
            number = number << 4 | digit;
        }
        if (encode_id(kind, mailbox, number) == text) return DecodedId{kind, number};
    }
    return std::nullopt;
}

bool looks_like_id(std::string_view text) {
    if (text.size() < 100 || text.size() % 4 != 0) return false;
    if (!text.starts_with("AAMkA") && !text.starts_with("AQMkA") && !text.starts_with("AAkAL")) {
        return false;
    }
    for (unsigned char const letter : text) {
        if (!std::isalnum(letter) && letter != '-' && letter != '_' && letter != '=') return false;
    }
    return true;
}

std::string change_key(std::uint64_t mailbox, std::uint64_t number) {
    std::string bytes("\x09\x00\x00\x00\x16\x00\x00\x00", 8);
    auto const origin = mixed(mailbox, 77);
    bytes.append(reinterpret_cast<char const*>(&origin), 8);
    bytes.append(reinterpret_cast<char const*>(&number), 8);
    return base64(bytes);
}

}  // namespace graphsim
