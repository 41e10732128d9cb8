#pragma once

/// The parts of load.cpp, a file each.

#include "config/problem_list.hpp"
#include "config/table_reader.hpp"
#include "config/types.hpp"

namespace mailferry::config {

Tenant load_tenant(TableReader::NamedTable const& table, std::filesystem::path const& folder,
                   ProblemList& problems);
Migration load_migration(TableReader::NamedTable const& table, std::filesystem::path const& folder,
                         ProblemList& problems);

}  // namespace mailferry::config
