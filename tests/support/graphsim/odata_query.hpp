#pragma once

/// OData's query options as a route allows them; everything else is refused with 400.

#include "tests/support/graphsim/extended_property.hpp"
#include "tests/support/graphsim/odata_filter.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graphsim {

struct QueryRules {
    std::string_view type;                     ///< microsoft.graph.mailboxItem
    std::vector<std::string_view> properties;  ///< Of $select, $filter and $orderby.
    std::vector<std::string_view> options;     ///< Allowed: "$select", ...
    bool extended_filter = false;
    std::uint64_t top_max = 1000;
};

struct ODataQuery {
    std::map<std::string, std::string> given;  ///< As asked, decoded.
    std::vector<std::string> select;           ///< Empty: all.
    std::vector<std::string> expand;           ///< Normalised ids of extended properties.
    Filter filter;                             ///< May be empty.
    std::string order_property;                ///< Empty: as they come.
    bool descending = false;
    bool count = false;
    std::optional<std::uint64_t> top;
    std::uint64_t skip = 0;

    /// Leaves the selected properties; id and @odata members stay.
    void select_from(boost::json::object& object) const;
    /// Adds the expanded properties that are there.
    void expand_into(boost::json::object& object, PropertyValues const& values) const;
};

/// Throws GraphError 400.
ODataQuery parse_query(std::string_view query, QueryRules const& rules);

}  // namespace graphsim
