#pragma once

/// Character classes of RFC 3501 9. Pure; the program's locale has no say.

#include <algorithm>
#include <string>
#include <string_view>

namespace mailferry::imap {

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }

/// ATOM-CHAR: printable ASCII without the atom-specials.
constexpr bool is_atom_char(char c) {
    return c > 0x20 && c < 0x7F && std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
}

inline bool is_atom(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_atom_char);
}

inline std::string upper_case(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), upper);
    return result;
}

}  // namespace mailferry::imap
