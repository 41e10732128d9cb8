#pragma once

/// Request bodies against the types of Graph's CSDL (MIT, microsoftgraph/msgraph-metadata).

#include "tests/support/graphsim/context.hpp"

#include <string_view>
#include <vector>

namespace graphsim {

struct BodyMember {
    std::string_view name;
    std::string_view type;  ///< Edm.String, Collection(Edm.String), ...
    bool required = false;
    std::string_view other_name = {};  ///< Taken as well.
};

/// The body as a JSON object whose members all are of `members`, each of its type, the required
/// ones present; throws GraphError 400, 413 or 415. Names in the result are those of `name`.
asio::awaitable<json::object> checked_body(Context& context, std::string_view type,
                                           std::vector<BodyMember> const& members);

/// Throws GraphError unless the body is empty or {}.
asio::awaitable<void> expect_no_body(Context& context);

}  // namespace graphsim
