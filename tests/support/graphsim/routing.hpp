#pragma once

#include "tests/support/graphsim/encoding.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace graphsim {

/// "/v1.0/users/a%40b" becomes {"v1.0", "users", "a@b"}.
inline std::vector<std::string> path_segments(std::string_view path) {
    std::vector<std::string> segments;
    while (path.starts_with('/')) {
        path.remove_prefix(1);
        auto const segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        segments.push_back(percent_decoded(segment));
    }
    if (!segments.empty() && segments.back().empty()) segments.pop_back();
    return segments;
}

}  // namespace graphsim
