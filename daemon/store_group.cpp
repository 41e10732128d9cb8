// A group of items on its way into one target folder: its intent, its answer, and what follows.

#include "daemon/store_group.hpp"

#include "config/base/log.hpp"
#include "daemon/claims.hpp"
#include "daemon/store_lane.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

constexpr std::uint32_t losses_max = 3;  ///< Connections that one item may cost.

bool is_items_own(Error const& refusal) {
    return disposition_of(refusal.code) == Disposition::skip_item;
}

}  // namespace

/// Sends one group and deals with whatever came of it; halves it if the target won't say which item
/// it refuses.
awaitable<void> MailboxRun::send_group(Lane& lane, FolderPlan& plan,
                                       std::vector<PendingPtr> items) {
    Group group;
    group.items = std::move(items);
    if (lane.over() || halted()) {
        for (auto& item : group.items) requeue(std::move(item));
        co_return;
    }
    ++groups_under_way_;
    auto result = co_await send_intent(lane, plan, group);
    --groups_under_way_;
    if (!result) {
        co_await take_failure(lane, plan, group, result.error());
        co_return;
    }
    ++sends_;
    if (!result->group_refused || group.items.size() == 1) {
        co_await take_answer(lane, plan, group, std::move(*result));
        co_return;
    }
    auto const closed =
        co_await services_.ledger.close_intent(group.intent, result->generation, {}, {});
    if (!closed) {
        fail(closed.error());
        co_return;
    }
    auto const& refusal = *result->items.front().refused;
    if (!is_items_own(refusal) && refusal.code != Errc::over_quota) {
        // The server's trouble, not an item's. What it may hold already is looked for first.
        for (auto& item : group.items) {
            item->alone = !item->suspect;
            requeue(std::move(item));
        }
        lane.end(refusal);
        co_return;
    }
    auto const middle = group.items.begin() + static_cast<std::ptrdiff_t>(group.items.size() / 2);
    std::vector<PendingPtr> first_half(group.items.begin(), middle);
    std::vector<PendingPtr> second_half(middle, group.items.end());
    co_await send_group(lane, plan, std::move(first_half));
    co_await send_group(lane, plan, std::move(second_half));
}

/// The intent becomes durable while the bytes travel; the last octet waits for it.
awaitable<Result<transport::StoreResult>> MailboxRun::send_intent(Lane& lane, FolderPlan& plan,
                                                                  Group& group) {
    auto const earlier = co_await earlier_names(plan, group);
    if (!earlier) co_return earlier.error();
    auto const& position = lane.positions[plan.record.id];
    group.intent = services_.ledger.next_group_id();
    store::IntentRecord intent{.id = group.intent,
                               .folder = plan.record.id,
                               .target_generation = position.generation,
                               .target_next = position.next,
                               .opened = unix_now(services_.clock),
                               .items = {}};
    std::vector<transport::StoreItem> requests;
    for (auto const& item : group.items) {
        item->record.attempts += 1;
        intent.items.push_back(item->record);
        if (!item->recorded) intent.items.back().location = {};
        requests.push_back({.received = {item->record.received, item->record.zone_minutes},
                            .flags = item->record.flags,
                            .reader = make_reader(item, services_.spool),
                            .replaces = earlier->at(requests.size())});
    }
    IntentGate gate(services_.executor);
    TaskGroup opening(services_.executor);
    opening.spawn(gate.open(services_.ledger, std::move(intent)));
    ++services_.totals.store_groups;
    transport::Folder target{.id = plan.target_id, .path = plan.target_path};
    auto result = co_await lane.session.store(std::move(target), std::move(requests),
                                              [&gate] { return gate.wait(); });
    co_await opening.join();
    if (gate.failure()) fail(*gate.failure());
    co_return result;
}

awaitable<void> MailboxRun::take_answer(Lane& lane, FolderPlan& plan, Group& group,
                                        transport::StoreResult result) {
    auto const doubtful = std::find_if(result.items.begin(), result.items.end(), [](auto& item) {
        return item.refused && item.refused->code == Errc::doubtful;
    });
    if (doubtful != result.items.end()) {
        // Recovery finds out about the whole group at once.
        co_await take_failure(lane, plan, group, *doubtful->refused);
        co_return;
    }
    std::vector<store::StoredRecord> stored;
    std::vector<store::ItemRecord> failed;
    for (std::size_t i = 0; i < group.items.size(); ++i) {
        auto const& item = group.items[i];
        auto const& answer = result.items[i];
        if (answer.refused) {
            if (is_items_own(*answer.refused))
                failed.push_back(co_await give_up(item, *answer.refused));
            else
                lane.end(*answer.refused);  // Full, or throttled: nothing wrong with the item.
            continue;
        }
        stored.push_back(stored_record(item->record, answer.number, answer.name));
        auto& next = lane.positions[plan.record.id].next;
        if (next != 0) next = std::max(next, answer.number + 1);
    }
    auto const refused = failed.size();
    auto const closed = co_await services_.ledger.close_intent(
        group.intent, result.generation, std::move(stored), std::move(failed));
    if (!closed) {
        fail(closed.error());
        co_return;
    }
    counters_.failed += refused;
    services_.totals.items_failed += refused;
    for (std::size_t i = 0; i < group.items.size(); ++i) {
        auto const& refused_because = result.items[i].refused;
        if (refused_because && !is_items_own(*refused_because))
            requeue(group.items[i]);
        else
            settle(group.items[i], !refused_because);
    }
}

