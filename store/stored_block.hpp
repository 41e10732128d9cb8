#pragma once

/// The packed form of stored items: up to 512 records of one folder, ascending by number, in two
/// blobs. `runs` holds the numbers alone, so that the list of known numbers is made without
/// touching the rest; `data` holds everything else and a checksum over both.
/// Grammar and worked example: docs/ledger.md. Pure; any input bytes are safe to decode.

#include "store/ledger.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::store {

inline constexpr std::size_t block_items_max = 512;

struct StoredBlock {
    std::string runs;
    std::string data;
};

/// `records`: 1 to block_items_max, numbers strictly ascending.
StoredBlock encode_block(std::span<StoredRecord const> records);

/// The numbers alone: ascending, disjoint, not touching; at most block_items_max numbers in all.
/// Errc::corrupt with the reason; the caller adds folder and block.
Result<std::vector<NumberRun>> decode_runs(std::string_view runs);

/// The whole block. Errc::corrupt with the reason; the caller adds folder and block.
Result<std::vector<StoredRecord>> decode_block(std::string_view runs, std::string_view data);

/// A flag set as it stands in blocks and item rows: count, then length and bytes of each.
std::string encode_flags(std::span<std::string const> flags);
Result<std::vector<std::string>> decode_flags(std::string_view bytes);

/// How more records than fit into one block are cut into several.
enum class Split {
    full_first,  ///< New items came behind everything: leave no room where nothing will come.
    full_last,   ///< New items came before everything.
    even,        ///< In the middle: leave room in both halves.
};

/// Cuts `records` into consecutive pieces of 1 to block_items_max records.
std::vector<std::span<StoredRecord const>> split_records(std::span<StoredRecord const> records,
                                                         Split how);

}  // namespace mailferry::store
