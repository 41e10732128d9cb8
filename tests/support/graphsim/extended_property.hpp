#pragma once

/// MAPI properties of items and folders, as singleValueExtendedProperties names and shows them.

#include "tests/support/graphsim/mailbox.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graphsim {

/// "SystemTime 0x0E06" becomes "SystemTime 0xe06": hex in lower case, without leading zeros.
/// nullopt for what is no property id at all.
std::optional<std::string> normalised_property_id(std::string_view text);

/// Normalised id and value of everything that is known of it.
using PropertyValues = std::vector<std::pair<std::string, std::string>>;
PropertyValues extended_properties(Item const& item);
PropertyValues extended_properties(Folder const& folder);

}  // namespace graphsim
