#include "daemon/mailbox_run.hpp"

#include "config/base/log.hpp"

#include <algorithm>

namespace mailferry::daemon {

MailboxRun::MailboxRun(Services& services, MailboxTask task, MailboxView& view)
    : services_(services), task_(std::move(task)), view_(view), changed_(services.executor) {}

awaitable<MailboxOutcome> MailboxRun::run() {
    auto const loaded = co_await load_ledger();
    if (!loaded) co_return MailboxOutcome{counters_, loaded.error()};
    TaskGroup sides(services_.executor);
    sides.spawn(fetch_side());
    sides.spawn(store_side());
    sides.spawn(spool_side());
    co_await sides.join();
    co_await finish();
    if (failure_) co_return MailboxOutcome{counters_, failure_};
    if (stopping_) co_return MailboxOutcome{counters_, Error{Errc::stopped, {}}};
    if (refetch_) co_return MailboxOutcome{counters_, refetch_};
    co_return MailboxOutcome{counters_, folder_failure_};
}

void MailboxRun::stop() {
    stopping_ = true;
    changed_.notify_all();
}

/// What an earlier run left: spooled items go on from the disk; intents wait for recovery.
awaitable<Result<void>> MailboxRun::load_ledger() {
    auto const pair = co_await services_.ledger.open_pair(task_.migration->name, task_.pair->source,
                                                          task_.pair->target);
    if (!pair) co_return pair.error();
    pair_ = pair->id;
    auto const folders = co_await services_.ledger.folders(pair_);
    if (!folders) co_return folders.error();
    for (auto const& record : *folders) {
        auto plan = std::make_unique<FolderPlan>();
        plan->record = record;
        plan->target_id = record.target_id;
        plan->source.id = record.source_id;
        old_plans_.emplace(record.id, std::move(plan));
    }
    auto const intents = co_await services_.ledger.open_intents(pair_);
    if (!intents) co_return intents.error();
    recovered_ = intents->empty();
    auto live = co_await services_.ledger.live_items(pair_);
    if (!live) co_return live.error();
    for (auto& record : *live) {
        auto item = std::make_shared<PendingItem>(services_.items_waiting);
        item->record = std::move(record);
        item->durable = item->recorded = item->record.location.segment != 0;
        expect_item(item->record.size);
        on_their_way_[{item->record.folder, item->record.number}] = item->record.fingerprint;
        if (item->record.state == store::ItemState::sending)
            in_doubt_.emplace(static_cast<std::uint64_t>(item->record.id), std::move(item));
        else
            enqueue(std::move(item));
    }
    co_return Result<void>{};
}

void MailboxRun::expect_item(std::uint64_t bytes) {
    ++view_.items_planned;
    view_.bytes_planned += bytes;
    ++services_.totals.items_planned;
    services_.totals.bytes_planned += bytes;
}

void MailboxRun::enqueue(PendingPtr item) {
    if (dropped_folders_.contains(item->record.folder)) {
        drop_item(std::move(item));
        return;
    }
    waiting_[item->record.folder].push_back(std::move(item));
    changed_.notify_all();
}

void MailboxRun::fail(Error error) {
    if (!failure_) failure_ = std::move(error);
    changed_.notify_all();
}

FolderPlan* MailboxRun::plan_of(store::FolderId folder) {
    for (auto& plan : plans_)
        if (plan.record.id == folder) return &plan;
    auto const old = old_plans_.find(folder);
    return old == old_plans_.end() ? nullptr : old->second.get();
}

awaitable<Result<void>> MailboxRun::save_record(FolderPlan& plan) {
    plan.record.pair = pair_;
    plan.record.source_id = plan.source.id;
    plan.record.source_path = transport::display(plan.source.path);
    plan.record.target_id = plan.target_id;
    plan.record.target_path = transport::display(plan.target_path);
    auto const saved = co_await services_.ledger.save_folder(plan.record);
    if (!saved) co_return saved.error();
    plan.record.id = *saved;
    co_return Result<void>{};
}

/// Windows are about mail; of calendars, address books and task lists a pass takes all.
transport::Window MailboxRun::window_for(FolderPlan const& plan) const {
    return plan.source.kind == config::ItemKind::mail ? task_.window : transport::Window{};
}

awaitable<void> MailboxRun::record_failed(std::vector<store::ItemRecord> failed) {
    if (failed.empty()) co_return;
    auto const count = failed.size();
    for (auto const& record : failed)
        log::warning("item given up", {{"mailbox", task_.pair->source},
                                       {"item", record.number},
                                       {"reason", record.reason},
                                       {"detail", record.detail}});
    auto const recorded = co_await services_.ledger.record_failed(std::move(failed));
    if (!recorded) {
        fail(recorded.error());
        co_return;
    }
    counters_.failed += count;
    services_.totals.items_failed += count;
}

/// Marks what was scanned to the end and stored as covered, so that the next pass asks for changes
/// only. A folder with items still on their way keeps its old mark and is scanned again.
awaitable<void> MailboxRun::finish() {
    for (auto& plan : plans_) {
        if (!complete_.contains(plan.record.id) || behind_.contains(plan.record.id)) continue;
        auto const waiting = waiting_.find(plan.record.id);
        if (waiting != waiting_.end() && !waiting->second.empty()) continue;
        if (halted()) continue;
        plan.record.covered = true;
        auto const window = window_for(plan);
        plan.record.covered_since = window.since;
        plan.record.covered_before = window.before;
        auto const saved = co_await save_record(plan);
        if (!saved) fail(saved.error());
    }
    if (!dropped_items_.empty()) {
        counters_.waiting += dropped_items_.size();
        auto const forgotten = co_await services_.ledger.forget_spooled(dropped_items_);
        if (!forgotten) fail(forgotten.error());
    }
    for (auto const& [folder, items] : waiting_) counters_.waiting += items.size();
    counters_.waiting += in_doubt_.size();
    counters_.seen = counters_.stored + counters_.unchanged + counters_.left_out + counters_.gone +
                     counters_.failed + counters_.waiting;
    view_.counters = counters_;
}

}  // namespace mailferry::daemon
