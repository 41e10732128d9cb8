#include "fake_engine.hpp"

#include <algorithm>
#include <array>

namespace mailferry::daemon {

std::vector<MailboxView> FakeEngine::mailboxes(std::optional<store::PassState> state,
                                               std::size_t offset, std::size_t limit) const {
    std::vector<MailboxView> found;
    for (auto const& row : rows)
        if (!state || row.state == *state) found.push_back(row);
    found.erase(found.begin(),
                found.begin() + static_cast<std::ptrdiff_t>(std::min(offset, found.size())));
    if (found.size() > limit) found.resize(limit);
    return found;
}

std::vector<MailboxView> FakeEngine::mailbox(std::string_view address) const {
    std::vector<MailboxView> found;
    for (auto const& row : rows)
        if (row.source == address || row.target == address) found.push_back(row);
    return found;
}

Result<void> FakeEngine::command(PassCommand command, std::string_view pass) {
    constexpr std::array<std::string_view, 4> names{"start", "pause", "resume", "cancel"};
    if (pass != "first") return Error{Errc::invalid_config, "there is no pass of this name"};
    told.push_back(std::string(names[static_cast<std::size_t>(command)]).append(" ").append(pass));
    return {};
}

awaitable<Result<std::vector<store::FailedItem>>> FakeEngine::failed_items(std::size_t limit) {
    auto found = failed;
    if (found.size() > limit) found.resize(limit);
    co_return found;
}

awaitable<Result<std::uint64_t>> FakeEngine::retry_failed() {
    told.push_back("retry");
    co_return failed.size();
}

std::vector<config::Problem> FakeEngine::reload() {
    told.push_back("reload");
    return problems;
}

EngineStatus busy_status() {
    EngineStatus status;
    status.state = "running";
    status.since = std::chrono::system_clock::time_point(std::chrono::seconds(1'772'000'000));
    status.now = status.since + std::chrono::seconds(125);
    status.totals.items_planned = 6'400;
    status.totals.items_stored = 1'600;
    status.totals.items_failed = 2;
    status.totals.bytes_planned = 64 << 20;
    status.totals.bytes_fetched = 20 << 20;
    status.totals.bytes_stored = 16 << 20;
    status.totals.memory_max = 256 << 20;
    status.spool.bytes_allocated = 64 << 20;
    status.spool.bytes_max = 20ULL << 30;
    status.spool.items_live = 12;
    status.admins = {{"fabrikam", "migrate1", 4, 6, 8, ""},
                     {"fabrikam", "migrate2", 0, 0, 8, "login refused"}};
    PassView pass;
    pass.migration = "merger";
    pass.pass = "first";
    pass.state = store::PassState::running;
    pass.mailboxes = 64;
    pass.mailboxes_done = 12;
    pass.mailboxes_failed = 1;
    pass.mailboxes_running = 8;
    pass.started = 1'772'000'000;
    status.passes = {pass};
    return status;
}

MailboxView running_mailbox(int number) {
    MailboxView mailbox;
    mailbox.migration = "merger";
    mailbox.pass = "first";
    mailbox.source = "user" + std::to_string(number) + "@fabrikam.example";
    mailbox.target = "user" + std::to_string(number) + "@contoso.example";
    mailbox.state = store::PassState::running;
    mailbox.items_planned = 1'200;
    mailbox.items_done = 300;
    mailbox.bytes_planned = 12 << 20;
    mailbox.bytes_done = 3 << 20;
    mailbox.folder = "INBOX/Gr\u00fc\u00dfe";
    return mailbox;
}

}  // namespace mailferry::daemon
