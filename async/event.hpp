#pragma once

/// Waiting without polling, for coroutines of one executor (one thread; not thread-safe).

#include "async/asio.hpp"

#include <chrono>
#include <cstdint>
#include <list>
#include <utility>

namespace mailferry {

/// Wakes everybody who waits. Like a condition variable: check the condition again after wait().
/// Cancellation of a waiter throws operation_aborted out of wait() and leaves the event as it was.
class Event {
public:
    explicit Event(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    Event(Event const&) = delete;
    Event& operator=(Event const&) = delete;

    awaitable<void> wait();
    /// Waits at most `limit`; false when the time ran out.
    awaitable<bool> wait_for(std::chrono::milliseconds limit);
    void notify_all();

private:
    asio::any_io_executor executor_;
    std::list<asio::steady_timer*> waiters_;
};

/// One holder at a time, first come first served. The Guard's destruction passes the turn on.
class AsyncMutex {
public:
    class Guard {
    public:
        Guard() = default;
        explicit Guard(AsyncMutex* mutex) : mutex_(mutex) {}
        Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
        Guard& operator=(Guard&& other) noexcept {
            std::swap(mutex_, other.mutex_);
            return *this;
        }
        ~Guard() { release(); }
        void release() {
            if (auto* const held = std::exchange(mutex_, nullptr)) held->unlock();
        }

    private:
        AsyncMutex* mutex_ = nullptr;
    };

    explicit AsyncMutex(asio::any_io_executor executor) : freed_(std::move(executor)) {}
    awaitable<Guard> lock();

private:
    void unlock();
    bool locked_ = false;
    std::uint64_t next_ticket_ = 0;
    std::list<std::uint64_t> queue_;
    Event freed_;
};

}  // namespace mailferry
