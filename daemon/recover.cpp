#include "daemon/claims.hpp"
#include "daemon/mailbox_run.hpp"

#include "config/base/assert.hpp"
#include "config/base/log.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

constexpr int settle_looks_max = 24;

/// A dropped connection doesn't stop a server: what was in its buffers is still carried out. Looks
/// until two looks agree.
awaitable<Result<transport::FolderPosition>> settled_position(asio::any_io_executor executor,
                                                              transport::TargetSession& session,
                                                              transport::Folder folder,
                                                              std::chrono::milliseconds interval) {
    auto last = co_await session.position(folder);
    for (int look = 1; last && look < settle_looks_max; ++look) {
        asio::steady_timer timer(executor, interval);
        co_await timer.async_wait(asio::use_awaitable);
        auto const now = co_await session.position(folder);
        if (!now) co_return now.error();
        if (now->generation == last->generation && now->next == last->next) break;
        last = now;
    }
    co_return last;
}

constexpr std::size_t dates_max = 64;

/// What is sought: from a number on or, where numbers tell nothing, by the dates of few items.
transport::ListRequest request_for(transport::ItemNumber from, bool numbered,
                                   std::set<std::int64_t> const& received) {
    transport::ListRequest request;
    request.from = from;
    if (!numbered && received.size() <= dates_max)
        request.received.assign(received.begin(), received.end());
    return request;
}

/// From where on the folder may hold what the intents sent: 0 if its numbers don't tell.
transport::ItemNumber first_in_doubt(std::vector<store::IntentRecord> const& intents,
                                     transport::FolderPosition const& now) {
    auto first = intents.front().target_next;
    for (auto const& intent : intents) {
        first = std::min(first, intent.target_next);
        if (intent.target_generation != now.generation) return 0;
    }
    return now.next == 0 ? 0 : first;
}

}  // namespace

/// Asks the target what became of every open intent of the mailbox (reliability.md 2.3, step 6).
/// No group may be under way.
awaitable<Result<void>> MailboxRun::recover(transport::TargetSession& session) {
    auto intents = co_await services_.ledger.open_intents(pair_);
    if (!intents) co_return intents.error();
    std::map<store::FolderId, std::vector<store::IntentRecord>> by_folder;
    for (auto& intent : *intents) by_folder[intent.folder].push_back(std::move(intent));
    for (auto& [folder, group] : by_folder) {
        auto* const plan = plan_of(folder);
        MAILFERRY_ASSERT(plan != nullptr);
        std::sort(group.begin(), group.end(),
                  [](auto const& a, auto const& b) { return a.id < b.id; });
        auto const settled = co_await recover_folder(session, *plan, std::move(group));
        if (!settled)
            co_return settled.error().in("recovery of folder " + plan->record.target_path);
    }
    co_return Result<void>{};
}

/// Claims, in sending order, each item of the intents that the target proves to hold. What isn't
/// claimed goes back into the queue, under suspicion: it may turn up yet.
awaitable<Result<void>> MailboxRun::recover_folder(transport::TargetSession& session,
                                                   FolderPlan& plan,
                                                   std::vector<store::IntentRecord> intents) {
    transport::Folder const target{.id = plan.record.target_id, .path = plan.target_path};
    auto const position =
        co_await settled_position(services_.executor, session, target, task_.settle_interval);
    if (!position) co_return position.error();
    auto const from = first_in_doubt(intents, *position);
    std::set<std::int64_t> received;
    for (auto const& intent : intents)
        for (auto const& item : intent.items) received.insert(item.received);
    auto request = request_for(from, position->next != 0, received);
    auto claims = co_await Claims::look(services_.ledger, session, plan, std::move(request),
                                        intents.front().target_generation);
    if (!claims) co_return claims.error();
    for (auto& intent : intents) {
        std::vector<store::StoredRecord> proven;
        for (auto const& item : intent.items) {
            // A newer state is sent again: that it arrived before does no harm.
            if (item.replaces != 0) continue;
            auto const copy = co_await claims->claim(session, item);
            if (!copy) co_return copy.error();
            if (*copy) proven.push_back(stored_record(item, (*copy)->number, (*copy)->name));
        }
        auto const restored = co_await claims->restore_flags(session);
        if (!restored) co_return restored.error();
        auto const closed = co_await close_recovered(plan, std::move(intent), std::move(proven),
                                                     position->generation);
        if (!closed) co_return closed.error();
    }
    if (!suspects_.contains(plan.record.id)) co_return Result<void>{};
    suspects_[plan.record.id] = {.from = from, .seen_next = position->next};
    co_return Result<void>{};
}

