#pragma once

/// The bytes of items that may be held in memory at once. While the target takes items, whoever
/// finds no room waits for it, and so the source is read at the target's pace. While it takes none
/// nobody waits: items go their way through the spool alone.

#include "async/event.hpp"
#include "config/base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace mailferry::daemon {

class MemoryBudget {
public:
    /// Gives its bytes back when it goes; moves only. Must not outlive the budget.
    class Lease {
    public:
        Lease() = default;
        Lease(MemoryBudget* budget, std::uint64_t bytes) : budget_(budget), bytes_(bytes) {}
        Lease(Lease&& other) noexcept
            : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
        Lease& operator=(Lease&& other) noexcept {
            std::swap(budget_, other.budget_);
            std::swap(bytes_, other.bytes_);
            return *this;
        }
        ~Lease() {
            if (budget_ != nullptr) budget_->give_back(bytes_);
        }

    private:
        MemoryBudget* budget_ = nullptr;
        std::uint64_t bytes_ = 0;
    };

    MemoryBudget(asio::any_io_executor executor, Clock const& clock, std::uint64_t bytes_max);
    MemoryBudget(MemoryBudget const&) = delete;
    MemoryBudget& operator=(MemoryBudget const&) = delete;

    /// First come, first served. Nothing: there is no room, and none came free for a second.
    /// Cancellation leaves the budget as it was.
    awaitable<std::optional<Lease>> acquire(std::uint64_t bytes);

    std::uint64_t used() const { return used_; }
    std::uint64_t bytes_max() const { return bytes_max_; }

private:
    bool fits(std::uint64_t bytes) const { return bytes <= bytes_max_ - used_; }
    void give_back(std::uint64_t bytes);

    Clock const& clock_;
    std::uint64_t const bytes_max_;
    std::uint64_t used_ = 0;
    std::chrono::steady_clock::time_point given_back_at_;
    AsyncMutex door_;
    Event given_back_;
};

}  // namespace mailferry::daemon
