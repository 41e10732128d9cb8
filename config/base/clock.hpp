#pragma once

/// Time, as everything above the operating system asks for it. Production code holds a
/// `Clock const&`; a simulation puts its own clock there and a week passes in a second.

#include <chrono>

namespace mailferry {

class Clock {
public:
    virtual ~Clock() = default;
    /// Civil time (UTC): for windows, logs and ledger rows. May jump when the clock is set.
    virtual std::chrono::system_clock::time_point now() const = 0;
    /// Never jumps: for deadlines, rates and waiting.
    virtual std::chrono::steady_clock::time_point steady() const = 0;
};

class SystemClock final : public Clock {
public:
    std::chrono::system_clock::time_point now() const override;
    std::chrono::steady_clock::time_point steady() const override;
};

}  // namespace mailferry
