// The engine's face: what it shows and what it can be told.

#include "config/check.hpp"
#include "daemon/engine.hpp"

#include <algorithm>

namespace mailferry::daemon {

EngineStatus Engine::status() const {
    EngineStatus status;
    status.state = ended_                ? "stopped"
                   : stopping_           ? "stopping"
                   : passes_running_ > 0 ? "running"
                                         : "idle";
    status.since = since_;
    status.now = services_.clock.now();
    status.totals = totals_;
    status.totals.memory_used = memory_.used();
    status.totals.memory_max = memory_.bytes_max();
    status.spool = services_.spool.usage();
    for (auto const& [name, pool] : sources_) {
        pool->describe(status.admins);
        status.totals.reconnects += pool->reconnects();
        status.totals.throttled += pool->throttled();
        if (!pool->trouble().empty())
            status.warnings.push_back("source " + name + ": " + pool->trouble());
    }
    for (auto const& [name, pool] : targets_) {
        pool->describe(status.admins);
        status.totals.reconnects += pool->reconnects();
        status.totals.throttled += pool->throttled();
        if (!pool->trouble().empty())
            status.warnings.push_back("target " + name + ": " + pool->trouble());
    }
    if (status.spool.disk_full)
        status.warnings.push_back("disk full: no room for a new spool segment; fetching waits");
    if (status.spool.read_only)
        status.warnings.push_back("spool is read-only after write errors; deliveries drain");
    for (auto const& migration : migrations_)
        if (!migration->trouble.empty()) status.warnings.push_back(migration->trouble);
    for (auto const& migration : migrations_)
        for (auto const& pass : migration->passes) status.passes.push_back(view_of(*pass));
    return status;
}

PassView Engine::view_of(PassSlot const& pass) const {
    PassView view{.migration = pass.migration->name,
                  .pass = pass.pass->name,
                  .state = pass.state,
                  .mailboxes = pass.rows.size()};
    view.started = pass.started;
    view.ended = pass.ended;
    for (auto const& mailbox : pass.views) {
        view.mailboxes_done += mailbox.state == store::PassState::done;
        view.mailboxes_failed += mailbox.state == store::PassState::failed;
        view.mailboxes_running += mailbox.state == store::PassState::running;
        view.counters += mailbox.counters;
    }
    return view;
}

std::vector<MailboxView> Engine::mailboxes(std::optional<store::PassState> state,
                                           std::size_t offset, std::size_t limit) const {
    std::vector<MailboxView> page;
    for (auto const& migration : migrations_) {
        for (auto const& pass : migration->passes) {
            for (auto const& view : pass->views) {
                if (state && view.state != *state) continue;
                if (offset > 0) {
                    --offset;
                    continue;
                }
                if (page.size() >= limit) return page;
                page.push_back(view);
            }
        }
    }
    return page;
}

std::vector<MailboxView> Engine::mailbox(std::string_view address) const {
    std::vector<MailboxView> found;
    for (auto const& migration : migrations_)
        for (auto const& pass : migration->passes)
            for (auto const& view : pass->views)
                if (view.source == address || view.target == address) found.push_back(view);
    return found;
}

Result<void> Engine::command(PassCommand command, std::string_view name) {
    bool found = false;
    for (auto& migration : migrations_) {
        for (auto& pass : migration->passes) {
            if (pass->pass->name != name) continue;
            found = true;
            auto& queue = migration->queue;
            auto const queued = std::find(queue.begin(), queue.end(), pass.get());
            bool const running = pass->state == store::PassState::running;
            switch (command) {
            case PassCommand::start:
            case PassCommand::resume:
                if (running || queued != queue.end()) break;
                if (command == PassCommand::resume && pass->state != store::PassState::paused)
                    return Error{Errc::invalid_config,
                                 "pass " + std::string(name) + " is not paused; use start"};
                pass->resumes = pass->state == store::PassState::paused ||
                                pass->state == store::PassState::cancelled;
                pass->state = store::PassState::waiting;
                queue.push_back(pass.get());
                break;
            case PassCommand::pause:
            case PassCommand::cancel:
                auto const wanted = command == PassCommand::pause ? store::PassState::paused
                                                                  : store::PassState::cancelled;
                if (queued != queue.end()) queue.erase(queued);
                if (running) {
                    pass->asked = wanted;
                    for (auto* const run : pass->running) run->stop();
                } else if (pass->state != store::PassState::done) {
                    pass->state = wanted;
                }
                break;
            }
        }
    }
    if (!found) {
        std::string known;
        for (auto const& migration : migrations_)
            for (auto const& pass : migration->passes)
                known.append(known.empty() ? "" : ", ").append(pass->pass->name);
        return Error{Errc::invalid_config,
                     "no pass is called " + std::string(name) + "; there are: " + known};
    }
    changed_.notify_all();
    return {};
}

awaitable<Result<std::vector<store::FailedItem>>> Engine::failed_items(std::size_t limit) {
    co_return co_await services_.ledger.failed_items({}, limit);
}

awaitable<Result<std::uint64_t>> Engine::retry_failed() {
    for (auto& [name, pool] : sources_) pool->unpark();
    for (auto& [name, pool] : targets_) pool->unpark();
    auto const count = co_await services_.ledger.retry_failed({});
    if (!count) co_return count.error();
    for (auto& migration : migrations_) {
        for (auto& pass : migration->passes) {
            bool const queued = std::find(migration->queue.begin(), migration->queue.end(),
                                          pass.get()) != migration->queue.end();
            bool const ended = pass->state == store::PassState::failed ||
                               (pass->state == store::PassState::done && *count > 0);
            if (!ended || queued) continue;
            pass->resumes = false;
            pass->state = store::PassState::waiting;
            migration->queue.push_back(pass.get());
        }
    }
    changed_.notify_all();
    co_return *count;
}

/// Parked admins get another chance at once; the new configuration is taken up as soon as no pass
/// runs. The daemon's own places (state_dir, sockets) are those of the start.
std::vector<config::Problem> Engine::reload() {
    std::vector<config::Problem> problems;
    if (auto plan = load_plan(plan_->config.file, problems)) next_plan_ = std::move(plan);
    for (auto& [name, pool] : sources_) pool->unpark();
    for (auto& [name, pool] : targets_) pool->unpark();
    changed_.notify_all();
    return problems;
}

std::shared_ptr<Plan const> load_plan(std::filesystem::path const& file,
                                      std::vector<config::Problem>& problems) {
    auto checked = config::check_config(file);
    problems = checked.problems;
    if (!checked.usable()) return nullptr;
    auto plan = std::make_shared<Plan>();
    plan->config = std::move(checked.config);
    for (auto const& migration : plan->config.migrations)
        plan->mappings.push_back(std::move(checked.pairs[migration.name]));
    return plan;
}

}  // namespace mailferry::daemon
