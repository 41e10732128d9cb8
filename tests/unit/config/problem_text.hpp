#pragma once

/// Problems as text, for the tests to match.

#include "config/types.hpp"

#include <string>
#include <vector>

namespace mailferry::config {

inline std::vector<std::string> described(std::vector<Problem> const& problems) {
    std::vector<std::string> lines;
    for (auto const& problem : problems) lines.push_back(problem.describe());
    return lines;
}

/// Without `file:line: `.
inline std::vector<std::string> messages_of(std::vector<Problem> const& problems) {
    std::vector<std::string> messages;
    for (auto const& problem : problems)
        messages.push_back((problem.warning ? "warning: " : "") + problem.message);
    return messages;
}

}  // namespace mailferry::config
