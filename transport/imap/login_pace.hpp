#pragma once

/// When an admin may sign in next. After a pause a second's worth may go at once; from then on they
/// are spaced out. Pure.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace mailferry::imap {

class LoginPace {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// The moment at which a sign-in wanted at `now` may go; it counts as done then.
    Time take(Time now, std::uint32_t logins_per_second) {
        auto const spacing =
            std::chrono::nanoseconds(std::chrono::seconds(1)) / std::max(logins_per_second, 1U);
        auto const due = std::max(next_, now - std::chrono::seconds(1) + spacing);
        next_ = due + spacing;
        return std::max(due, now);
    }

private:
    Time next_{};
};

}  // namespace mailferry::imap
