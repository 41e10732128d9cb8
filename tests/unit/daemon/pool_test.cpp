#include "daemon/pool.hpp"

#include "async/task_group.hpp"
#include "tests/support/fakes/memory_server.hpp"

#include <gtest/gtest.h>

namespace mailferry::daemon {
namespace {

using test::MemoryServer;

// Named, as GCC 12 destroys an aggregate twice that is made inside a co_await expression.
MailboxLogin const anna{"anna", nullptr}, bernd{"bernd", nullptr};

/// A pool over admins whose connections succeed or fail by script.
class PoolTest : public testing::Test {
protected:
    PoolTest() : server(context.get_executor()) {
        for (auto const* const name : {"anna", "bernd", "clara"}) server.mailboxes[name];
    }

    AdminSlot<transport::SourceSession> admin(std::string name, std::uint32_t sessions_max) {
        AdminSlot<transport::SourceSession> slot;
        slot.name = name;
        slot.sessions_max = sessions_max;
        slot.connect = [this,
                        name]() -> awaitable<Result<std::unique_ptr<transport::SourceSession>>> {
            connects.push_back(name);
            auto const script = failures.find(name);
            if (script != failures.end() && !script->second.empty()) {
                auto const error = script->second.front();
                script->second.erase(script->second.begin());
                co_return error;
            }
            co_return std::unique_ptr<transport::SourceSession>(
                std::make_unique<test::MemorySource>(server));
        };
        return slot;
    }

    void make(std::vector<AdminSlot<transport::SourceSession>> admins, PoolOptions options = {}) {
        options.backoff_first = std::chrono::milliseconds(1);
        pool = std::make_unique<SourcePool>(context.get_executor(), "fabrikam", 2,
                                            std::move(admins), options);
    }

