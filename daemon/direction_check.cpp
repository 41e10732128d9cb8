#include "daemon/direction_check.hpp"

#include "config/base/log.hpp"

#include <numeric>

namespace mailferry::daemon {
namespace {

constexpr std::uint64_t welcome_items = 100;  ///< Each new mailbox may hold some of its own.
constexpr std::uint64_t far_more = 2;

std::uint64_t count(std::vector<transport::Folder> const& folders) {
    return std::accumulate(
        folders.begin(), folders.end(), std::uint64_t{},
        [](std::uint64_t sum, transport::Folder const& folder) { return sum + folder.items; });
}

template <class Session>
awaitable<std::optional<std::uint64_t>> items_of(SessionPool<Session>& pool, MailboxLogin login) {
    auto lease = co_await pool.acquire(std::move(login));
    if (!lease) co_return std::nullopt;
    auto const folders = co_await (*lease)->folders();
    if (!folders) co_return std::nullopt;
    co_return count(*folders);
}

}  // namespace

awaitable<Result<void>> check_direction(SourcePool& source, TargetPool& target,
                                        std::vector<MailboxLogins> sample) {
    std::uint64_t at_source = 0, at_target = 0, mailboxes = 0;
    for (auto const& logins : sample) {
        auto const from = co_await items_of(source, logins.source);
        if (!from) continue;
        auto const to = co_await items_of(target, logins.target);
        if (!to) continue;
        ++mailboxes;
        at_source += *from;
        at_target += *to;
    }
    if (mailboxes == 0) co_return Result<void>{};
    log::info("direction", {{"mailboxes_sampled", mailboxes},
                            {"items_at_source", at_source},
                            {"items_at_target", at_target}});
    if (at_target <= far_more * at_source + welcome_items * mailboxes) co_return Result<void>{};
    co_return Error{Errc::invalid_config,
                    "the target holds " + std::to_string(at_target) + " items in " +
                        std::to_string(mailboxes) + " mailboxes, the source only " +
                        std::to_string(at_source) +
                        ": are source and target swapped? If not, set allow_fuller_target = true"};
}

}  // namespace mailferry::daemon
