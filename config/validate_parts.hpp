#pragma once

/// The parts of validate.cpp, a file each.

#include "config/problem_list.hpp"
#include "config/types.hpp"

#include <filesystem>
#include <string>

namespace mailferry::config {

void validate_tenant(Tenant const& tenant, ProblemList& problems);

/// Readable regular file, or a problem that begins with `what`.
void validate_file(std::filesystem::path const& file, std::string const& what, int line,
                   ProblemList& problems);

}  // namespace mailferry::config
