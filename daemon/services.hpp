#pragma once

/// What every mailbox run shares. Owned by the engine; outlives all runs.

#include "async/asio.hpp"
#include "config/base/clock.hpp"
#include "daemon/budget.hpp"
#include "daemon/engine_view.hpp"
#include "store/ledger.hpp"
#include "store/spool.hpp"

#include <filesystem>

namespace mailferry::daemon {

struct Services {
    asio::any_io_executor executor;
    Clock const& clock;
    store::Ledger& ledger;
    store::Spool& spool;
    MemoryBudget& memory;
    Totals& totals;
    std::size_t& items_waiting;        ///< Fetched and not yet settled, of all mailboxes.
    std::filesystem::path quarantine;  ///< Folder for the bytes of items that were given up.
};

inline std::int64_t unix_now(Clock const& clock) {
    return std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
}

}  // namespace mailferry::daemon
