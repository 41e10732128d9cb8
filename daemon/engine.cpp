#include "daemon/engine.hpp"

#include "config/base/log.hpp"
#include "daemon/connectors.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

constexpr auto grace = std::chrono::seconds(5);

bool ended(store::PassState state) {
    return state == store::PassState::done || state == store::PassState::failed;
}

}  // namespace

Engine::Engine(asio::any_io_executor executor, std::shared_ptr<Plan const> plan, Clock const& clock,
               store::Ledger& ledger, store::Spool& spool, EngineOptions options)
    : executor_(executor),
      plan_(std::move(plan)),
      options_(options),
      memory_(executor, clock, plan_->config.daemon.memory_max.value / 2),
      services_{executor, clock,   ledger,         spool,
                memory_,  totals_, items_waiting_, plan_->config.daemon.state_dir / "quarantine"},
      since_(clock.now()),
      changed_(executor),
      side_tasks_(executor),
      looks_(executor) {}

Engine::~Engine() = default;

/// Pools and pass slots from the configuration.
Result<void> Engine::build() {
    migrations_.clear();
    sources_.clear();
    targets_.clear();
    auto const& config = plan_->config;
    for (std::size_t i = 0; i < config.migrations.size(); ++i) {
        auto const& migration = config.migrations[i];
        auto slot = std::make_unique<MigrationSlot>();
        slot->migration = &migration;
        slot->mapping = &plan_->mappings[i];
        slot->source = config.tenant(migration.source);
        slot->target = config.tenant(migration.target);
        if (auto& pool = sources_[migration.source]; !pool) {
            auto made = make_source_pool(executor_, *slot->source, options_.pools);
            if (!made) return made.error();
            pool = std::move(*made);
        }
        if (auto& pool = targets_[migration.target]; !pool) {
            auto made = make_target_pool(executor_, *slot->target, options_.pools);
            if (!made) return made.error();
            pool = std::move(*made);
        }
        for (auto const& pass : migration.passes) {
            auto pass_slot = std::make_unique<PassSlot>();
            pass_slot->migration = &migration;
            pass_slot->pass = &pass;
            count_rows(*pass_slot, *slot->mapping);
            slot->passes.push_back(std::move(pass_slot));
        }
        migrations_.push_back(std::move(slot));
    }
    return {};
}

void Engine::count_rows(PassSlot& pass, std::vector<config::MailboxPair> const& mapping) {
    for (std::size_t row = 0; row < mapping.size(); ++row) {
        auto const& pair = mapping[row];
        if (!covers(*pass.pass, pair)) continue;
        pass.rows.push_back(row);
        pass.views.push_back({.migration = pass.migration->name,
                              .pass = pass.pass->name,
                              .source = pair.source,
                              .target = pair.target,
                              .wave = pair.wave});
    }
}

/// What earlier runs reached. Without `once`, passes that are done stay done until somebody starts
/// them again; one that was interrupted goes on where it was.
awaitable<Result<void>> Engine::load_passes(MigrationSlot& migration) {
    auto const records = co_await services_.ledger.passes(migration.migration->name);
    if (!records) co_return records.error();
    migration.is_new = records->empty();
    std::map<std::pair<store::PairId, std::string_view>, store::PassRecord const*> by_mailbox;
    for (auto const& record : *records) by_mailbox[{record.pair, record.pass}] = &record;
    for (auto& pass : migration.passes) {
        bool all_ended = !pass->rows.empty();
        for (auto& view : pass->views) {
            auto const pair = co_await services_.ledger.open_pair(migration.migration->name,
                                                                  view.source, view.target);
            if (!pair) {
                view.state = store::PassState::failed;
                view.error = pair.error().describe();
                continue;
            }
            auto const found = by_mailbox.find({pair->id, pass->pass->name});
            if (found == by_mailbox.end() || options_.once) {
                all_ended = false;
                continue;
            }
            auto const& record = *found->second;
            view.state = record.state;
            view.counters = record.counters;
            view.error = record.error;
            all_ended = all_ended && ended(record.state);
        }
        pass->resumes = true;
        bool const any_failed = std::any_of(
            pass->views.begin(), pass->views.end(),
            [](MailboxView const& view) { return view.state == store::PassState::failed; });
        if (all_ended)
            pass->state = any_failed ? store::PassState::failed : store::PassState::done;
        else
            migration.queue.push_back(pass.get());
    }
    co_return Result<void>{};
}

awaitable<Result<void>> Engine::run() {
    if (options_.once) {
        auto const again = co_await services_.ledger.retry_failed({});
        if (!again) co_return again.error();
        side_tasks_.spawn(watch_disk());
    }
    auto ran = co_await run_plan();
    while (ran && next_plan_ && !stopping_) {
        plan_ = std::exchange(next_plan_, nullptr);
        ran = co_await run_plan();
    }
    ended_ = true;
    changed_.notify_all();
    co_await side_tasks_.join();
    if (ran && failure_) co_return *failure_;
    co_return ran;
}

void Engine::stop_pools() {
    for (auto& [name, pool] : sources_) pool->stop();
    for (auto& [name, pool] : targets_) pool->stop();
}

/// Until every pass of the present configuration is done (`once`), another configuration waits, or
/// shutdown.
awaitable<Result<void>> Engine::run_plan() {
    auto const built = build();
    if (!built) co_return built.error();
    for (auto& migration : migrations_) {
        auto const loaded = co_await load_passes(*migration);
        if (!loaded) co_return loaded.error();
    }
    TaskGroup runs(executor_);
    for (auto& migration : migrations_) runs.spawn(run_migration(*migration));
    co_await runs.join();
    stop_pools();
    co_await looks_.join();
    co_return Result<void>{};
}

/// Nobody may come to make room while `copy` waits: after some time without a segment it ends and
/// says why. The next call goes on.
awaitable<void> Engine::watch_disk() {
    auto const look = std::chrono::milliseconds(500);
    std::chrono::milliseconds full_for{};
    while (!ended_ && !stopping_) {
        co_await changed_.wait_for(look);
        full_for = services_.spool.usage().disk_full ? full_for + look : look * 0;
        if (full_for < options_.disk_full_patience) continue;
        gave_up_ = true;
        for (auto& migration : migrations_)
            for (auto& pass : migration->passes)
                for (auto* const run : pass->running)
                    run->abandon(Error{
                        Errc::disk_full,
                        "no room for the spool in " + plan_->config.daemon.state_dir.string()});
        co_await services_.spool.close();
        co_return;
    }
}

/// Time for groups under way to get their answers; then the connections are cut.
awaitable<void> Engine::grace_period() {
    auto const deadline = std::chrono::steady_clock::now() + grace;
    while (!ended_ && std::chrono::steady_clock::now() < deadline)
        co_await changed_.wait_for(std::chrono::milliseconds(200));
    if (ended_) co_return;
    for (auto& [name, pool] : sources_) pool->cut_all();
    for (auto& [name, pool] : targets_) pool->cut_all();
    // A fetch that waits for room in a full spool would wait for ever.
    co_await services_.spool.close();
}

void Engine::shutdown() {
    if (std::exchange(stopping_, true)) return;
    stopped_early_ = !ended_ && passes_running_ > 0;
    stop_pools();
    for (auto& migration : migrations_)
        for (auto& pass : migration->passes)
            for (auto* const run : pass->running) run->stop();
    side_tasks_.spawn(grace_period());
    changed_.notify_all();
}

}  // namespace mailferry::daemon
