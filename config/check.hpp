#pragma once

/// Everything that is known before the first connection: what `--check` prints and what `copy` and
/// the service refuse to start without.

#include "config/mapping.hpp"
#include "config/types.hpp"

#include <filesystem>
#include <vector>

namespace mailferry::config {

struct CheckedConfig {
    Config config;
    MappingsByMigration pairs;
    std::vector<Problem> problems;

    /// Nothing but warnings: the work may begin.
    bool usable() const;
};

/// Loads and judges the configuration and the mapping of each of its migrations. Never stops at the
/// first problem, save when the configuration isn't TOML.
[[nodiscard]] CheckedConfig check_config(std::filesystem::path const& file);

}  // namespace mailferry::config
