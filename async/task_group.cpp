#include "async/task_group.hpp"

#include "config/base/assert.hpp"

#include <exception>

namespace mailferry {

void TaskGroup::spawn(awaitable<void> task) {
    ++running_;
    asio::co_spawn(executor_, std::move(task), [this](std::exception_ptr failure) {
        MAILFERRY_ASSERT_SHOWING(!failure, "a task must answer with values");
        --running_;
        ended_.notify_all();
    });
}

awaitable<void> TaskGroup::join() { co_await wait_below(1); }

awaitable<void> TaskGroup::wait_below(std::size_t limit) {
    while (running_ >= limit) co_await ended_.wait();
}

awaitable<bool> TaskGroup::wait_below(std::size_t limit, std::chrono::milliseconds patience) {
    while (running_ >= limit) {
        auto const notified = co_await ended_.wait_for(patience);
        if (!notified) co_return false;
    }
    co_return true;
}

}  // namespace mailferry
