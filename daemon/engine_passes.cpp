// How the engine runs the passes of a migration, mailbox by mailbox.

#include "config/base/log.hpp"
#include "daemon/connectors.hpp"
#include "daemon/engine.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

constexpr int mailbox_attempts_max = 5;
constexpr std::size_t sample_mailboxes = 3;
constexpr std::chrono::seconds sample_patience{20};

bool worth_another_run(Error const& error) {
    auto const disposition = disposition_of(error.code);
    bool const endpoint = error.code == Errc::unreachable || error.code == Errc::timed_out;
    if (error.code == Errc::corrupt) return true;  // The source still has what the spool lost.
    return !endpoint && error.code != Errc::folder_replaced &&
           (disposition == Disposition::retry_now || disposition == Disposition::retry_later);
}

}  // namespace

awaitable<void> Engine::run_migration(MigrationSlot& migration) {
    while (!stopping_ && !next_plan_ && !gave_up_) {
        if (migration.queue.empty()) {
            if (options_.once) break;
            co_await changed_.wait();
            continue;
        }
        auto& pass = *migration.queue.front();
        if (auto const right = co_await settle_sample(migration); !right) {
            // Nothing is written before somebody has had a look.
            if (options_.once) {
                failure_ = right.error();
                shutdown();
                break;
            }
            for (auto* const waiting : migration.queue) waiting->state = store::PassState::paused;
            migration.queue.clear();
            continue;
        }
        migration.queue.pop_front();
        ++passes_running_;
        co_await run_pass(migration, pass);
        --passes_running_;
        changed_.notify_all();
    }
}

awaitable<void> Engine::run_pass(MigrationSlot& migration, PassSlot& pass) {
    pass.state = store::PassState::running;
    pass.started = unix_now(services_.clock);
    pass.ended = 0;
    pass.asked.reset();
    log::info("pass begins", {{"migration", migration.migration->name},
                              {"pass", pass.pass->name},
                              {"mailboxes", pass.rows.size()}});
    auto const window = window_of(*pass.pass, pass.started);
    pass.next = 0;
    pass.later.clear();
    auto const worker = [&]() -> awaitable<void> {
        while (!stopping_ && !pass.asked && !gave_up_) {
            auto const index = next_mailbox(pass);
            if (index)
                co_await run_mailbox(migration, pass, *index, window);
            else if (pass.later.empty())
                break;
            else
                co_await changed_.wait_for(std::chrono::milliseconds(500));
        }
    };
    // Some mailboxes fetch while others wait for the target: more at once than sessions of a side.
    auto const lanes = std::min<std::size_t>(
        pass.rows.size(), sources_.find(migration.migration->source)->second->sessions_max() +
                              targets_.find(migration.migration->target)->second->sessions_max());
    TaskGroup workers(executor_);
    for (std::size_t i = 0; i < lanes; ++i) workers.spawn(worker());
    co_await workers.join();
    auto const failed = std::count_if(pass.views.begin(), pass.views.end(), [](auto const& view) {
        return view.state == store::PassState::failed;
    });
    pass.ended = unix_now(services_.clock);
    pass.resumes = pass.asked.has_value() || stopping_;
    if (pass.asked)
        pass.state = *pass.asked;
    else if (stopping_)
        pass.state = store::PassState::waiting;
    else
        pass.state = failed > 0 ? store::PassState::failed : store::PassState::done;
    log::info("pass ends", {{"migration", migration.migration->name},
                            {"pass", pass.pass->name},
                            {"state", store::to_string(pass.state)},
                            {"mailboxes_failed", failed}});
}

/// The next of the mapping, or one that has waited long enough; nothing at present.
std::optional<std::size_t> Engine::next_mailbox(PassSlot& pass) const {
    while (pass.next < pass.rows.size()) {
        auto const index = pass.next++;
        if (!pass.resumes || pass.views[index].state != store::PassState::done) return index;
    }
    if (pass.later.empty() || pass.later.front().first > std::chrono::steady_clock::now())
        return std::nullopt;
    auto const index = pass.later.front().second;
    pass.later.pop_front();
    return index;
}

awaitable<void> Engine::look_at_sides(MigrationSlot& migration, std::vector<MailboxLogins> sample,
                                      std::shared_ptr<std::optional<Result<void>>> answer) {
    auto& source = *sources_.find(migration.migration->source)->second;
    auto& target = *targets_.find(migration.migration->target)->second;
    *answer = co_await check_sample(source, target, std::move(sample),
                                    migration.migration->allow_fuller_target);
    changed_.notify_all();
}

