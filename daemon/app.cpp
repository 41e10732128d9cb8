#include "daemon/app.hpp"

#include "config/base/log.hpp"
#include "daemon/control_socket.hpp"
#include "daemon/engine.hpp"
#include "daemon/estimate.hpp"
#include "daemon/metrics.hpp"
#include "daemon/metrics_server.hpp"
#include "daemon/progress.hpp"
#include "daemon/report.hpp"
#include "daemon/report_source.hpp"
#include "daemon/sd_notify.hpp"
#include "daemon/state.hpp"
#include "daemon/text_layout.hpp"

#include <boost/asio/signal_set.hpp>

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>
#include <iostream>

namespace mailferry::daemon {
namespace {

constexpr int exit_some_failed = 1, exit_wrong_config = 2, exit_stopped = 4;

/// Prints every problem. Nothing if one of them stops the start.
std::shared_ptr<Plan const> plan_or_complain(std::filesystem::path const& file) {
    std::vector<config::Problem> problems;
    auto plan = load_plan(file, problems);
    for (auto const& problem : problems) std::cerr << problem.describe() << '\n';
    return plan;
}

int complain(Error const& error) {
    std::cerr << "mailferry: " << error.describe() << '\n';
    return error.code == Errc::invalid_config ? exit_wrong_config : exit_some_failed;
}

awaitable<Result<Report>> read_report(std::shared_ptr<Plan const> plan, store::Ledger& ledger,
                                      bool stopped, Clock const& clock) {
    auto records = co_await read_report_records(plan->config, plan->mappings, ledger);
    if (!records) co_return records.error();
    co_return make_report(*records, stopped, unix_now(clock));
}

/// Calls `on_signal` for each of `numbers` until cancelled.
awaitable<void> watch_signals(asio::signal_set& signals, std::function<void(int)> on_signal) {
    for (;;) {
        boost::system::error_code failure;
        auto const number =
            co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        if (failure) co_return;
        on_signal(number);
    }
}

log::Level log_level(Plan const& plan) {
    return log::level_from(plan.config.daemon.log_level).value_or(log::Level::info);
}

/// Runs one coroutine to its end on an executor of its own and answers its exit status.
int run_to_end(std::function<awaitable<int>(asio::any_io_executor)> task) {
    ::umask(0077);
    asio::io_context context{1};
    int status = exit_some_failed;
    auto const main = [](std::function<awaitable<int>(asio::any_io_executor)> run,
                         asio::any_io_executor executor,
                         int& answer) -> awaitable<void> { answer = co_await run(executor); };
    asio::co_spawn(context, main(std::move(task), context.get_executor(), status),
                   [](std::exception_ptr failure) {
                       if (failure) std::rethrow_exception(failure);
                   });
    context.run();
    return status;
}

awaitable<int> copy(asio::any_io_executor executor, std::shared_ptr<Plan const> plan, bool json) {
    SystemClock const clock;
    auto state = co_await open_state(executor, plan->config);
    if (!state) co_return complain(state.error());
    // The screen belongs to the progress display.
    log::init(log_level(*plan), log::file_sink(plan->config.daemon.state_dir / "copy.log"));
    Engine engine(executor, plan, clock, *state->ledger, *state->spool, {.once = true});
    Progress progress(executor, engine, clock, STDERR_FILENO);
    asio::signal_set signals(executor, SIGINT, SIGTERM);
    TaskGroup tasks(executor);
    tasks.spawn(watch_signals(signals, [&](int) { engine.shutdown(); }));
    tasks.spawn(progress.run());
    auto const ran = co_await engine.run();
    progress.stop();
    signals.cancel();
    co_await tasks.join();
    for (auto const& admin : engine.status().admins)
        if (!admin.waits_for.empty())
            std::cerr << "mailferry: tenant " << admin.tenant << ", admin " << admin.admin << ": "
                      << admin.waits_for << '\n';
    auto const report = co_await read_report(plan, *state->ledger, engine.stopped_early(), clock);
    co_await state->close();
    if (!ran) co_return complain(ran.error());
    if (!report) co_return complain(report.error());
    std::cout << format_report(*report, json ? ReportFormat::json : ReportFormat::text)
              << std::flush;
    co_return engine.stopped_early() ? exit_stopped : report->exit_status;
}

/// A process that works on the same state needs its admins' sessions itself.
std::shared_ptr<Plan const> with_one_session(Plan plan) {
    for (auto& tenant : plan.config.tenants)
        for (auto& admin : tenant.admins) admin.max_sessions = 1;
    return std::make_shared<Plan const>(std::move(plan));
}

awaitable<int> estimate(asio::any_io_executor executor, std::shared_ptr<Plan const> plan,
                        EstimateOptions options) {
    SystemClock const clock;
    log::init(log::Level::error);
    Estimate answer;
    answer.made = unix_now(clock);
    answer.hours = options.hours;
    auto const past = look_at_passes(executor, plan->config.daemon.state_dir);
    if (!past) co_return complain(past.error());
    answer.beside_another = past->in_use;
    if (answer.beside_another) plan = with_one_session(*plan);
    answer.bytes_per_second = options.bytes_per_second;
    if (options.bytes_per_second == 0) {
        answer.bytes_per_second = measured_rate(past->records);
        answer.rate_measured = answer.bytes_per_second > 0;
    }
    bool const terminal = ::isatty(STDERR_FILENO) == 1;
    std::optional<std::uint64_t> shown;
    auto const seen = [&](std::uint64_t done, std::uint64_t all) {
        auto const percent = done * 100 / std::max<std::uint64_t>(all, 1);
        if (std::exchange(shown, percent) == percent) return;
        std::cerr << (terminal ? "\r" : "") << format_count(done) << " of "
                  << format_count(all, "mailbox", "mailboxes") << " looked at"
                  << (terminal && done != all ? "" : "\n") << std::flush;
    };
    Estimator estimator(executor, plan, answer.made, seen);
    asio::signal_set signals(executor, SIGINT, SIGTERM);
    TaskGroup tasks(executor);
    tasks.spawn(watch_signals(signals, [&](int) { estimator.stop(); }));
    auto found = co_await estimator.run();
    signals.cancel();
    co_await tasks.join();
    if (!found) co_return complain(found.error());
    answer.migrations = std::move(*found);
    answer.stopped = estimator.stopped();
    std::cout << (options.json ? estimate_json(answer) : estimate_text(answer)) << std::flush;
    co_return answer.exit_status();
}

awaitable<void> keep_watchdog(asio::any_io_executor executor, EngineControl const& engine,
                              bool const& ended) {
    auto const watchdog = sd::watchdog_interval();
    auto const interval = watchdog.value_or(std::chrono::milliseconds(10'000));
    asio::steady_timer timer(executor);
    for (auto slept = interval; !ended; slept += std::chrono::milliseconds(500)) {
        if (slept >= interval) {
            auto const status = engine.status();
            if (watchdog) sd::notify_watchdog();
            sd::notify_status(status.state + ", " + std::to_string(status.totals.items_stored) +
                              " items stored");
            slept = {};
        }
        timer.expires_after(std::chrono::milliseconds(500));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

/// Everything that serves others while the engine runs.
class Service {
public:
    Service(asio::any_io_executor executor, Engine& engine, State& state, Clock const& clock)
        : engine_(engine),
          api_(engine,
               [&engine, &state, &clock]() -> awaitable<Result<Report>> {
                   co_return co_await read_report(engine.plan(), *state.ledger,
                                                  engine.stopped_early(), clock);
               }),
          signals_(executor, SIGINT, SIGTERM, SIGHUP),
          tasks_(executor),
          executor_(executor) {}

    Result<void> open(config::DaemonSettings const& settings) {
        std::error_code ignored;
        std::filesystem::create_directories(settings.control_socket.parent_path(), ignored);
        auto control = ControlSocket::open(
            executor_, {.path = settings.control_socket},
            [this](ControlRequest request) { return api_.handle(std::move(request)); });
        if (!control) return control.error();
        control_ = std::move(*control);
        if (settings.metrics_listen.empty()) return {};
        auto metrics = MetricsServer::open(executor_, settings.metrics_listen, [this] {
            metrics_.update(engine_.status());
            return metrics_.text();
        });
        if (!metrics) return metrics.error();
        metrics_server_ = std::move(*metrics);
        return {};
    }

    void start() {
        tasks_.spawn(control_->run());
        if (metrics_server_) tasks_.spawn(metrics_server_->run());
        tasks_.spawn(watch_signals(signals_, [this](int number) { on_signal(number); }));
        tasks_.spawn(keep_watchdog(executor_, engine_, ended_));
    }

    awaitable<void> end() {
        ended_ = true;
        control_->stop();
        if (metrics_server_) metrics_server_->stop();
        signals_.cancel();
        co_await tasks_.join();
    }

private:
    void on_signal(int number) {
        if (number != SIGHUP) {
            sd::notify_stopping();
            engine_.shutdown();
            return;
        }
        sd::notify_reloading();
        for (auto const& problem : engine_.reload())
            log::warning("configuration", {{"problem", problem.describe()}});
        sd::notify_ready();
    }

    Engine& engine_;
    ControlApi api_;
    Metrics metrics_;
    asio::signal_set signals_;
    TaskGroup tasks_;
    asio::any_io_executor executor_;
    std::unique_ptr<ControlSocket> control_;
    std::unique_ptr<MetricsServer> metrics_server_;
    bool ended_ = false;
};

awaitable<int> serve(asio::any_io_executor executor, std::shared_ptr<Plan const> plan) {
    SystemClock const clock;
    log::init(log_level(*plan));
    auto state = co_await open_state(executor, plan->config);
    if (!state) co_return complain(state.error());
    Engine engine(executor, plan, clock, *state->ledger, *state->spool, {.once = false});
    int status = 0;
    {
        Service service(executor, engine, *state, clock);
        auto const opened = service.open(plan->config.daemon);
        if (!opened) {
            co_await state->close();
            co_return complain(opened.error());
        }
        service.start();
        sd::notify_ready();
        log::info("ready", {{"state_dir", plan->config.daemon.state_dir.string()},
                            {"control_socket", plan->config.daemon.control_socket.string()}});
        auto const ran = co_await engine.run();
        if (!ran) status = complain(ran.error());
        sd::notify_stopping();
        co_await service.end();
    }
    co_await state->close();
    log::info("stopped");
    co_return status;
}

}  // namespace

int run_copy(CopyOptions options) {
    auto const plan = plan_or_complain(options.config);
    if (!plan) return exit_wrong_config;
    return run_to_end([plan, json = options.json](asio::any_io_executor executor) {
        return copy(executor, plan, json);
    });
}

int run_estimate(EstimateOptions options) {
    auto const plan = plan_or_complain(options.config);
    if (!plan) return exit_wrong_config;
    return run_to_end([plan, options](asio::any_io_executor executor) {
        return estimate(executor, plan, options);
    });
}

int run_daemon(DaemonOptions options) {
    auto const plan = plan_or_complain(options.config);
    if (!plan) return exit_wrong_config;
    if (options.check) {
        std::size_t mailboxes = 0;
        for (auto const& mapping : plan->mappings) mailboxes += mapping.size();
        std::cout << options.config.string() << ": ok, " << plan->config.migrations.size()
                  << " migrations, " << mailboxes << " mailboxes\n";
        return 0;
    }
    return run_to_end([plan](asio::any_io_executor executor) { return serve(executor, plan); });
}

}  // namespace mailferry::daemon
