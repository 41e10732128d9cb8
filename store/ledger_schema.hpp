#pragma once

/// The ledger's tables and how an older file becomes a current one. Every column is explained in
/// docs/ledger.md.

#include "store/ledger_statements.hpp"

#include <span>

namespace mailferry::store {

/// One step of the schema: what turns version - 1 into `version`.
struct SchemaStep {
    std::int64_t version;
    char const* sql;
    char const* program;  ///< First mailferry that reads the result; an older one names it.
};

/// All steps, from an empty file on.
std::span<SchemaStep const> schema_steps();

/// Brings the file to the last step's version, all in one transaction; nothing happens to a current
/// one. invalid_config for a newer schema or another program's file, with the cure; the file is
/// then unchanged.
Result<void> migrate(Database& database, std::span<SchemaStep const> steps);

/// Whether the file is a ledger of the last step's version. Changes nothing.
Result<bool> is_current(Database& database);

}  // namespace mailferry::store
