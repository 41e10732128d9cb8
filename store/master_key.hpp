#pragma once

/// The spool's master key: who has it can read the spool. It is given by the operator or made here.

#include "config/base/error.hpp"
#include "config/base/secret.hpp"

#include <filesystem>

namespace mailferry::store {

inline constexpr std::size_t master_key_bytes = 32;

/// Takes 32 raw bytes, or 64 hexadecimal digits with white space behind them. invalid_config for
/// anything else; the message says what is wrong, never what the bytes are.
Result<Secret> parse_master_key(Secret given);

/// Reads the key file at `path`, or makes it: random, mode 0600, created exclusively, and synced
/// with its directory before it is used. Refuses a file that others may read. Blocks; for the start
/// only.
Result<Secret> load_or_make_master_key(std::filesystem::path const& path);

}  // namespace mailferry::store