    void run(awaitable<void> task) {
        context.restart();
        asio::co_spawn(context, std::move(task), [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
        context.run();
    }

    asio::io_context context{1};
    MemoryServer server;
    std::vector<std::string> connects;
    std::map<std::string, std::vector<Error>> failures;
    std::unique_ptr<SourcePool> pool;
};

std::vector<AdminSlot<transport::SourceSession>> list(AdminSlot<transport::SourceSession> first) {
    std::vector<AdminSlot<transport::SourceSession>> admins;
    admins.push_back(std::move(first));
    return admins;
}

TEST_F(PoolTest, SpreadsMailboxesOverAdmins) {
    auto admins = list(admin("a1", 4));
    admins.push_back(admin("a2", 4));
    make(std::move(admins));
    run([&]() -> awaitable<void> {
        auto first = co_await pool->acquire(anna);
        auto second = co_await pool->acquire(bernd);
        EXPECT_TRUE(first && second);
    }());
    EXPECT_EQ(connects, (std::vector<std::string>{"a1", "a2"}));
}

TEST_F(PoolTest, WarmSessionOfTheSameMailboxIsTakenWithoutANewLogin) {
    make(list(admin("a1", 4)));
    run([&]() -> awaitable<void> {
        { auto lease = co_await pool->acquire(anna); }
        auto lease = co_await pool->acquire(anna);
    }());
    EXPECT_EQ(connects.size(), 1u);
    EXPECT_EQ(server.logins, 1);
}

TEST_F(PoolTest, BudgetIsNeverExceededAndWaitersAreServedInOrder) {
    make(list(admin("a1", 1)));
    std::string order;
    run([&]() -> awaitable<void> {
        TaskGroup tasks(context.get_executor());
        for (auto const* const name : {"anna", "bernd", "clara"}) {
            tasks.spawn([](SourcePool& p, std::string who, std::string& log) -> awaitable<void> {
                MailboxLogin const login{who, nullptr};
                auto lease = co_await p.acquire(login);
                std::vector<AdminView> views;
                p.describe(views);
                EXPECT_EQ(views.at(0).sessions, 1u);
                log += who[0];
            }(*pool, name, order));
        }
        co_await tasks.join();
    }());
    EXPECT_EQ(order, "abc");
}

TEST_F(PoolTest, WrongPasswordIsTriedOnceAndParksTheAdminForAllWhoWait) {
    make(list(admin("a1", 1)));
    failures["a1"] = {{Errc::login_refused, "LOGIN"}};
    int refused = 0;
    run([&]() -> awaitable<void> {
        for (int i = 0; i < 5; ++i) {
            auto const lease = co_await pool->acquire(anna);
            refused += !lease && lease.error().code == Errc::login_refused;
        }
    }());
    EXPECT_EQ(refused, 5);
    EXPECT_EQ(connects.size(), 1u);
    pool->unpark();
    run([&]() -> awaitable<void> { EXPECT_TRUE(co_await pool->acquire(anna)); }());
}

TEST_F(PoolTest, OneParkedAdminLeavesTheOtherWorking) {
    auto admins = list(admin("a1", 1));
    admins.push_back(admin("a2", 1));
    make(std::move(admins));
    failures["a1"] = {{Errc::login_refused, "LOGIN"}};
    run([&]() -> awaitable<void> { EXPECT_TRUE(co_await pool->acquire(anna)); }());
    EXPECT_EQ(connects, (std::vector<std::string>{"a1", "a2"}));
}

TEST_F(PoolTest, ThrottleAnswerIsObeyedAndIsNoFailure) {
    make(list(admin("a1", 8)));
    Error throttled{Errc::throttled, "LOGIN"};
    throttled.retry_after = std::chrono::milliseconds(30);
    failures["a1"] = {throttled};
    auto const begin = std::chrono::steady_clock::now();
    run([&]() -> awaitable<void> { EXPECT_TRUE(co_await pool->acquire(anna)); }());
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(30));
    EXPECT_EQ(pool->throttled(), 1u);
}

TEST_F(PoolTest, UnreachableServerIsProbedUntilPatienceIsSpent) {
    make(list(admin("a1", 8)), {.unreachable_patience = std::chrono::seconds(0)});
    failures["a1"] = std::vector<Error>(10, Error{Errc::unreachable, "connect"});
    run([&]() -> awaitable<void> {
        auto const lease = co_await pool->acquire(anna);
        EXPECT_FALSE(lease);
        EXPECT_EQ(lease.error().code, Errc::unreachable);
    }());
    EXPECT_NE(pool->trouble(), "");
}

TEST_F(PoolTest, SpareSessionIsGivenOnlyUpToTheMailboxsShare) {
    make(list(admin("a1", 8)));
    run([&]() -> awaitable<void> {
        auto first = co_await pool->acquire(anna);
        auto second = co_await pool->acquire_spare(anna);
        auto third = co_await pool->acquire_spare(anna);
        EXPECT_TRUE(static_cast<bool>(second));
        EXPECT_FALSE(static_cast<bool>(third));
    }());
}

// Goal: nobody waits for a session to come back while the budget has room.
TEST_F(PoolTest, AGrownBudgetLetsWaitersInAtOnce) {
    make(list(admin("a1", 8)));
    bool came_in = false;
    run([&]() -> awaitable<void> {
        TaskGroup tasks(context.get_executor());
        auto const visit = [](SourcePool& p, MailboxLogin who, Event& leave,
                              int& inside) -> awaitable<void> {
            auto const lease = co_await p.acquire(std::move(who));
            ++inside;
            co_await leave.wait();
        };
        Event leave(context.get_executor());
        int inside = 0;
        for (auto const* const name : {"anna", "bernd", "clara"}) {
            MailboxLogin const who{name, nullptr};
            tasks.spawn(visit(*pool, who, leave, inside));
        }
        for (int look = 0; look < 1'000 && inside < 3; ++look) {
            asio::steady_timer a_moment(context, std::chrono::milliseconds(1));
            co_await a_moment.async_wait(asio::use_awaitable);
        }
        came_in = inside == 3;
        leave.notify_all();
        co_await tasks.join();
    }());
    EXPECT_TRUE(came_in);
}

TEST_F(PoolTest, SessionsOfOneMailboxAreSpreadOverItsAdmins) {
    auto admins = list(admin("a1", 4));
    admins.push_back(admin("a2", 16));
    make(std::move(admins));
    run([&]() -> awaitable<void> {
        // a2 has more room throughout.
        auto first = co_await pool->acquire(anna);
        auto second = co_await pool->acquire_spare(anna);
        EXPECT_TRUE(first && second);
    }());
    EXPECT_EQ(std::set<std::string>(connects.begin(), connects.end()).size(), 2u);
}

TEST_F(PoolTest, CuttingEndsAConnectionThatDoesntComeAbout) {
    auto slot = admin("a1", 4);
    slot.connect = [this]() -> awaitable<Result<std::unique_ptr<transport::SourceSession>>> {
        asio::steady_timer silence(context, std::chrono::hours(1));
        co_await silence.async_wait(asio::use_awaitable);
        co_return Error{Errc::timed_out, "never"};
    };
    make(list(std::move(slot)));
    std::optional<Errc> ended;
    run([&]() -> awaitable<void> {
        TaskGroup tasks(context.get_executor());
        tasks.spawn([](SourcePool& p, std::optional<Errc>& code) -> awaitable<void> {
            auto const lease = co_await p.acquire(anna);
            if (!lease) code = lease.error().code;
        }(*pool, ended));
        asio::steady_timer a_moment(context, std::chrono::milliseconds(5));
        co_await a_moment.async_wait(asio::use_awaitable);
        pool->stop();
        pool->cut_all();
        co_await tasks.join();
    }());
    EXPECT_EQ(ended, Errc::stopped);
}

TEST_F(PoolTest, StopEndsWaiters) {
    make(list(admin("a1", 1)));
    run([&]() -> awaitable<void> {
        auto held = co_await pool->acquire(anna);
        TaskGroup tasks(context.get_executor());
        tasks.spawn([](SourcePool& p) -> awaitable<void> {
            auto const lease = co_await p.acquire(bernd);
            EXPECT_FALSE(lease);
            EXPECT_EQ(lease.error().code, Errc::stopped);
        }(*pool));
        asio::steady_timer timer(context, std::chrono::milliseconds(5));
        co_await timer.async_wait(asio::use_awaitable);
        pool->stop();
        co_await tasks.join();
    }());
}

}  // namespace
}  // namespace mailferry::daemon
