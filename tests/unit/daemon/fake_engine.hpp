#pragma once

/// An engine for tests of what stands around it: shows the values it was given and notes what it
/// was told.

#include "daemon/engine_view.hpp"

namespace mailferry::daemon {

class FakeEngine final : public EngineControl {
public:
    EngineStatus shown;
    std::vector<MailboxView> rows;
    std::vector<store::FailedItem> failed;
    std::vector<config::Problem> problems;
    std::vector<std::string> told;  ///< "pause first", "retry", "reload", "shutdown"

    EngineStatus status() const override { return shown; }
    std::vector<MailboxView> mailboxes(std::optional<store::PassState> state, std::size_t offset,
                                       std::size_t limit) const override;
    std::vector<MailboxView> mailbox(std::string_view address) const override;
    Result<void> command(PassCommand command, std::string_view pass) override;
    awaitable<Result<std::vector<store::FailedItem>>> failed_items(std::size_t limit) override;
    awaitable<Result<std::uint64_t>> retry_failed() override;
    std::vector<config::Problem> reload() override;
    void shutdown() override { told.push_back("shutdown"); }
};

/// A pass "merger"/"first" under way, two admins, spool and totals in round figures.
EngineStatus busy_status();
/// A running mailbox "user<number>@fabrikam.example".
MailboxView running_mailbox(int number);

}  // namespace mailferry::daemon
