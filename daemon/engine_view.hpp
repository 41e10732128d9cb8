#pragma once

/// What the engine shows and what it can be told: values, no I/O. The control socket, the progress
/// display, the metrics and the report are all made from these.

#include "config/types.hpp"
#include "store/ledger.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace mailferry::daemon {

/// What one of the server's published limits holds back.
struct LimitView {
    std::string limit = {};  ///< From the connector's fixed list.
    std::uint32_t waiting = 0;
    std::chrono::milliseconds longest{0};  ///< Until the last of the waiting requests may go.
};

struct AdminView {
    std::string tenant = {}, admin = {};
    std::uint32_t sessions = 0, sessions_ceiling = 0, sessions_max = 0;
    std::string waits_for = {};  ///< "" or what binds: "login refused", "throttled until 14:05:10".
    std::vector<LimitView> limits = {};
};

struct MailboxView {
    std::string migration = {}, pass = {}, source = {}, target = {}, wave = {};
    store::PassState state = store::PassState::waiting;
    store::PassCounters counters = {};
    std::uint64_t items_planned = 0, bytes_planned = 0;  ///< This run, so far known.
    std::uint64_t items_done = 0, bytes_done = 0;
    std::string folder = {};  ///< Being worked on.
    std::string error = {};
};

struct PassView {
    std::string migration = {}, pass = {};
    store::PassState state = store::PassState::waiting;
    std::uint64_t mailboxes = 0, mailboxes_done = 0, mailboxes_failed = 0, mailboxes_running = 0;
    store::PassCounters counters = {};
    std::int64_t started = 0, ended = 0;
};

struct Totals {
    std::uint64_t items_planned = 0, items_stored = 0, items_failed = 0, items_unchanged = 0;
    std::uint64_t bytes_planned = 0, bytes_fetched = 0, bytes_stored = 0;
    std::uint64_t fetch_commands = 0, store_groups = 0, intents_recovered = 0;
    std::uint64_t reconnects = 0, throttled = 0;
    std::uint64_t memory_used = 0, memory_max = 0;
};

struct EngineStatus {
    std::string state;  ///< starting | running | idle | stopping | stopped
    std::chrono::system_clock::time_point since, now;
    Totals totals;
    store::SpoolUsage spool;
    std::vector<AdminView> admins;
    std::vector<PassView> passes;
    std::vector<std::string> warnings;  ///< "source fabrikam unreachable: …", "disk full: …"
};

enum class PassCommand { start, pause, resume, cancel };

/// Implemented by the engine. Called on the engine's executor.
class EngineControl {
public:
    virtual ~EngineControl() = default;
    virtual EngineStatus status() const = 0;
    /// Mailboxes of all passes; `state` filters. At most `limit` from `offset` on.
    virtual std::vector<MailboxView> mailboxes(std::optional<store::PassState> state,
                                               std::size_t offset, std::size_t limit) const = 0;
    virtual std::vector<MailboxView> mailbox(std::string_view address) const = 0;
    /// invalid_config if there is no such pass, or the command doesn't fit its state.
    virtual Result<void> command(PassCommand command, std::string_view pass) = 0;
    virtual awaitable<Result<std::vector<store::FailedItem>>> failed_items(std::size_t limit) = 0;
    virtual awaitable<Result<std::uint64_t>> retry_failed() = 0;
    /// Reads the configuration again. Problems: nothing was changed.
    virtual std::vector<config::Problem> reload() = 0;
    virtual void shutdown() = 0;
};

}  // namespace mailferry::daemon
