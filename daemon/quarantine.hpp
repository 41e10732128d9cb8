#pragma once

/// The bytes of an item that was given up, kept for people: `item-<id>.eml`, mode 0600.

#include "transport/session.hpp"

#include <filesystem>
#include <string>

namespace mailferry::daemon {

/// Writes the whole item and makes it durable; answers the file's name. An existing export of the
/// same item is replaced. Nothing half-written is left under the final name.
awaitable<Result<std::string>> export_item(std::filesystem::path folder, std::uint64_t item,
                                           std::shared_ptr<transport::ItemReader> reader);

}  // namespace mailferry::daemon
