#include "transport/imap/lexer.hpp"

#include "transport/imap/ascii.hpp"
#include "transport/imap/flags.hpp"
#include "transport/imap/fragmenter.hpp"

#include <limits>

namespace mailferry::imap {
namespace {

constexpr std::uint64_t number63_max = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t number32_max = std::numeric_limits<std::uint32_t>::max();

bool is_word_char(char c) { return c != ' ' && c != '(' && c != ')' && !is_control(c); }
bool is_bare_name_char(char c) { return c != ' ' && !is_control(c); }

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view digits, std::uint64_t max) {
    if (digits.empty() || digits.size() > 20) return std::nullopt;
    std::uint64_t value = 0;
    for (char const c : digits) {
        if (!is_digit(c)) return std::nullopt;
        auto const digit = static_cast<std::uint64_t>(c - '0');
        if (digit > max || value > (max - digit) / 10) return std::nullopt;
        value = value * 10 + digit;
    }
    return value;
}

void Lexer::skip_blanks() {
    while (peek() == ' ') ++at_;
}

bool Lexer::take(char expected) {
    if (at_end() || text_[at_] != expected) return false;
    ++at_;
    return true;
}

std::string_view Lexer::take_word() {
    auto const from = at_;
    while (!at_end() && is_word_char(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
}

std::string_view Lexer::take_bare_name() {
    auto const from = at_;
    while (!at_end() && is_bare_name_char(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
}

std::optional<std::uint32_t> Lexer::take_number32() {
    auto const value = parse_number(take_word(), number32_max);
    if (!value) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
}

std::optional<std::uint32_t> Lexer::take_nonzero32() {
    auto const value = take_number32();
    if (!value || *value == 0) return std::nullopt;
    return value;
}

std::optional<std::uint64_t> Lexer::take_number63() {
    return parse_number(take_word(), number63_max);
}

// Only as far as the announcement reaches: looking for the line's end would make a long list of
// words cost the square of its length.
std::size_t Lexer::literal_head_bytes() const {
    auto const text = rest();
    std::size_t end = text.starts_with('~') ? 1 : 0;
    if (end == text.size() || text[end++] != '{') return 0;
    auto const digits_begin = end;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == digits_begin) return 0;
    if (end < text.size() && text[end] == '+') ++end;
    if (end == text.size() || text[end++] != '}') return 0;
    auto const behind = text.substr(end);
    bool const ends_line = behind.empty() || behind.starts_with('\n') || behind.starts_with("\r\n");
    return ends_line ? end : 0;
}

bool Lexer::at_string() const { return peek() == '"' || literal_head_bytes() > 0; }

bool Lexer::at_literal_head() const {
    return literal_head_bytes() > 0 && literal_head_bytes() == rest().size();
}

std::optional<std::string> Lexer::take_string() {
    std::string value;
    if (!take_string_into(&value)) return std::nullopt;
    return value;
}

bool Lexer::take_string_into(std::string* value) {
    return peek() == '"' ? take_quoted(value) : take_literal(value);
}

bool Lexer::take_quoted(std::string* value) {
    ++at_;
    while (!at_end()) {
        auto c = text_[at_++];
        if (c == '"') return true;
        if (c == '\\') {
            if (at_end()) return false;
            c = text_[at_++];
        }
        if (value) *value += c;
    }
    return false;
}

bool Lexer::take_literal(std::string* value) {
    auto const head = rest().substr(0, literal_head_bytes());
    if (head.empty()) return false;
    at_ += head.size();
    if (at_end()) {
        starved_ = true;
        return false;
    }
    take('\r');
    take('\n');
    auto const literal = announced_literal(head);
    if (!literal || literal->too_large || literal->bytes > text_.size() - at_) return false;
    if (value) value->append(text_.substr(at_, literal->bytes));
    at_ += literal->bytes;
    return true;
}

std::optional<NString> Lexer::take_nstring() {
    if (at_string()) {
        auto value = take_string();
        if (!value) return std::nullopt;
        return NString{false, std::move(*value)};
    }
    if (!equal_names(take_word(), "NIL")) return std::nullopt;
    return NString{true, {}};
}

std::optional<std::string> Lexer::take_name() {
    if (at_string()) return take_string();
    auto const name = take_bare_name();
    // A quote that isn't closed can't be told from a name with a quote in it: neither is legal.
    if (name.empty() || name.front() == '(') return std::nullopt;
    return std::string(name);
}

std::optional<std::string> Lexer::take_string_or_word() {
    if (at_string()) return take_string();
    auto const word = take_word();
    if (word.empty()) return std::nullopt;
    return std::string(word);
}

std::optional<std::vector<std::string>> Lexer::take_word_list(std::size_t items_max) {
    std::vector<std::string> words;
    if (!take('(')) return std::nullopt;
    for (;;) {
        skip_blanks();
        if (take(')')) return words;
        auto word = take_string_or_word();
        if (!word || words.size() == items_max) return std::nullopt;
        words.push_back(std::move(*word));
    }
}

std::optional<std::optional<char>> Lexer::take_delimiter() {
    auto const text = take_nstring();
    if (!text || text->value.size() > 1) return std::nullopt;
    if (text->value.empty()) return std::optional<char>();
    return std::optional<char>(text->value.front());
}

std::optional<std::string> Lexer::take_item_name() {
    auto const from = at_;
    while (!at_end() && is_word_char(text_[at_]) && text_[at_] != '[' && text_[at_] != '{') ++at_;
    auto name = upper_case(text_.substr(from, at_ - from));
    if (name.empty()) return std::nullopt;
    if (peek() != '[') return name;
    if (!take_section(name)) return std::nullopt;
    if (peek() != '<') return name;
    auto const close = rest().find('>');
    if (close == std::string_view::npos || !parse_number(rest().substr(1, close - 1), number63_max))
        return std::nullopt;
    at_ += close + 1;
    return name;
}

// A header name in the list may be a string with `]` in it, so the first `]` may not be the end.
bool Lexer::take_section(std::string& name) {
    ++at_;
    name += '[';
    int depth = 0;
    while (!at_end()) {
        if (at_string()) {
            if (!take_string_into(nullptr)) return false;
            continue;
        }
        auto const c = text_[at_++];
        if (is_control(c)) return false;
        if (c == '(' && ++depth > depth_max) return false;
        if (c == ')' && --depth < 0) return false;
        // In the list an unquoted header name may hold `]` too (astring).
        if (c == ']' && depth == 0) {
            name += ']';
            return true;
        }
        if (depth == 0 && c != ')') name += upper(c);
    }
    return false;
}

bool Lexer::skip_value() {
    int depth = 0;
    do {
        skip_blanks();
        if (at_string()) {
            if (!take_string_into(nullptr)) return false;
        } else if (take('(')) {
            if (++depth > depth_max) return false;
        } else if (take(')')) {
            if (--depth < 0) return false;
        } else if (take_word().empty()) {
            return false;
        }
    } while (depth > 0);
    return true;
}

}  // namespace mailferry::imap
