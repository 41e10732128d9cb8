#include "daemon/mailbox_run.hpp"

#include "config/base/log.hpp"
#include "daemon/store_group.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

constexpr std::size_t group_items_max = 64;
constexpr std::uint64_t group_bytes_max = 8 << 20;
constexpr std::size_t groups_in_flight = 4;
constexpr std::uint32_t losses_max = 3;  ///< Connections that one item may cost.
constexpr int sessions_without_answer_max = 20;
constexpr std::chrono::milliseconds pause_after_refusal{1'000};
constexpr int name_attempts_max = 20;

bool is_items_own(Error const& refusal) {
    return disposition_of(refusal.code) == Disposition::skip_item;
}

}  // namespace

/// Feeds the target over one session after the other, until all that was fetched is stored.
awaitable<void> MailboxRun::store_side() {
    TargetPool::Lease lease;
    int fruitless = 0;
    while (!halted()) {
        if (targets_ready_) drop_stranded();
        if (!store_work_left()) {
            if (fetched_ && unspooled_.empty() && spooling_ == 0) break;
            co_await changed_.wait();
            continue;
        }
        if (!lease) {
            auto acquired = co_await task_.target->acquire(task_.target_login);
            if (!acquired) {
                fail(acquired.error().in("target"));
                break;
            }
            lease = std::move(*acquired);
        }
        auto const sends_before = sends_;
        auto const worked = co_await store_on(*lease);
        co_await groups_.join();
        if (worked) continue;
        lease.release();
        positions_.clear();
        fruitless = sends_ != sends_before ? 0 : fruitless + 1;
        auto const disposition = disposition_of(worked.error().code);
        bool const again =
            disposition == Disposition::retry_now || disposition == Disposition::retry_later;
        if (!again || fruitless > sessions_without_answer_max)
            fail(worked.error().in("target"));
        else if (disposition == Disposition::retry_later)
            co_await changed_.wait_for(worked.error().retry_after.value_or(pause_after_refusal));
    }
    stored_ = true;
    changed_.notify_all();
}

bool MailboxRun::store_work_left() const {
    bool const folders = planned_ && !targets_ready_;
    bool const flags = fetched_ && !flag_updates_.empty();
    return next_folder() || !recovered_ || doubt_ || folders || flags;
}

/// Works on one session until there is nothing to do for it or it is lost.
awaitable<Result<void>> MailboxRun::store_on(transport::TargetSession& session) {
    session_error_.reset();
    if (!recovered_ || doubt_) {
        auto const settled = co_await recover(session);
        if (!settled) co_return settled.error();
        recovered_ = true;
        doubt_ = false;
        changed_.notify_all();
    }
    while (!halted() && !session_error_) {
        if (planned_ && !targets_ready_) {
            co_await groups_.join();
            auto const prepared = co_await prepare_targets(session);
            if (!prepared) co_return prepared.error();
        }
        auto const folder = next_folder();
        if (!folder) {
            if (groups_.running() > 0) {
                co_await groups_.wait_below(groups_.running());
                continue;
            }
            if (fetched_ && !flag_updates_.empty()) {
                auto const applied = co_await apply_flags(session);
                if (!applied) co_return applied.error();
            }
            break;
        }
        auto* const plan = plan_of(*folder);
        if (!positions_.contains(*folder)) {
            co_await groups_.join();
            if (session_error_) break;
            transport::Folder target{.id = plan->target_id, .path = plan->target_path};
            auto const position = co_await session.position(std::move(target));
            if (!position && disposition_of(position.error().code) == Disposition::skip_folder) {
                drop_folder(*plan, position.error().in("target"));
                continue;
            }
            if (!position) co_return position.error();
            positions_[*folder] = *position;
        }
        co_await groups_.wait_below(groups_in_flight);
        if (session_error_ || halted()) break;
        auto items = take_group(*folder);
        if (!items.empty()) groups_.spawn(send_group(session, *plan, std::move(items)));
    }
    co_await groups_.join();
    if (session_error_) co_return *session_error_;
    co_return Result<void>{};
}

awaitable<Result<void>> MailboxRun::prepare_targets(transport::TargetSession& session) {
    bool const all_known = std::all_of(plans_.begin(), plans_.end(), [](FolderPlan const& plan) {
        return !plan.target_id.empty();
    });
    if (!all_known) {
        auto const existing = co_await session.folders();
        if (!existing) co_return existing.error();
        plan_targets(plans_, *existing);
        for (auto& plan : plans_) {
            if (!plan.target_id.empty()) continue;
            auto const prepared = co_await prepare_target(session, plan);
            if (!prepared) co_return prepared.error();
        }
    }
    targets_ready_ = true;
    changed_.notify_all();
    co_return Result<void>{};
}

