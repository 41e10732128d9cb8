#include "async/task_group.hpp"

#include <gtest/gtest.h>

namespace mailferry {
namespace {

void run(asio::io_context& context, awaitable<void> task) {
    asio::co_spawn(context, std::move(task), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    context.run();
}

TEST(EventTest, NotifyWakesAllWhoWaitAndNobodyLater) {
    asio::io_context context;
    Event event(context.get_executor());
    int woken = 0;
    TaskGroup tasks(context.get_executor());
    run(context, [&]() -> awaitable<void> {
        for (int i = 0; i < 3; ++i)
            tasks.spawn([](Event& e, int& count) -> awaitable<void> {
                co_await e.wait();
                ++count;
            }(event, woken));
        asio::steady_timer timer(context, std::chrono::milliseconds(1));
        co_await timer.async_wait(asio::use_awaitable);
        EXPECT_EQ(woken, 0);
        event.notify_all();
        co_await tasks.join();
        EXPECT_EQ(woken, 3);
        EXPECT_FALSE(co_await event.wait_for(std::chrono::milliseconds(1)));
    }());
}

TEST(AsyncMutexTest, HoldersComeOneByOneInOrder) {
    asio::io_context context;
    AsyncMutex mutex(context.get_executor());
    std::string order;
    TaskGroup tasks(context.get_executor());
    run(context, [&]() -> awaitable<void> {
        for (char const name : {'a', 'b', 'c'})
            tasks.spawn([](AsyncMutex& m, asio::io_context& c, std::string& log,
                           char who) -> awaitable<void> {
                auto const guard = co_await m.lock();
                log += who;
                asio::steady_timer timer(c, std::chrono::milliseconds(1));
                co_await timer.async_wait(asio::use_awaitable);
                log += who;
            }(mutex, context, order, name));
        co_await tasks.join();
    }());
    EXPECT_EQ(order, "aabbcc");
}

TEST(TaskGroupTest, WaitBelowLetsThroughWhenEnoughHaveEnded) {
    asio::io_context context;
    TaskGroup tasks(context.get_executor());
    run(context, [&]() -> awaitable<void> {
        for (int i = 1; i <= 3; ++i)
            tasks.spawn([](asio::io_context& c, int ms) -> awaitable<void> {
                asio::steady_timer timer(c, std::chrono::milliseconds(ms));
                co_await timer.async_wait(asio::use_awaitable);
            }(context, i * 5));
        co_await tasks.wait_below(2);
        EXPECT_LE(tasks.running(), 1u);
        co_await tasks.join();
        EXPECT_EQ(tasks.running(), 0u);
    }());
}

}  // namespace
}  // namespace mailferry
