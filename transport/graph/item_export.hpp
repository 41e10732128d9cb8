#pragma once

/// Reads items: in batches where they are small, one by one where they aren't.

#include "transport/graph/api.hpp"
#include "transport/session.hpp"

#include <string>
#include <vector>

namespace mailferry::graph {

/// How many items go into one request; learned from how the service takes them.
class BatchSize {
public:
    std::size_t items() const { return items_; }
    void halve() { items_ = items_ > 1 ? items_ / 2 : 1, delivered_ = 0; }
    void delivered(std::size_t items);

private:
    std::size_t items_ = 20;  ///< The service's own limit.
    std::size_t delivered_ = 0;
};

/// As SourceSession::fetch(); items without a name can't be asked for and are left out. `batch` and
/// `receiver` outlive the call.
awaitable<Result<void>> export_items(Api& api, std::string mailbox_id,
                                     std::vector<transport::ItemRef> items, BatchSize& batch,
                                     transport::ItemReceiver& receiver);

}  // namespace mailferry::graph