/// Before a migration's first pass ever: whether its target isn't rather the source, and what its
/// mailboxes lack.
awaitable<Result<void>> Engine::settle_sample(MigrationSlot& migration) {
    if (!std::exchange(migration.is_new, false)) co_return Result<void>{};
    std::vector<MailboxLogins> sample;
    for (auto const& pair : *migration.mapping) {
        if (sample.size() == sample_mailboxes) break;
        auto const from = login_for(*migration.source, pair.source, pair.source_password_file);
        auto const to = login_for(*migration.target, pair.target, pair.target_password_file);
        if (from && to) sample.push_back({*from, *to});
    }
    // A server that stands still must not hold back what the other side can do meanwhile.
    auto const answer = std::make_shared<std::optional<Result<void>>>();
    looks_.spawn(look_at_sides(migration, std::move(sample), answer));
    auto const until = std::chrono::steady_clock::now() + sample_patience;
    while (!*answer && !stopping_ && std::chrono::steady_clock::now() < until)
        co_await changed_.wait_for(std::chrono::milliseconds(100));
    auto const checked = answer->value_or(Result<void>{});
    if (checked) {
        migration.trouble.clear();
        co_return checked;
    }
    migration.is_new = true;
    auto error = checked.error().in("migration=" + migration.migration->name);
    migration.trouble = error.describe();
    log::error("migration held back", {{"reason", migration.trouble}});
    co_return error;
}

awaitable<void> Engine::run_mailbox(MigrationSlot& migration, PassSlot& pass, std::size_t index,
                                    transport::Window window) {
    auto& view = pass.views[index];
    store::PassRecord record;
    record.pass = pass.pass->name;
    record.started = unix_now(services_.clock);
    view.state = store::PassState::running;
    view.error.clear();
    auto const outcome = co_await attempt_mailbox(migration, pass, index, window);
    bool const full = outcome.error && !options_.once &&
                      disposition_of(outcome.error->code) == Disposition::pause_mailbox;
    bool const interrupted = outcome.error && outcome.error->code == Errc::stopped;
    view.state = !outcome.error ? store::PassState::done
                 : interrupted  ? pass.asked.value_or(store::PassState::waiting)
                 : full         ? store::PassState::waiting
                                : store::PassState::failed;
    view.counters = outcome.counters;
    view.error = outcome.error && !interrupted ? outcome.error->describe() : std::string();
    view.folder.clear();
    if (full) {
        auto const interval = plan_->config.daemon.quota_interval;
        view.error += "; looks again every " + std::to_string(interval.count() / 1000) + " s";
        pass.later.emplace_back(std::chrono::steady_clock::now() + interval, index);
    }
    record.state = view.state;
    record.counters = view.counters;
    record.error = view.error;
    record.ended = unix_now(services_.clock);
    totals_.items_unchanged += outcome.counters.unchanged;
    auto const pair =
        co_await services_.ledger.open_pair(migration.migration->name, view.source, view.target);
    if (pair) {
        record.pair = pair->id;
        auto const saved = co_await services_.ledger.save_pass(record);
        if (!saved) view.error = saved.error().describe();
    }
    log::info("mailbox ends", {{"pass", pass.pass->name},
                               {"mailbox", view.source},
                               {"state", store::to_string(view.state)},
                               {"stored", view.counters.stored},
                               {"unchanged", view.counters.unchanged},
                               {"failed", view.counters.failed},
                               {"error", view.error}});
}

/// A run that ends for a passing reason is begun again; the ledger knows where it was.
awaitable<MailboxOutcome> Engine::attempt_mailbox(MigrationSlot& migration, PassSlot& pass,
                                                  std::size_t index, transport::Window window) {
    auto const& pair = (*migration.mapping)[pass.rows[index]];
    auto source_login = login_for(*migration.source, pair.source, pair.source_password_file);
    if (!source_login) co_return MailboxOutcome{{}, source_login.error()};
    auto target_login = login_for(*migration.target, pair.target, pair.target_password_file);
    if (!target_login) co_return MailboxOutcome{{}, target_login.error()};
    store::PassCounters carried;
    for (int attempt = 1;; ++attempt) {
        MailboxTask task{.migration = migration.migration,
                         .pass = pass.pass,
                         .pair = &pair,
                         .window = window,
                         .source = sources_.find(migration.migration->source)->second.get(),
                         .target = targets_.find(migration.migration->target)->second.get(),
                         .source_login = *source_login,
                         .target_login = *target_login,
                         .settle_interval = options_.settle_interval};
        MailboxRun run(services_, std::move(task), pass.views[index]);
        pass.running.insert(&run);
        auto outcome = co_await run.run();
        pass.running.erase(&run);
        // What an earlier attempt stored shows as unchanged to this one.
        outcome.counters.unchanged -= std::min(outcome.counters.unchanged, carried.stored);
        outcome.counters.stored += carried.stored;
        outcome.counters.bytes_stored += carried.bytes_stored;
        carried.stored = outcome.counters.stored;
        carried.bytes_stored = outcome.counters.bytes_stored;
        bool const again = outcome.error && worth_another_run(*outcome.error) &&
                           attempt < mailbox_attempts_max && !stopping_ && !pass.asked && !gave_up_;
        if (!again) co_return outcome;
        log::warning("mailbox goes on after a fault", {{"mailbox", pair.source},
                                                       {"attempt", attempt},
                                                       {"reason", outcome.error->describe()}});
        co_await changed_.wait_for(std::chrono::milliseconds(500) * attempt);
    }
}

}  // namespace mailferry::daemon
