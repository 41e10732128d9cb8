#pragma once

/// The state directory opened: ledger and spool, recovered and consistent with each other.

#include "config/types.hpp"
#include "store/ledger.hpp"
#include "store/spool.hpp"

#include <filesystem>
#include <memory>
#include <vector>

namespace mailferry::daemon {

struct State {
    std::unique_ptr<store::Ledger> ledger;
    std::unique_ptr<store::Spool> spool;
    store::RecoveredSpool recovered;

    /// Seals the spool and checkpoints the ledger.
    awaitable<void> close();
};

/// Makes the directory (0700) if need be. A second process on the same directory is refused. Items
/// whose spool bytes are damaged are set back to be fetched again, and the damage is logged.
awaitable<Result<State>> open_state(asio::any_io_executor executor, config::Config config);

struct PastPasses {
    bool in_use = false;  ///< Another process works on the directory.
    std::vector<store::PassRecord> records;
};

/// What earlier runs noted of their passes, for whoever only looks: no byte of the directory
/// changes. No records before the first run, beside another process, and after a kill. Blocks for
/// the read.
Result<PastPasses> look_at_passes(asio::any_io_executor executor, std::filesystem::path state_dir);

}  // namespace mailferry::daemon
