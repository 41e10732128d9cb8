#include "daemon/sample_check.hpp"

#include "async/task_group.hpp"
#include "config/base/log.hpp"

#include <numeric>
#include <optional>

namespace mailferry::daemon {
namespace {

constexpr std::uint64_t welcome_items = 100;  ///< Each new mailbox may hold some of its own.
constexpr std::uint64_t far_more = 2;

/// What one side says of a mailbox.
struct Look {
    std::uint64_t items = 0;
    std::string identity;
};

std::uint64_t count(std::vector<transport::Folder> const& folders) {
    return std::accumulate(
        folders.begin(), folders.end(), std::uint64_t{},
        [](std::uint64_t sum, transport::Folder const& folder) { return sum + folder.items; });
}

template <class Session>
awaitable<std::optional<Look>> look_at(SessionPool<Session>& pool, MailboxLogin login) {
    auto const mailbox = login.mailbox;
    auto lease = co_await pool.acquire(std::move(login));
    if (!lease) co_return std::nullopt;
    auto const obstacles = co_await (*lease)->obstacles();
    if (obstacles)
        for (auto const& obstacle : *obstacles)
            log::error("the mailbox can't be copied as things stand",
                       {{"mailbox", mailbox}, {"reason", obstacle.describe()}});
    auto const folders = co_await (*lease)->folders();
    if (!folders) co_return std::nullopt;
    co_return Look{count(*folders), (*lease)->mailbox_identity()};
}

/// Both sides of one mailbox; nothing where a side can't be looked at.
struct Sides {
    std::optional<Look> source, target;
};

/// Far servers take their time: both sides at once.
awaitable<void> look_at_both(SourcePool& source, TargetPool& target, MailboxLogins logins,
                             Sides& found) {
    auto const executor = co_await asio::this_coro::executor;
    TaskGroup looks(executor);
    looks.spawn([](SourcePool& pool, MailboxLogin login, Sides& sides) -> awaitable<void> {
        sides.source = co_await look_at(pool, std::move(login));
    }(source, logins.source, found));
    looks.spawn([](TargetPool& pool, MailboxLogin login, Sides& sides) -> awaitable<void> {
        sides.target = co_await look_at(pool, std::move(login));
    }(target, logins.target, found));
    co_await looks.join();
}

/// The first mailbox shows whether the admins can sign in; only then the others, all at once.
awaitable<std::vector<Sides>> look_at_all(SourcePool& source, TargetPool& target,
                                          std::vector<MailboxLogins> const& sample) {
    std::vector<Sides> found(sample.size());
    if (sample.empty()) co_return found;
    co_await look_at_both(source, target, sample.front(), found.front());
    TaskGroup others(co_await asio::this_coro::executor);
    for (std::size_t i = 1; i < sample.size(); ++i)
        others.spawn(look_at_both(source, target, sample[i], found[i]));
    co_await others.join();
    co_return found;
}

}  // namespace

awaitable<Result<void>> check_sample(SourcePool& source, TargetPool& target,
                                     std::vector<MailboxLogins> sample,
                                     bool fuller_target_allowed) {
    std::uint64_t at_source = 0, at_target = 0, mailboxes = 0;
    auto const found = co_await look_at_all(source, target, sample);
    for (std::size_t i = 0; i < sample.size(); ++i) {
        auto const& logins = sample[i];
        auto const& [from, to] = found[i];
        if (!from || !to) continue;
        if (!from->identity.empty() && from->identity == to->identity)
            co_return Error{
                Errc::invalid_config,
                "source " + logins.source.mailbox + " and target " + logins.target.mailbox +
                    " are one and the same mailbox: give each tenant its own tenant_id"};
        ++mailboxes;
        at_source += from->items;
        at_target += to->items;
    }
    if (mailboxes == 0) co_return Result<void>{};
    log::info("direction", {{"mailboxes_sampled", mailboxes},
                            {"items_at_source", at_source},
                            {"items_at_target", at_target}});
    bool const fuller = at_target > far_more * at_source + welcome_items * mailboxes;
    if (!fuller || fuller_target_allowed) co_return Result<void>{};
    co_return Error{Errc::invalid_config,
                    "the target holds " + std::to_string(at_target) + " items in " +
                        std::to_string(mailboxes) + " mailboxes, the source only " +
                        std::to_string(at_source) +
                        ": are source and target swapped? If not, set allow_fuller_target = true"};
}

}  // namespace mailferry::daemon
