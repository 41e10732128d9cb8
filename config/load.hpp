#pragma once

/// From the configuration file to a Config. Syntax, types and spellings are judged here; whether
/// the values make sense together is config/validate's part.

#include "config/types.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace mailferry::config {

struct LoadResult {
    Config config;  ///< What could be read; defaults elsewhere.
    std::vector<Problem> problems;
    bool parsed = false;  ///< False: unreadable or no TOML; `config` says nothing then.
};

/// Reads `file` (at most 1 MiB). Relative paths in it are relative to its folder.
[[nodiscard]] LoadResult load_config(std::filesystem::path const& file);

/// The same for text that is in memory; touches no file.
[[nodiscard]] LoadResult parse_config(std::string_view text, std::filesystem::path const& file);

}  // namespace mailferry::config
