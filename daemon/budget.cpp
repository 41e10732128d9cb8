#include "daemon/budget.hpp"

namespace mailferry::daemon {
namespace {

/// A target that has taken nothing for so long stands still.
constexpr std::chrono::milliseconds stands_still{1'000};

}  // namespace

MemoryBudget::MemoryBudget(asio::any_io_executor executor, Clock const& clock,
                           std::uint64_t bytes_max)
    : clock_(clock),
      bytes_max_(bytes_max),
      given_back_at_(clock.steady()),
      door_(executor),
      given_back_(executor) {}

awaitable<std::optional<MemoryBudget::Lease>> MemoryBudget::acquire(std::uint64_t bytes) {
    if (bytes > bytes_max_) co_return std::nullopt;
    auto const turn = co_await door_.lock();
    while (!fits(bytes)) {
        auto const waited =
            std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - given_back_at_);
        if (waited >= stands_still) co_return std::nullopt;
        co_await given_back_.wait_for(stands_still - waited);
    }
    used_ += bytes;
    co_return Lease(this, bytes);
}

void MemoryBudget::give_back(std::uint64_t bytes) {
    used_ -= bytes;
    given_back_at_ = clock_.steady();
    given_back_.notify_all();
}

}  // namespace mailferry::daemon
