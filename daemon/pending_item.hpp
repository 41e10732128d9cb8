#pragma once

/// One fetched item between source and target: in memory (hot), in the spool (cold), or both.

#include "daemon/budget.hpp"
#include "store/ledger.hpp"
#include "transport/session.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace mailferry::daemon {

struct PendingItem {
    explicit PendingItem(std::size_t& items_waiting) : items_waiting_(items_waiting) {
        ++items_waiting_;
    }
    PendingItem(PendingItem const&) = delete;
    PendingItem& operator=(PendingItem const&) = delete;
    ~PendingItem() { --items_waiting_; }

    store::ItemRecord record;
    std::shared_ptr<std::vector<std::byte> const> hot;  ///< Its bytes, or null: read the spool.
    MemoryBudget::Lease memory;                         ///< For the bytes of `hot`.
    bool durable = false;      ///< Its spool frames have survived fdatasync.
    bool recorded = false;     ///< The ledger knows it as spooled.
    bool awaits_spool = false;  ///< In MailboxRun::unspooled_.
    std::chrono::steady_clock::time_point spool_due{};  ///< To be durable and recorded by then.
    bool sending = false;      ///< In an intent.
    bool settled = false;      ///< Stored or given up: committed.
    bool suspect = false;      ///< Was sent, wasn't found at the target: it may turn up yet.
    bool alone = false;        ///< A group with it lost its connection: send it by itself.
    std::uint32_t losses = 0;  ///< Connections lost while it was sent alone.

private:
    std::size_t& items_waiting_;
};

using PendingPtr = std::shared_ptr<PendingItem>;

/// Reads the item's bytes from memory if they are there, else from the spool. `spool` outlives it.
std::shared_ptr<transport::ItemReader> make_reader(PendingPtr item, store::Spool& spool);

}  // namespace mailferry::daemon
