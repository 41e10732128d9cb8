#pragma once

/// The items of one FETCH response, one at a time.

#include "transport/imap/lexer.hpp"
#include "transport/imap/response.hpp"

#include <cstddef>
#include <string>

namespace mailferry::imap {

/// What parse_fetch_item() found.
enum class FetchItem {
    done,            ///< Taken, or passed over.
    short_body,      ///< The body was a quoted string or an embedded literal.
    body_literal,    ///< The lexer stands before the announcement of the body's literal.
    header_literal,  ///< The same for BODY[HEADER...].
    starved,         ///< The item goes on after a literal that must be held: parse it again then.
    second_body,     ///< Two bodies in one response: which is the message?
    invalid,
};

/// Takes one item from the lexer into `items`; a short body into `short_body`. A lexer that stands
/// at a blank or parenthesis gives `invalid`.
FetchItem parse_fetch_item(Lexer& lexer, FetchItems& items, std::string& short_body,
                           std::size_t flags_max);

}  // namespace mailferry::imap
