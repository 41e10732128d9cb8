#pragma once

/// The time that the simulated cloud lives in: every date, expiry, window and Retry-After is read
/// from here. It runs with the machine's clock until the control interface moves it.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace graphsim {

using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<Duration>;

class Clock {
public:
    Clock();

    Time now() const;
    void advance(Duration by) { base_ += by; }
    void set(Time time);
    /// Simulated seconds in a second of the machine's; 0 stops the clock.
    void set_rate(double rate);
    double rate() const { return rate_; }

private:
    Time base_;
    std::chrono::steady_clock::time_point base_steady_;
    double rate_ = 1;
};

Duration seconds(double count);
double seconds_of(Duration duration);

/// 2026-05-01T10:00:00Z
std::string iso_time(Time time);
/// As expirationDateTime has it: 2026-05-01T10:00:00.1234567Z
std::string iso_time_7(Time time);
/// As an HTTP header has it: Fri, 01 May 2026 10:00:00 GMT
std::string http_time(Time time);
std::optional<Time> parse_http_time(std::string_view text);
/// Takes a date alone, and dates with a fraction; always UTC.
std::optional<Time> parse_time(std::string_view text);

}  // namespace graphsim
