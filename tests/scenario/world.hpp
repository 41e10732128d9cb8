#pragma once

/// One mailbox between two servers in memory, through the real spool and the real ledger.

#include "daemon/mailbox_run.hpp"
#include "tests/support/fakes/memory_server.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace mailferry::daemon {

using test::MemoryFolder;
using test::MemoryServer;

inline config::Pass everything() {
    config::Pass pass;
    pass.name = "all";
    return pass;
}

/// One process's life: open state, run the mailbox once, close.
class World {
public:
    World() : source(context.get_executor()), target(context.get_executor()) {
        source.mailboxes["anna"].folder({"INBOX"}, transport::FolderRole::inbox);
        target.mailboxes["anna"].folder({"INBOX"}, transport::FolderRole::inbox);
        migration.name = "merger";
        pair.source = pair.target = "anna";
        settings.max_bytes = ByteCount{16 << 20};
        settings.segment_bytes = ByteCount{4 << 20};
    }

    MailboxOutcome run() {
        MailboxOutcome outcome{{}, Error{Errc::stopped, "did not end"}};
        context.restart();
        asio::co_spawn(context, live(outcome), [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
        context.run();
        return outcome;
    }

    MemoryFolder& at_source(transport::FolderPath path) {
        return source.mailboxes["anna"].folder(std::move(path));
    }
    MemoryFolder* at_target(std::string const& id) { return target.mailboxes["anna"].find(id); }

    asio::io_context context{1};
    MemoryServer source, target;
    config::Migration migration;
    config::Pass pass = everything();
    config::MailboxPair pair;
    config::SpoolSettings settings;
    transport::Window window;
    std::vector<store::FailedItem> failed;
    store::SpoolUsage usage_at_end;
    std::function<awaitable<void>(MailboxRun&, store::Spool&)> meanwhile;

private:
    template <class Session, class Memory>
    std::unique_ptr<SessionPool<Session>> pool(MemoryServer& server) {
        AdminSlot<Session> admin;
        admin.name = "admin";
        admin.connect = [&server]() -> awaitable<Result<std::unique_ptr<Session>>> {
            co_return std::unique_ptr<Session>(std::make_unique<Memory>(server));
        };
        std::vector<AdminSlot<Session>> admins;
        admins.push_back(std::move(admin));
        return std::make_unique<SessionPool<Session>>(
            context.get_executor(), "memory", 4, std::move(admins),
            PoolOptions{.unreachable_patience = std::chrono::seconds(0),
                        .silent_patience = std::chrono::seconds(0)});
    }

    awaitable<void> live(MailboxOutcome& outcome) {
        auto const executor = context.get_executor();
        auto ledger = store::open_sqlite_ledger(executor, folder.path() / "ledger.sqlite");
        if (!ledger) ADD_FAILURE() << ledger.error().describe();
        auto const live = co_await (*ledger)->live_locations();
        store::RecoveredSpool report;
        std::vector<store::ItemId> lost;
        store::SpoolOptions options{.directory = folder.path() / "spool",
                                    .settings = settings,
                                    .uuid = (*ledger)->uuid(),
                                    .incarnation = (*ledger)->incarnation()};
        auto spool = co_await store::open_spool(
            executor, std::move(options), Secret(std::string(32, 'k')), *live,
            [&](std::uint64_t item) { lost.push_back(store::ItemId{item}); }, report);
        if (!spool) ADD_FAILURE() << spool.error().describe();
        if (!lost.empty()) static_cast<void>(co_await (*ledger)->forget_spooled(lost));
        Totals totals;
        SystemClock clock;
        MemoryBudget memory(executor, clock, 8 << 20);
        std::size_t items_waiting = 0;
        Services services{executor, clock,  **ledger,      **spool,
                          memory,   totals, items_waiting, folder.path() / "quarantine"};
        auto sources = pool<transport::SourceSession, test::MemorySource>(source);
        auto targets = pool<transport::TargetSession, test::MemoryTarget>(target);
        MailboxView view;
        {
            MailboxRun run(services,
                           {.migration = &migration,
                            .pass = &pass,
                            .pair = &pair,
                            .window = window,
                            .source = sources.get(),
                            .target = targets.get(),
                            .source_login = {"anna", nullptr},
                            .target_login = {"anna", nullptr},
                            .settle_interval = std::chrono::milliseconds(1)},
                           view);
            TaskGroup side(executor);
            if (meanwhile) side.spawn(meanwhile(run, **spool));
            outcome = co_await run.run();
            co_await side.join();
        }
        sources->stop();
        targets->stop();
        usage_at_end = (*spool)->usage();
        EXPECT_EQ(memory.used(), 0u);
        auto const given_up = co_await (*ledger)->failed_items({}, 100);
        failed = *given_up;
        co_await (*spool)->close();
        co_await (*ledger)->close();
    }

    test::TemporaryFolder folder;
};

inline std::multiset<std::string> contents(MemoryFolder const* folder) {
    std::multiset<std::string> bytes;
    if (folder != nullptr)
        for (auto const& item : folder->items) bytes.insert(item.bytes);
    return bytes;
}

inline void fill(MemoryFolder& folder, int count, std::string const& word = "message") {
    for (int i = 0; i < count; ++i)
        folder.add("Subject: " + word + " " + std::to_string(i) + "\r\n\r\n" +
                       std::string(static_cast<std::size_t>(i) * 37, 'x') + "\r\n",
                   {"\\Seen"}, {1'600'000'000 + i, 60});
}

}  // namespace mailferry::daemon