/// Nothing of the group is at the target, or nobody knows.
awaitable<void> MailboxRun::take_failure(Lane& lane, FolderPlan& plan, Group& group, Error error) {
    auto const disposition = disposition_of(error.code);
    if (error.code == Errc::doubtful) {
        doubt_ = true;
        for (auto& item : group.items)
            in_doubt_.emplace(static_cast<std::uint64_t>(item->record.id), item);
        lane.end(std::move(error));
        changed_.notify_all();
        co_return;
    }
    bool const lost = disposition == Disposition::retry_now;
    std::vector<store::ItemRecord> failed;
    for (auto const& item : group.items) {
        if (lost && item->alone && ++item->losses >= losses_max)
            failed.push_back(
                co_await give_up(item, error.in("each of " + std::to_string(losses_max) +
                                                " connections was lost while this item was sent")));
        if (lost) item->alone = true;
    }
    auto const given_up = failed.size();
    auto const closed =
        co_await services_.ledger.close_intent(group.intent, {}, {}, std::move(failed));
    if (!closed) {
        fail(closed.error());
        co_return;
    }
    counters_.failed += given_up;
    services_.totals.items_failed += given_up;
    for (auto& item : group.items) {
        if (item->losses >= losses_max) {
            settle(item, false);
        } else if (error.code == Errc::corrupt && !item->hot) {
            // The spool lost it; the source still has it.
            drop_item(item);
            complete_.erase(plan.record.id);
            refetch_ = error;
        } else {
            requeue(item);
        }
    }
    if (disposition == Disposition::skip_folder) {
        drop_folder(plan, error.in("target folder " + transport::display(plan.target_path)));
    } else {
        lane.end(error.code == Errc::corrupt ? Error{Errc::connection_lost, error.context} : error);
    }
}

/// The names of the copies that the group's items replace, in order; "" for what is new. An item
/// whose copy has no name any more is stored anew.
awaitable<Result<std::vector<std::string>>> MailboxRun::earlier_names(FolderPlan const& plan,
                                                                      Group const& group) {
    std::vector<std::string> names(group.items.size());
    std::vector<std::uint64_t> numbers;
    for (auto const& item : group.items)
        if (item->record.replaces != 0) numbers.push_back(item->record.replaces);
    if (numbers.empty()) co_return names;
    auto const found = co_await services_.ledger.target_names(plan.record.id, std::move(numbers));
    if (!found) co_return found.error();
    auto next = found->begin();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (group.items[i]->record.replaces != 0) names[i] = *next++;
    co_return names;
}

/// The record of an item that the target won't have, its bytes exported for people.
awaitable<store::ItemRecord> MailboxRun::give_up(PendingPtr item, Error reason) {
    auto record = item->record;
    record.state = store::ItemState::failed;
    record.reason = std::string(to_string(reason.code));
    record.detail = reason.describe();
    record.location = {};
    auto const exported =
        co_await export_item(services_.quarantine, static_cast<std::uint64_t>(record.id),
                             make_reader(item, services_.spool));
    if (exported)
        record.exported = *exported;
    else
        record.detail += "; not exported: " + exported.error().describe();
    log::warning("item refused", {{"mailbox", task_.pair->target},
                                  {"item", record.number},
                                  {"detail", record.detail},
                                  {"exported", record.exported}});
    co_return record;
}

/// Nobody needs the item's bytes any more, in memory or in the spool.
void MailboxRun::forget_bytes(PendingItem& item) {
    item.settled = true;
    item.sending = false;
    item.hot.reset();
    item.memory = {};
    if (item.record.location.segment != 0)
        services_.spool.release(static_cast<std::uint64_t>(item.record.id), item.record.location);
    on_their_way_.erase({item.record.folder, item.record.number});
}

/// Its fate is committed in the ledger.
void MailboxRun::settle(PendingPtr const& item, bool stored) {
    forget_bytes(*item);
    auto const bytes = item->record.size;
    ++view_.items_done;
    view_.bytes_done += bytes;
    if (stored) {
        ++counters_.stored;
        counters_.bytes_stored += bytes;
        ++services_.totals.items_stored;
        services_.totals.bytes_stored += bytes;
    }
    view_.counters = counters_;
    changed_.notify_all();
}

void MailboxRun::requeue(PendingPtr item) {
    item->sending = false;
    await_spool(item);
    waiting_[item->record.folder].push_front(std::move(item));
    changed_.notify_all();
}

void MailboxRun::drop_item(PendingPtr item) {
    forget_bytes(*item);
    dropped_items_.push_back(item->record.id);
}

}  // namespace mailferry::daemon
