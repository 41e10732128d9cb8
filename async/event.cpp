#include "async/event.hpp"

namespace mailferry {

awaitable<void> Event::wait() { co_await wait_for(std::chrono::hours(24 * 365)); }

awaitable<bool> Event::wait_for(std::chrono::milliseconds limit) {
    asio::steady_timer timer(executor_, limit);
    auto const place = waiters_.insert(waiters_.end(), &timer);
    boost::system::error_code error;
    bool notified = false;
    try {
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    } catch (...) {
        waiters_.erase(place);
        throw;
    }
    // notify_all() clears the slot; a cancelled coroutine finds its own timer still in it.
    notified = *place == nullptr;
    waiters_.erase(place);
    if (!notified && error == asio::error::operation_aborted)
        throw boost::system::system_error(error);
    co_return notified;
}

void Event::notify_all() {
    for (auto& waiter : waiters_) {
        if (waiter == nullptr) continue;
        auto* const timer = std::exchange(waiter, nullptr);
        timer->cancel();
    }
}

awaitable<AsyncMutex::Guard> AsyncMutex::lock() {
    if (!locked_ && queue_.empty()) {
        locked_ = true;
        co_return Guard(this);
    }
    auto const place = queue_.insert(queue_.end(), next_ticket_++);
    try {
        while (locked_ || queue_.front() != *place) co_await freed_.wait();
    } catch (...) {
        queue_.erase(place);
        freed_.notify_all();
        throw;
    }
    queue_.erase(place);
    locked_ = true;
    co_return Guard(this);
}

void AsyncMutex::unlock() {
    locked_ = false;
    freed_.notify_all();
}

}  // namespace mailferry
