#pragma once

/// The target of a request, "/v1/mailboxes?state=failed&limit=10", taken apart and decoded.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::daemon {

struct ControlTarget {
    std::vector<std::string> segments;         ///< Decoded: {"v1", "mailboxes"}.
    std::map<std::string, std::string> query;  ///< Decoded; a name stands once.
};

/// RFC 3986. Nothing for a target that doesn't begin with "/", for a broken percent sign, NUL
/// bytes, or a query name that stands twice.
std::optional<ControlTarget> parse_target(std::string_view target);

/// One path segment or query value, every byte but the unreserved ones percent-encoded.
std::string encode_segment(std::string_view text);

}  // namespace mailferry::daemon
