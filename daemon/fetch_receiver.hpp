#pragma once

/// Takes items off the wire of one fetch and puts them into spool and queue.

#include "daemon/item_digest.hpp"
#include "daemon/mailbox_run.hpp"

#include <set>

namespace mailferry::daemon {

/// Memory: one item at a time; its bytes are kept (hot) only if it is small and the budget has
/// room. An item whose transfer breaks off is abandoned in the spool; nothing of it is remembered.
class FetchReceiver final : public transport::ItemReceiver {
public:
    /// `wanted` outlives it.
    FetchReceiver(MailboxRun& run, FolderPlan& plan, std::vector<transport::ItemRef> const& wanted);
    ~FetchReceiver() override;

    awaitable<Result<void>> begin(std::uint64_t bytes_max) override;
    awaitable<Result<void>> piece(std::span<std::byte const> bytes) override;
    awaitable<Result<void>> end(transport::ItemMeta meta) override;
    void failed(transport::ItemNumber number, Error error) override;

    /// What was asked for and not delivered (yet).
    std::set<transport::ItemNumber> const& missing() const { return missing_; }
    std::vector<store::ItemRecord> take_failed() { return std::move(failed_); }

private:
    void abandon();
    void mark_newer(store::ItemRecord& record) const;

    MailboxRun& run_;
    FolderPlan& plan_;
    std::vector<transport::ItemRef> const& wanted_;
    std::set<transport::ItemNumber> missing_;
    std::vector<store::ItemRecord> failed_;
    std::uint64_t bytes_ = 0;  ///< Of the item being received, so far.
    // The item being received
    PendingPtr item_;
    std::unique_ptr<store::ItemWriter> writer_;
    std::shared_ptr<std::vector<std::byte>> hot_;
    std::optional<Error> unspoolable_;  ///< Larger than the spool can ever hold: bytes are dropped.
    ItemDigest digest_;
};

}  // namespace mailferry::daemon
