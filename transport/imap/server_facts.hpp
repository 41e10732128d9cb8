#pragma once

/// What is known of a server at this point of the connection.

#include "transport/imap/command.hpp"
#include "transport/imap/quirks.hpp"
#include "transport/imap/response.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::imap {

struct ServerFacts {
    std::vector<std::string> capabilities;  ///< Upper case.
    std::string name;                       ///< From ID, else the greeting's text. Untrusted.
    Quirks quirks;
    bool utf8 = false;       ///< UTF8=ACCEPT is enabled: names are raw UTF-8.
    bool condstore = false;  ///< Offered: HIGHESTMODSEQ may be asked for.

    bool has(std::string_view capability) const;
    LiteralMode literals() const;
    /// APPENDLIMIT=n in octets; 0: not told.
    std::uint64_t append_limit() const;
    /// Takes a new list; what was known of the old one is forgotten.
    void set_capabilities(std::vector<std::string> names);
    void set_name(std::string server_name);
};

}  // namespace mailferry::imap
