#pragma once

/// Items of an open intent that have no row of their own, packed into the intent's: those that went
/// out before anybody needed them on disk, which is most. Grammar: docs/ledger.md. Pure; any input
/// bytes are safe to decode.

#include "store/ledger.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::store {

struct PackedItem {
    std::uint64_t place = 0;  ///< In the intent's sending order.
    ItemRecord item;          ///< In state sending; folder and location are not packed.
};

/// No items: no bytes.
std::string encode_packed(std::span<PackedItem const> items);
/// Errc::corrupt with the reason; the caller adds the intent.
Result<std::vector<PackedItem>> decode_packed(std::string_view bytes, FolderId folder);

}  // namespace mailferry::store
