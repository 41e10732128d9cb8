#pragma once

/// Several coroutines that end together. join() must be awaited before the group goes.

#include "async/event.hpp"

#include <cstddef>

namespace mailferry {

class TaskGroup {
public:
    explicit TaskGroup(asio::any_io_executor executor) : executor_(executor), ended_(executor) {}
    TaskGroup(TaskGroup const&) = delete;
    TaskGroup& operator=(TaskGroup const&) = delete;

    void spawn(awaitable<void> task);
    std::size_t running() const { return running_; }
    /// Resolves when all have ended, those spawned meanwhile included.
    awaitable<void> join();
    /// Resolves when fewer than `limit` are running.
    awaitable<void> wait_below(std::size_t limit);
    /// The same; false after `patience` without a task having ended.
    awaitable<bool> wait_below(std::size_t limit, std::chrono::milliseconds patience);

private:
    asio::any_io_executor executor_;
    Event ended_;
    std::size_t running_ = 0;
};

}  // namespace mailferry
