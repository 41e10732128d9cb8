#pragma once

/// Items out of a seed: the same seed and number give the same item.

#include "tests/support/graphsim/logical_item.hpp"
#include "tests/support/graphsim/random.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graphsim {

/// mail, html, attachment, draft, meeting_request, appointment, recurring, contact, list, task,
/// note
std::vector<std::string_view> item_kinds();

/// The well-known name of the folder in which such items lie.
std::string_view folder_of_kind(std::string_view kind);

struct SeedPlan {
    std::string kind = "mail";
    std::uint64_t seed = 1;
    Time newest{};                       ///< Received dates lie before it,
    Duration span{};                     ///< at most this long.
    std::optional<std::uint64_t> bytes;  ///< Listed size; else by kind and chance.
    std::string owner = "owner@fabrikam.example";
};

LogicalItem seeded_item(SeedPlan const& plan);

/// The item after somebody edited it: other bytes, another size, the same search key.
LogicalItem edited(LogicalItem item, Random& random);

}  // namespace graphsim
