#pragma once

/// Tokens of one response (RFC 3501 9), with its literals embedded as `{n}` CRLF octets.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::imap {

/// A string or NIL.
struct NString {
    bool is_nil = false;
    std::string value;
};

/// A cursor over text that outlives it. A take_...() that fails leaves the cursor anywhere inside
/// what it tried; starved() then tells a response that goes on after a literal from a broken one.
class Lexer {
public:
    static constexpr int depth_max = 32;

    explicit Lexer(std::string_view text) : text_(text) {}

    bool at_end() const { return at_ == text_.size(); }
    std::size_t position() const { return at_; }
    std::string_view rest() const { return text_.substr(at_); }
    /// '\0' at the end.
    char peek() const { return at_end() ? '\0' : text_[at_]; }
    /// The text ended with a literal's `{n}`: its octets are still on the wire.
    bool starved() const { return starved_; }

    /// Any number, none included: more than one blank between tokens is forgiven.
    void skip_blanks();
    bool take(char expected);
    /// Octets up to a blank, parenthesis or control character; empty where none is.
    std::string_view take_word();
    /// As take_word(), but parentheses belong to it: a mailbox name that wasn't quoted.
    std::string_view take_bare_name();

    std::optional<std::uint32_t> take_number32();
    std::optional<std::uint32_t> take_nonzero32();
    std::optional<std::uint64_t> take_number63();

    /// Whether a quoted string or literal begins here.
    bool at_string() const;
    /// Whether the text ends here with a literal's announcement.
    bool at_literal_head() const;
    std::optional<std::string> take_string();
    std::optional<NString> take_nstring();
    /// A string, or a bare name.
    std::optional<std::string> take_name();
    /// A string, or a word.
    std::optional<std::string> take_string_or_word();
    /// `(word word ...)`; words may be quoted. At most `items_max`.
    std::optional<std::vector<std::string>> take_word_list(std::size_t items_max);
    /// NIL or a quoted octet; the inner nothing is NIL or "".
    std::optional<std::optional<char>> take_delimiter();
    /// FETCH item: word characters, then `[section]` read to its matching bracket, then `<n>`.
    std::optional<std::string> take_item_name();
    /// Passes over one word, string or list, nested at most depth_max deep.
    bool skip_value();

private:
    /// The length of `{n}` or its like, if one ends its line here; else 0.
    std::size_t literal_head_bytes() const;
    bool take_quoted(std::string* value);
    bool take_literal(std::string* value);
    bool take_string_into(std::string* value);
    bool take_section(std::string& name);

    std::string_view text_;
    std::size_t at_ = 0;
    bool starved_ = false;
};

/// A decimal number of at most 20 digits and not above `max`; nothing for other text.
std::optional<std::uint64_t> parse_number(std::string_view digits, std::uint64_t max);

}  // namespace mailferry::imap