awaitable<Result<void>> MailboxRun::prepare_target(transport::TargetSession& session,
                                                   FolderPlan& plan) {
    auto const taken = [&](std::string const& id) {
        return std::any_of(plans_.begin(), plans_.end(),
                           [&](FolderPlan const& other) { return other.target_id == id; });
    };
    transport::Folder wanted{
        .id = {}, .path = plan.target_path, .kind = plan.source.kind, .role = plan.source.role};
    auto created = co_await session.create_folder(wanted);
    // The target's rules may make two names one: the later folder gets a suffix.
    for (int copy = 2; created && taken(created->id) && copy <= name_attempts_max; ++copy) {
        wanted.path.back() = plan.target_path.back() + " (" + std::to_string(copy) + ")";
        created = co_await session.create_folder(wanted);
    }
    if (!created) {
        bool const folder_only = disposition_of(created.error().code) == Disposition::skip_folder ||
                                 disposition_of(created.error().code) == Disposition::skip_item;
        if (!folder_only) co_return created.error();
        drop_folder(plan,
                    created.error().in("target folder " + transport::display(plan.target_path)));
        co_return Result<void>{};
    }
    if (created->path != plan.target_path)
        log::info("folder renamed by the target's rules",
                  {{"mailbox", task_.pair->target},
                   {"wanted", transport::display(plan.target_path)},
                   {"made", transport::display(created->path)}});
    plan.target_path = created->path;
    plan.target_id = created->id;
    if (plan.source.subscribed && !created->subscribed) {
        auto const subscribed = co_await session.subscribe(*created, true);
        if (!subscribed) {
            auto const disposition = disposition_of(subscribed.error().code);
            bool const again =
                disposition == Disposition::retry_now || disposition == Disposition::retry_later;
            if (again) co_return subscribed.error();
            log::warning("not subscribed", {{"mailbox", task_.pair->target},
                                            {"folder", transport::display(created->path)},
                                            {"reason", subscribed.error().describe()}});
        }
    }
    co_return co_await save_record(plan);
}

std::optional<store::FolderId> MailboxRun::next_folder() const {
    for (auto const& [folder, items] : waiting_) {
        if (items.empty()) continue;
        auto const* const plan = const_cast<MailboxRun*>(this)->plan_of(folder);
        if (plan != nullptr && !plan->target_id.empty()) return folder;
    }
    return std::nullopt;
}

std::vector<PendingPtr> MailboxRun::take_group(store::FolderId folder) {
    auto& queue = waiting_[folder];
    std::vector<PendingPtr> group;
    std::uint64_t bytes = 0;
    while (!queue.empty() && group.size() < group_items_max) {
        auto const& item = queue.front();
        bool const fits = bytes + item->record.size <= group_bytes_max && !item->alone;
        if (!group.empty() && (!fits || group.front()->alone)) break;
        bytes += item->record.size;
        item->sending = true;
        group.push_back(item);
        queue.pop_front();
    }
    return group;
}

/// Sends one group and deals with whatever came of it; halves it if the target won't say which item
/// it refuses.
awaitable<void> MailboxRun::send_group(transport::TargetSession& session, FolderPlan& plan,
                                       std::vector<PendingPtr> items) {
    Group group;
    group.items = std::move(items);
    if (session_error_ || halted()) {
        for (auto& item : group.items) requeue(std::move(item));
        co_return;
    }
    auto result = co_await send_intent(session, plan, group);
    if (!result) {
        co_await take_failure(plan, group, result.error());
        co_return;
    }
    ++sends_;
    if (!result->group_refused || group.items.size() == 1) {
        co_await take_answer(plan, group, std::move(*result));
        co_return;
    }
    auto const closed =
        co_await services_.ledger.close_intent(group.intent, result->generation, {}, {});
    if (!closed) {
        fail(closed.error());
        co_return;
    }
    auto const middle = group.items.begin() + static_cast<std::ptrdiff_t>(group.items.size() / 2);
    std::vector<PendingPtr> first_half(group.items.begin(), middle);
    std::vector<PendingPtr> second_half(middle, group.items.end());
    co_await send_group(session, plan, std::move(first_half));
    co_await send_group(session, plan, std::move(second_half));
}

/// The intent becomes durable while the bytes travel; the last octet waits for it.
awaitable<Result<transport::StoreResult>> MailboxRun::send_intent(transport::TargetSession& session,
                                                                  FolderPlan& plan, Group& group) {
    auto const& position = positions_[plan.record.id];
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
                            .reader = make_reader(item, services_.spool)});
    }
    IntentGate gate(services_.executor);
    TaskGroup opening(services_.executor);
    opening.spawn(gate.open(services_.ledger, std::move(intent)));
    ++services_.totals.store_groups;
    transport::Folder target{.id = plan.target_id, .path = plan.target_path};
    auto result = co_await session.store(std::move(target), std::move(requests),
                                         [&gate] { return gate.wait(); });
    co_await opening.join();
    if (gate.failure()) fail(*gate.failure());
    co_return result;
}

