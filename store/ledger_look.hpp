#pragma once

/// A look at a ledger that nobody works with, for dry runs: not a byte of it changes, neither its
/// schema nor its incarnation, and no other file is made.

#include "store/ledger.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace mailferry::store {

/// The passes of all migrations. Nothing: the file is of another schema, or its log holds what a
/// killed process left, which only opening the ledger makes good. The caller sees to it that nobody
/// has the ledger open. Blocks for the read.
Result<std::optional<std::vector<PassRecord>>> look_at_passes(std::filesystem::path const& file);

}  // namespace mailferry::store
