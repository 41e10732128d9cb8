#pragma once

/// Stores a group of items, several at a time. Storing isn't repeatable: whether an item whose
/// answer was lost is there has to be looked up (brief, 2.6). A newer state of an item is: it goes
/// over the state that is there, whichever that is.

#include "transport/graph/api.hpp"
#include "transport/graph/import_session.hpp"
#include "transport/session.hpp"

#include <string>
#include <vector>

namespace mailferry::graph {

/// As TargetSession::store(). `sessions` outlives the call. An item that is refused with a code
/// that isn't its own (connection_lost, throttled, …) isn't there and may be sent again. Cancelled,
/// it cuts the session and waits for what is under way.
awaitable<Result<transport::StoreResult>> import_items(Api& api, ImportSessions& sessions,
                                                       std::string mailbox_id,
                                                       std::string folder_id,
                                                       std::vector<transport::StoreItem> items,
                                                       transport::BeforeCommit before_commit);

}  // namespace mailferry::graph
