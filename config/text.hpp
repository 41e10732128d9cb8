#pragma once

/// Text helpers that know no locale: the same bytes give the same answer under LC_ALL=tr_TR.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mailferry::config {

/// Takes one code point off the front of `text`; nothing (and `text` unchanged) for broken UTF-8.
/// `text` must not be empty.
std::optional<char32_t> take_code_point(std::string_view& text);

void append_utf8(std::string& text, char32_t code_point);

bool is_utf8(std::string_view text);

/// Blank or invisible: ASCII and Unicode spaces, line and paragraph separators, zero-width
/// characters, byte order marks.
bool is_blank(char32_t code_point);

/// `text` without blanks (is_blank) at both ends.
std::string_view trim_blanks(std::string_view text);

/// A-Z to a-z, all other bytes unchanged.
std::string fold_case(std::string_view text);

/// The name that was probably meant: nearest by edit distance, and near enough. Nothing otherwise.
std::optional<std::string_view> nearest_name(std::string_view wrong,
                                             std::span<std::string_view const> names);

/// `text` in quotes for a problem's message: escaped, and cut at 128 bytes.
std::string shown(std::string_view text);

/// `"a", "b" or "c"`, as problems list what they accept.
std::string quoted_list(std::span<std::string_view const> names);

}  // namespace mailferry::config
