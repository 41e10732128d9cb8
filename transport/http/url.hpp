#pragma once

/// Addresses of HTTP resources, as far as a client needs them.

#include "config/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace mailferry::http {

/// `target` stands byte for byte as it was given: some addresses are signed. It may be a secret
/// (import URLs carry a token in the query), so it is wiped when the value goes and never printed;
/// where() is for people.
struct Url {
    bool tls = true;
    std::string host;  ///< Lower case, without brackets.
    std::uint16_t port = 443;
    std::string target = "/";  ///< Path and query.

    Url() = default;
    Url(Url const&) = default;
    Url(Url&&) noexcept = default;
    Url& operator=(Url const&);
    Url& operator=(Url&&) noexcept;
    ~Url();

    /// "https://graph.microsoft.com/v1.0/users": without the query, escaped and cut.
    std::string where() const;
    /// "graph.microsoft.com" or "localhost:8443", as the Host header has it.
    std::string authority() const;
};

/// http and https, absolute, host names in ASCII; user names, fragments, blanks and control
/// characters are refused. protocol_error, whose text tells what is wrong and at most the host.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

/// `text` as one segment of a path or one value of a query: everything but A-Z a-z 0-9 - . _ ~ is
/// percent-encoded.
std::string percent_encoded(std::string_view text);

}  // namespace mailferry::http
