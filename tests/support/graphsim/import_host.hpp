#pragma once

/// The host behind importUrl: one item per request, checked while it streams in.

#include "tests/support/graphsim/context.hpp"

namespace graphsim {

void identify_import(Context& context);

/// Throws GraphError.
asio::awaitable<Response> answer_import(Context& context);

}  // namespace graphsim
