#include "daemon/content_reader.hpp"
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

}  // namespace

/// Asks the target what became of every open intent of the mailbox (reliability.md 2.3, step 6).
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

/// Claims, in sending order, each item of the intents that the target proves to hold; a copy at the
/// target is claimed once. What isn't claimed goes back into the queue.
awaitable<Result<void>> MailboxRun::recover_folder(transport::TargetSession& session,
                                                   FolderPlan& plan,
                                                   std::vector<store::IntentRecord> intents) {
    transport::Folder const target{.id = plan.record.target_id, .path = plan.target_path};
    auto const position =
        co_await settled_position(services_.executor, session, target, task_.settle_interval);
    if (!position) co_return position.error();
    bool const same = position->generation == intents.front().target_generation;
    auto from = same ? intents.front().target_next : 1;
    for (auto const& intent : intents) from = std::min(from, same ? intent.target_next : 1);

    std::set<transport::ItemNumber> claimed;
    auto const stored = co_await services_.ledger.stored(plan.record.id, 0, UINT64_MAX);
    if (!stored) co_return stored.error();
    if (same)
        for (auto const& record : *stored) claimed.insert(record.target_number);
    std::vector<transport::ItemMeta> found;
    if (position->next > from) {
        auto const listed = co_await session.list(target, from, [&](transport::FoundItem item) {
            if (item.meta.number >= from && !claimed.contains(item.meta.number))
                found.push_back(std::move(item.meta));
        });
        if (!listed) co_return listed.error();
    }
    std::map<transport::ItemNumber, ItemIdentity> read_back;
    for (auto& intent : intents) {
        std::vector<store::StoredRecord> proven;
        for (auto const& item : intent.items) {
            for (auto const& candidate : found) {
                if (claimed.contains(candidate.number)) continue;
                auto identity = read_back.find(candidate.number);
                if (identity == read_back.end()) {
                    ContentReader reader;
                    auto const read = co_await session.read_back(target, candidate.number, reader);
                    if (!read) co_return read.error();
                    if (reader.seen.empty()) continue;
                    identity =
                        read_back.emplace(candidate.number, reader.seen.begin()->second.identity)
                            .first;
                }
                if (identity->second.canonical != item.digest) continue;
                claimed.insert(candidate.number);
                proven.push_back({.number = item.number,
                                  .target_number = candidate.number,
                                  .fingerprint = item.fingerprint,
                                  .received = item.received,
                                  .size = item.size,
                                  .flags = item.flags});
                break;
            }
        }
        std::set<std::uint64_t> proven_numbers;
        for (auto const& record : proven) proven_numbers.insert(record.number);
        log::info("intent settled", {{"mailbox", task_.pair->target},
                                     {"folder", plan.record.target_path},
                                     {"items", intent.items.size()},
                                     {"found", proven.size()}});
        auto const closed = co_await services_.ledger.close_intent(intent.id, position->generation,
                                                                   std::move(proven), {});
        if (!closed) co_return closed.error();
        ++services_.totals.intents_recovered;
        for (auto const& record : intent.items) {
            auto const held = in_doubt_.find(static_cast<std::uint64_t>(record.id));
            if (held == in_doubt_.end()) continue;
            auto const item = held->second;
            in_doubt_.erase(held);
            bool const readable = item->hot || item->record.location.segment != 0;
            if (proven_numbers.contains(record.number))
                settle(item, true);
            else if (readable)
                requeue(item);
        }
    }
    co_return Result<void>{};
}

}  // namespace mailferry::daemon
