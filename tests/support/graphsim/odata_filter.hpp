#pragma once

/// The part of OData's $filter that Graph's documents show for mailbox folders and items.

#include "tests/support/graphsim/extended_property.hpp"

#include <boost/json.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace graphsim {

/// What a filter can ask of a folder or an item.
struct FilterRow {
    std::function<boost::json::value(std::string_view)> property;
    std::function<PropertyValues()> extended;
};

using Filter = std::function<bool(FilterRow const&)>;

/// Throws GraphError 400 for what can't be parsed, and for properties outside `properties`;
/// filters on extended properties only if `extended` allows them.
Filter parse_filter(std::string_view text, std::vector<std::string_view> const& properties,
                    bool extended);

}  // namespace graphsim
