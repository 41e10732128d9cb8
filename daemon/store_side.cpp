#include "config/base/log.hpp"
#include "daemon/mailbox_run.hpp"
#include "daemon/store_lane.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

constexpr std::size_t group_items_max = 64;
constexpr std::uint64_t helper_call_sends = 4;  ///< So many groups between two calls.
constexpr std::size_t items_for_a_helper = 4 * group_items_max;  ///< Waiting, per session more.
constexpr std::uint64_t bytes_for_a_helper = 32 << 20;
/// So long without an answer to any group.
constexpr std::chrono::milliseconds stands_still{1'000};
constexpr int sessions_without_answer_max = 20;
constexpr std::chrono::milliseconds pause_after_refusal{1'000};

}  // namespace

/// Feeds the target over one session after the other, with more beside it while much waits, until
/// all that was fetched is stored.
awaitable<void> MailboxRun::store_side() {
    TargetPool::Lease lease;
    TaskGroup helpers(services_.executor);
    int fruitless = 0;
    while (!halted()) {
        if (targets_ready_) drop_stranded();
        if (!store_work_left()) {
            if (fetched_ && unspooled_.empty() && spooling_ == 0 && helpers.running() == 0) break;
            if (lease || !store_work_is_sure()) {
                co_await changed_.wait();
                continue;
            }
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
        auto const worked = co_await store_on(*lease, helpers);
        if (worked) continue;
        auto const disposition = disposition_of(worked.error().code);
        if (disposition == Disposition::pause_mailbox)
            lease.discard();
        else
            lease.release();
        fruitless = sends_ != sends_before ? 0 : fruitless + 1;
        bool const again =
            disposition == Disposition::retry_now || disposition == Disposition::retry_later;
        if (!again || fruitless > sessions_without_answer_max)
            fail(worked.error().in("target"));
        else if (disposition == Disposition::retry_later)
            co_await changed_.wait_for(worked.error().retry_after.value_or(pause_after_refusal));
    }
    co_await helpers.join();
    stored_ = true;
    changed_.notify_all();
}

bool MailboxRun::store_work_left() const {
    bool const folders = planned_ && !targets_ready_;
    bool const flags = fetched_ && !flag_updates_.empty();
    return next_folder() || !recovered_ || doubt_ || folders || flags;
}

/// Of a mailbox that was never looked at before something will come: its target is opened while the
/// source is still listed. All others may turn out unchanged, and then cost the target nothing.
bool MailboxRun::store_work_is_sure() const {
    return source_open_ && !planned_ && old_plans_.empty();
}

/// Works on one session until there is nothing to do for it, it is lost, or an answer is in doubt.
awaitable<Result<void>> MailboxRun::store_on(transport::TargetSession& session,
                                             TaskGroup& helpers) {
    if (!recovered_ || doubt_) {
        co_await helpers.join();
        auto const settled = co_await recover(session);
        if (!settled) co_return settled.error();
        recovered_ = true;
        doubt_ = false;
        changed_.notify_all();
    }
    Lane lane(services_.executor, session);
    if (planned_ && !targets_ready_) {
        auto const prepared = co_await prepare_targets(session);
        if (!prepared) co_return prepared.error();
    }
    auto const fed = co_await feed(lane, &helpers);
    co_await lane.groups.join();
    if (lane.error) co_return *lane.error;
    if (!fed) co_return fed.error();
    bool const flags_next = fetched_ && !flag_updates_.empty() && !doubt_ && !halted();
    if (!flags_next || next_folder()) co_return Result<void>{};
    co_return co_await apply_flags(session);
}

/// Sends group after group until nothing waits or the lane has to end.
awaitable<Result<void>> MailboxRun::feed(Lane& lane, TaskGroup* helpers) {
    bool const is_helper = helpers == nullptr;
    while (!halted() && !lane.over() && !doubt_) {
        // Under suspicion one session does it all: it has to see the folder as it is.
        if (is_helper && !suspects_.empty()) break;
        if (!is_helper && planned_ && !targets_ready_) break;
        auto const folder = next_folder();
        if (!folder) {
            if (lane.groups.running() == 0) break;
            co_await lane.groups.wait_below(lane.groups.running());
            continue;
        }
        auto* const plan = plan_of(*folder);
        if (!lane.positions.contains(*folder)) {
            co_await lane.groups.join();
            if (lane.over() || doubt_) break;
            auto const begun = co_await begin_folder(lane, *plan);
            if (!begun) co_return begun.error();
            continue;
        }
        if (!is_helper) call_helper(*helpers, false);
        for (;;) {
            bool const room = co_await lane.groups.wait_below(lane.groups_max, stands_still);
            if (room) break;
            bool const others_may = lane.limited && !is_helper && !lane.over();
            if (others_may && !halted() && !doubt_) call_helper(*helpers, true);
        }
        if (lane.over() || halted() || doubt_) break;
        auto items = take_group(*folder, lane.group_bytes_max);
        if (!items.empty()) lane.groups.spawn(send_group(lane, *plan, std::move(items)));
    }
    co_return Result<void>{};
}

/// Where the folder's next items will land. A folder that can't be opened is dropped.
awaitable<Result<void>> MailboxRun::begin_folder(Lane& lane, FolderPlan& plan) {
    transport::Folder target{.id = plan.target_id, .path = plan.target_path};
    auto const position = co_await lane.session.position(std::move(target));
    if (!position && disposition_of(position.error().code) == Disposition::skip_folder) {
        drop_folder(plan, position.error().in("target"));
        co_return Result<void>{};
    }
    if (!position) co_return position.error();
    auto const looked = co_await look_again(lane.session, plan, *position);
    if (!looked) co_return looked.error();
    lane.positions[plan.record.id] = *position;
    co_return Result<void>{};
}

/// One more session for a mailbox in which much waits, or whose session is held back by a limit of
/// its admin (`stuck`), if the pool has one to spare.
void MailboxRun::call_helper(TaskGroup& helpers, bool stuck) {
    if (!suspects_.empty() || (!stuck && sends_ < next_helper_call_)) return;
    auto const sessions = helpers.running() + 1;
    std::size_t items = 0;
    for (auto const& [folder, queue] : waiting_) items += queue.size();
    bool much = items >= items_for_a_helper * sessions || (stuck && items > 0);
    std::uint64_t bytes = 0;
    // So few items are soon summed up.
    for (auto queue = waiting_.begin(); !much && queue != waiting_.end(); ++queue) {
        for (auto const& item : queue->second) bytes += item->record.size;
        much = bytes >= bytes_for_a_helper * sessions;
    }
    if (!much) return;
    next_helper_call_ = sends_ + helper_call_sends;
    helpers.spawn(help_to_store());
}

awaitable<void> MailboxRun::help_to_store() {
    auto lease = co_await task_.target->acquire_spare(task_.target_login);
    if (!lease) co_return;
    Lane lane(services_.executor, *lease);
    // Its trouble is the session's: the main lane goes on with what it leaves.
    (void)co_await feed(lane, nullptr);
    co_await lane.groups.join();
    changed_.notify_all();
}

std::optional<store::FolderId> MailboxRun::next_folder() const {
    for (auto const& [folder, items] : waiting_) {
        if (items.empty()) continue;
        auto const* const plan = const_cast<MailboxRun*>(this)->plan_of(folder);
        if (plan != nullptr && !plan->target_id.empty()) return folder;
    }
    return std::nullopt;
}

std::vector<PendingPtr> MailboxRun::take_group(store::FolderId folder, std::uint64_t bytes_max) {
    auto& queue = waiting_[folder];
    std::vector<PendingPtr> group;
    std::uint64_t bytes = 0;
    while (!queue.empty() && group.size() < group_items_max) {
        auto const& item = queue.front();
        bool const fits = bytes + item->record.size <= bytes_max && !item->alone;
        if (!group.empty() && (!fits || group.front()->alone)) break;
        bytes += item->record.size;
        item->sending = true;
        group.push_back(item);
        queue.pop_front();
    }
    return group;
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
