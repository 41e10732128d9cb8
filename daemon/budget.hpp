#pragma once

/// The bytes of items that may be held in memory at once. Nothing waits for it: an item that finds
/// no room here goes its way through the spool alone.

#include <cstdint>
#include <memory>
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
            if (budget_ != nullptr) budget_->used_ -= bytes_;
        }

    private:
        MemoryBudget* budget_ = nullptr;
        std::uint64_t bytes_ = 0;
    };

    explicit MemoryBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
    MemoryBudget(MemoryBudget const&) = delete;
    MemoryBudget& operator=(MemoryBudget const&) = delete;

    std::optional<Lease> try_acquire(std::uint64_t bytes) {
        if (bytes > bytes_max_ - used_) return std::nullopt;
        used_ += bytes;
        return Lease(this, bytes);
    }
    std::uint64_t used() const { return used_; }
    std::uint64_t bytes_max() const { return bytes_max_; }

private:
    std::uint64_t const bytes_max_;
    std::uint64_t used_ = 0;
};

}  // namespace mailferry::daemon
