// What was fetched becomes durable and known to the ledger, so that nobody has to ask the source
// for it again. What the target takes in time needs neither.

#include "daemon/mailbox_run.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

/// So long an item may wait for its turn at the target without being durable: after a crash that
/// much is fetched again, at most.
constexpr std::chrono::seconds spool_patience{2};

}  // namespace

/// An item in memory has some time; one that has to be read back from the disk has none.
void MailboxRun::await_spool(PendingPtr item) {
    if (item->recorded || item->awaits_spool) return;
    item->awaits_spool = true;
    auto const now = services_.clock.steady();
    item->spool_due = item->hot ? now + spool_patience : now;
    if (item->hot)
        unspooled_.push_back(std::move(item));
    else
        unspooled_.push_front(std::move(item));
}

awaitable<void> MailboxRun::spool_side() {
    // The store side hands items back whose connection was lost: it ends first.
    while (!(fetched_ && stored_ && unspooled_.empty())) {
        auto batch = take_due();
        if (batch.empty()) {
            co_await wait_for_due();
            continue;
        }
        auto const spooled = co_await spool(std::move(batch));
        if (!spooled) {
            fail(spooled.error());
            co_return;
        }
    }
}

std::vector<PendingPtr> MailboxRun::take_due() {
    bool const all = stored_ || stopping_;
    auto const now = services_.clock.steady();
    auto const is_due = [&](PendingItem const& item) {
        return all || item.spool_due <= now || item.settled;
    };
    std::vector<PendingPtr> batch;
    auto const before = unspooled_.size();
    while (!unspooled_.empty() && is_due(*unspooled_.front())) {
        auto const item = std::move(unspooled_.front());
        unspooled_.pop_front();
        item->awaits_spool = false;
        // Whatever becomes of one that is being sent, it is told here again if it needs that.
        if (!item->settled && !item->sending) batch.push_back(item);
    }
    if (batch.empty() && unspooled_.size() != before) changed_.notify_all();
    return batch;
}

awaitable<void> MailboxRun::wait_for_due() {
    if (unspooled_.empty()) {
        if (!(fetched_ && stored_)) co_await changed_.wait();
        co_return;
    }
    auto const left = unspooled_.front()->spool_due - services_.clock.steady();
    auto const wait = std::chrono::ceil<std::chrono::milliseconds>(left);
    co_await changed_.wait_for(std::max(wait, std::chrono::milliseconds(1)));
}

/// While one batch is synced and recorded, the next collects.
awaitable<Result<void>> MailboxRun::spool(std::vector<PendingPtr> batch) {
    spooling_ = batch.size();
    for (auto const& item : batch) {
        if (item->durable || item->settled) continue;
        auto const id = static_cast<std::uint64_t>(item->record.id);
        auto const synced = co_await services_.spool.durable(id, item->record.location);
        if (!synced) co_return synced.error();
        item->record.location = *synced;
        item->durable = true;
    }
    std::vector<store::ItemRecord> records;
    for (auto const& item : batch) {
        if (!item->durable || item->recorded || item->sending || item->settled) continue;
        records.push_back(item->record);
        item->recorded = true;
    }
    if (!records.empty()) {
        auto const recorded = co_await services_.ledger.record_spooled(std::move(records));
        if (!recorded) co_return recorded.error();
    }
    for (auto const& item : batch) {
        bool const waits_for_disk = !item->hot && !item->settled && !item->sending;
        if (item->durable && waits_for_disk) enqueue(item);
    }
    spooling_ = 0;
    changed_.notify_all();
    co_return Result<void>{};
}

}  // namespace mailferry::daemon