awaitable<Result<void>> MailboxRun::close_recovered(FolderPlan& plan, store::IntentRecord intent,
                                                    std::vector<store::StoredRecord> proven,
                                                    std::string generation) {
    log::info("intent settled", {{"mailbox", task_.pair->target},
                                 {"folder", plan.record.target_path},
                                 {"items", intent.items.size()},
                                 {"found", proven.size()}});
    std::set<std::uint64_t> numbers;
    for (auto const& record : proven) numbers.insert(record.number);
    auto const closed = co_await services_.ledger.close_intent(intent.id, std::move(generation),
                                                               std::move(proven), {});
    if (!closed) co_return closed.error();
    ++services_.totals.intents_recovered;
    for (auto const& record : intent.items) {
        bool const is_there = numbers.contains(record.number);
        if (!is_there && record.replaces == 0) suspects_.try_emplace(plan.record.id);
        auto const held = in_doubt_.find(static_cast<std::uint64_t>(record.id));
        if (held == in_doubt_.end()) continue;
        auto const item = held->second;
        in_doubt_.erase(held);
        item->suspect = !is_there;
        bool const readable = item->hot || item->record.location.segment != 0;
        if (is_there)
            settle(item, true);
        else if (readable)
            requeue(item);
        else
            on_their_way_.erase({record.folder, record.number});
    }
    co_return Result<void>{};
}

/// A server that was killed may bring back, when it mends its index, what it didn't show at the
/// first look (Dovecot's sdbox does). Before items under suspicion are sent again and more is there
/// than was seen: those that are found are stored.
awaitable<Result<void>> MailboxRun::look_again(transport::TargetSession& session, FolderPlan& plan,
                                               transport::FolderPosition const& position) {
    auto const suspicion = suspects_.find(plan.record.id);
    if (suspicion == suspects_.end()) co_return Result<void>{};
    auto& queue = waiting_[plan.record.id];
    bool const any = std::any_of(queue.begin(), queue.end(),
                                 [](PendingPtr const& item) { return item->suspect; });
    if (!any) {
        suspects_.erase(suspicion);
        co_return Result<void>{};
    }
    if (position.next != 0 && position.next == suspicion->second.seen_next)
        co_return Result<void>{};
    suspicion->second.seen_next = position.next;
    std::set<std::int64_t> received;
    for (auto const& item : queue)
        if (item->suspect) received.insert(item->record.received);
    auto request = request_for(suspicion->second.from, position.next != 0, received);
    auto claims = co_await Claims::look(services_.ledger, session, plan, std::move(request),
                                        position.generation);
    if (!claims || claims->empty()) co_return claims ? Result<void>{} : claims.error();
    store::IntentRecord intent{.id = services_.ledger.next_group_id(),
                               .folder = plan.record.id,
                               .target_generation = position.generation,
                               .target_next = suspicion->second.from,
                               .opened = unix_now(services_.clock),
                               .items = {}};
    std::vector<store::StoredRecord> proven;
    std::vector<PendingPtr> found;
    std::vector<PendingPtr> const queued(queue.begin(), queue.end());
    for (auto const& item : queued) {
        if (!item->suspect || item->sending) continue;
        auto const copy = co_await claims->claim(session, item->record);
        if (!copy) co_return copy.error();
        if (!*copy) continue;
        item->sending = true;
        intent.items.push_back(item->record);
        if (!item->recorded) intent.items.back().location = {};
        proven.push_back(stored_record(item->record, (*copy)->number, (*copy)->name));
        found.push_back(item);
    }
    if (found.empty()) co_return Result<void>{};
    auto const restored = co_await claims->restore_flags(session);
    if (!restored) co_return restored.error();
    log::warning("the target brought back what it had lost", {{"mailbox", task_.pair->target},
                                                              {"folder", plan.record.target_path},
                                                              {"items", found.size()}});
    auto const id = intent.id;
    auto const opened = co_await services_.ledger.open_intent(std::move(intent));
    if (!opened) co_return opened.error();
    auto const closed =
        co_await services_.ledger.close_intent(id, position.generation, std::move(proven), {});
    if (!closed) co_return closed.error();
    for (auto const& item : found) {
        std::erase(waiting_[plan.record.id], item);
        settle(item, true);
    }
    co_return Result<void>{};
}

}  // namespace mailferry::daemon
