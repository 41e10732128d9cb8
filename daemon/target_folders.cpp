// The target's folders: made or found before the first item goes there, or dropped with a reason.

#include "config/base/log.hpp"
#include "daemon/mailbox_run.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

constexpr int name_attempts_max = 20;

}  // namespace

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
    transport::Folder wanted{.id = {},
                             .path = plan.target_path,
                             .kind = plan.source.kind,
                             .role = plan.source.role,
                             .native_class = plan.source.native_class};
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
    plan.target_id = created->id;
    co_return co_await save_record(plan);
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

}  // namespace mailferry::daemon
