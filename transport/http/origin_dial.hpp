#pragma once

/// From an address to a stream that is ready for requests: directly, or through a proxy.

#include "transport/http/client.hpp"

namespace mailferry::http {

/// Connects as `settings` want it. Errors: those of connect_stream(); unreachable with the proxy's
/// status if it won't connect us, invalid_config if it wants other credentials (status 407).
Dial origin_dial(ClientSettings const& settings);

}  // namespace mailferry::http
