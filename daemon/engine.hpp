#pragma once

/// Runs passes: one queue of passes per migration, many mailboxes at once within each. Owns pools
/// and views; borrows ledger and spool. Runs on one executor.

#include "daemon/engine_view.hpp"
#include "daemon/mailbox_run.hpp"
#include "daemon/sample_check.hpp"

#include <deque>
#include <memory>
#include <set>

namespace mailferry::daemon {

/// A configuration that was found valid, with its mappings.
struct Plan {
    config::Config config;
    std::vector<std::vector<config::MailboxPair>> mappings;  ///< One per migration, same order.
};

struct EngineOptions {
    bool once = false;  ///< `copy`: run every pass again, then end.
    PoolOptions pools = {};
    std::chrono::milliseconds settle_interval{5'000};
    /// With `once`: how long a full disk may stand in the way of everything.
    std::chrono::seconds disk_full_patience{20};
};

class Engine final : public EngineControl {
public:
    Engine(asio::any_io_executor executor, std::shared_ptr<Plan const> plan, Clock const& clock,
           store::Ledger& ledger, store::Spool& spool, EngineOptions options);
    ~Engine() override;

    /// Ends when every pass is done (`once`) or after shutdown(). Must be awaited to its end.
    awaitable<Result<void>> run();

    EngineStatus status() const override;
    std::vector<MailboxView> mailboxes(std::optional<store::PassState> state, std::size_t offset,
                                       std::size_t limit) const override;
    std::vector<MailboxView> mailbox(std::string_view address) const override;
    Result<void> command(PassCommand command, std::string_view pass) override;
    awaitable<Result<std::vector<store::FailedItem>>> failed_items(std::size_t limit) override;
    awaitable<Result<std::uint64_t>> retry_failed() override;
    std::vector<config::Problem> reload() override;
    void shutdown() override;

    std::shared_ptr<Plan const> plan() const { return plan_; }
    bool stopped_early() const { return stopped_early_; }

private:
    /// One pass of one migration, its mailboxes in the order of the mapping.
    struct PassSlot {
        config::Migration const* migration = nullptr;
        config::Pass const* pass = nullptr;
        store::PassState state = store::PassState::waiting;
        std::vector<std::size_t> rows;   ///< Of the mapping.
        std::vector<MailboxView> views;  ///< One per row.
        std::set<MailboxRun*> running;
        std::optional<store::PassState> asked;  ///< paused or cancelled, while it runs.
        std::int64_t started = 0, ended = 0;
        std::size_t next = 0;  ///< Of `rows`.
        /// Mailboxes whose next run waits, in the order of its time.
        std::deque<std::pair<std::chrono::steady_clock::time_point, std::size_t>> later;
        bool resumes = false;  ///< Mailboxes that are done are not run again.
    };
    struct MigrationSlot {
        config::Migration const* migration = nullptr;
        std::vector<config::MailboxPair> const* mapping = nullptr;
        config::Tenant const* source = nullptr;
        config::Tenant const* target = nullptr;
        std::vector<std::unique_ptr<PassSlot>> passes;
        std::deque<PassSlot*> queue;
        bool is_new = false;  ///< No pass has ever run.
        std::string trouble;  ///< Why it is held back.
    };

    Result<void> build();
    awaitable<Result<void>> load_passes(MigrationSlot& migration);
    awaitable<void> run_migration(MigrationSlot& migration);
    awaitable<void> look_at_sides(MigrationSlot& migration, std::vector<MailboxLogins> sample,
                                  std::shared_ptr<std::optional<Result<void>>> answer);
    awaitable<Result<void>> settle_sample(MigrationSlot& migration);
    std::optional<std::size_t> next_mailbox(PassSlot& pass) const;
    awaitable<void> run_pass(MigrationSlot& migration, PassSlot& pass);
    awaitable<void> run_mailbox(MigrationSlot& migration, PassSlot& pass, std::size_t index,
                                transport::Window window);
    awaitable<MailboxOutcome> attempt_mailbox(MigrationSlot& migration, PassSlot& pass,
                                              std::size_t index, transport::Window window);
    awaitable<void> grace_period();
    awaitable<void> watch_disk();
    awaitable<Result<void>> run_plan();
    void stop_pools();
    void count_rows(PassSlot& pass, std::vector<config::MailboxPair> const& mapping);
    PassView view_of(PassSlot const& pass) const;

    asio::any_io_executor executor_;
    std::shared_ptr<Plan const> plan_;
    std::shared_ptr<Plan const> next_plan_;  ///< After reload, until no pass runs.
    EngineOptions const options_;
    MemoryBudget memory_;
    Totals totals_;
    std::size_t items_waiting_ = 0;
    Services services_;
    std::map<std::string, std::unique_ptr<SourcePool>, std::less<>> sources_;
    std::map<std::string, std::unique_ptr<TargetPool>, std::less<>> targets_;
    std::vector<std::unique_ptr<MigrationSlot>> migrations_;
    std::chrono::system_clock::time_point since_;
    Event changed_;
    TaskGroup side_tasks_;
    TaskGroup looks_;  ///< Direction checks under way; they use the pools.
    bool stopping_ = false;
    bool ended_ = false;
    bool stopped_early_ = false;
    bool gave_up_ = false;          ///< `once`: the disk stayed full.
    std::optional<Error> failure_;  ///< `once`: why nothing was begun.
    std::size_t passes_running_ = 0;
};

/// Loads, checks and pairs configuration and mapping. Problems that are errors leave `plan` empty.
std::shared_ptr<Plan const> load_plan(std::filesystem::path const& file,
                                      std::vector<config::Problem>& problems);

}  // namespace mailferry::daemon