awaitable<void> MailboxRun::take_answer(FolderPlan& plan, Group& group,
                                        transport::StoreResult result) {
    std::vector<store::StoredRecord> stored;
    std::vector<store::ItemRecord> failed;
    for (std::size_t i = 0; i < group.items.size(); ++i) {
        auto const& item = group.items[i];
        auto const& answer = result.items[i];
        if (answer.refused) {
            if (is_items_own(*answer.refused))
                failed.push_back(co_await give_up(item, *answer.refused));
            else if (!session_error_)
                session_error_ =
                    *answer.refused;  // Full, or throttled: nothing wrong with the item.
            continue;
        }
        stored.push_back({.number = item->record.number,
                          .target_number = answer.number,
                          .fingerprint = item->record.fingerprint,
                          .received = item->record.received,
                          .size = item->record.size,
                          .flags = item->record.flags});
        auto& next = positions_[plan.record.id].next;
        next = std::max(next, answer.number + 1);
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
awaitable<void> MailboxRun::take_failure(FolderPlan& plan, Group& group, Error error) {
    auto const disposition = disposition_of(error.code);
    if (error.code == Errc::doubtful) {
        doubt_ = true;
        for (auto& item : group.items)
            in_doubt_.emplace(static_cast<std::uint64_t>(item->record.id), item);
        if (!session_error_) session_error_ = error;
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
    } else if (!session_error_) {
        session_error_ =
            error.code == Errc::corrupt ? Error{Errc::connection_lost, error.context} : error;
    }
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

/// Committed: the spool may forget the bytes.
void MailboxRun::settle(PendingPtr const& item, bool stored) {
    item->settled = true;
    item->sending = false;
    item->hot.reset();
    item->memory = {};
    if (item->record.location.segment != 0) services_.spool.release(item->record.location);
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
    // Its row went with the intent: what lies in the spool has to be told again.
    if (item->durable && !item->recorded) unspooled_.push_back(item);
    waiting_[item->record.folder].push_front(std::move(item));
    changed_.notify_all();
}

/// The folder can't be copied now: its items are forgotten here and fetched again another time.
void MailboxRun::drop_folder(FolderPlan& plan, Error error) {
    log::error("folder left out", {{"mailbox", task_.pair->source},
                                   {"folder", transport::display(plan.source.path)},
                                   {"reason", error.describe()}});
    if (!folder_failure_) folder_failure_ = std::move(error);
    plan.target_id.clear();
    complete_.erase(plan.record.id);
    dropped_folders_.insert(plan.record.id);
    drop_stranded();
    changed_.notify_all();
}

/// Items without a way to the target leave the queue and the spool.
void MailboxRun::drop_stranded() {
    for (auto& [folder, items] : waiting_) {
        auto const* const plan = plan_of(folder);
        if (items.empty() || (plan != nullptr && !plan->target_id.empty())) continue;
        for (auto& item : std::exchange(items, {})) drop_item(std::move(item));
    }
}

void MailboxRun::drop_item(PendingPtr item) {
    item->settled = true;
    item->hot.reset();
    item->memory = {};
    if (item->record.location.segment != 0) services_.spool.release(item->record.location);
    dropped_items_.push_back(item->record.id);
}

awaitable<Result<void>> MailboxRun::apply_flags(transport::TargetSession& session) {
    while (!flag_updates_.empty() && !halted()) {
        auto& update = flag_updates_.back();
        auto* const plan = plan_of(update.folder);
        std::map<FlagChange, std::vector<transport::ItemNumber>> by_change;
        std::vector<store::StoredRecord> carried;
        for (auto& [record, now] : update.items) {
            if (record.target_number == 0) continue;
            by_change[flag_change(record.flags, now)].push_back(record.target_number);
            record.flags = now;
            carried.push_back(record);
        }
        transport::Folder const target{.id = plan->target_id, .path = plan->target_path};
        for (auto const& [change, numbers] : by_change) {
            auto const changed =
                co_await session.change_flags(target, numbers, change.add, change.remove);
            if (!changed) co_return changed.error();
        }
        counters_.flags_changed += carried.size();
        auto const noted =
            co_await services_.ledger.update_flags(update.folder, std::move(carried));
        if (!noted) co_return noted.error();
        flag_updates_.pop_back();
    }
    co_return Result<void>{};
}

}  // namespace mailferry::daemon
