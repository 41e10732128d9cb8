#include "tests/support/graphsim/clock.hpp"

#include <cmath>
#include <cstdio>
#include <ctime>

namespace graphsim {

namespace {

std::tm calendar(Time time) {
    auto const whole = std::chrono::floor<std::chrono::seconds>(time);
    std::time_t const count = whole.time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&count, &parts);
    return parts;
}

std::string formatted(Time time, char const* format) {
    auto const parts = calendar(time);
    char text[64];
    return {text, std::strftime(text, sizeof text, format, &parts)};
}

}  // namespace

Clock::Clock()
    : base_(std::chrono::floor<Duration>(std::chrono::system_clock::now())),
      base_steady_(std::chrono::steady_clock::now()) {}

Time Clock::now() const {
    auto const real =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - base_steady_);
    return base_ + seconds(real.count() * rate_);
}

void Clock::set(Time time) {
    base_ = time;
    base_steady_ = std::chrono::steady_clock::now();
}

void Clock::set_rate(double rate) {
    set(now());
    rate_ = rate;
}

Duration seconds(double count) { return Duration{std::llround(count * 1e6)}; }

double seconds_of(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

std::string iso_time(Time time) { return formatted(time, "%Y-%m-%dT%H:%M:%SZ"); }

std::string iso_time_7(Time time) {
    auto const fraction = (time - std::chrono::floor<std::chrono::seconds>(time)).count();
    char text[16];
    std::snprintf(text, sizeof text, ".%06d1Z", static_cast<int>(fraction));
    return formatted(time, "%Y-%m-%dT%H:%M:%S") + text;
}

std::string http_time(Time time) { return formatted(time, "%a, %d %b %Y %H:%M:%S GMT"); }

std::optional<Time> parse_http_time(std::string_view text) {
    std::string const copy(text);
    std::tm parts{};
    auto const* rest = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (rest == nullptr || *rest != '\0') return std::nullopt;
    return Time{std::chrono::seconds{timegm(&parts)}};
}

std::optional<Time> parse_time(std::string_view text) {
    std::string const copy(text);
    std::tm parts{};
    auto const* rest = strptime(copy.c_str(), "%Y-%m-%d", &parts);
    if (rest == nullptr) return std::nullopt;
    double fraction = 0;
    if (*rest == 'T') {
        rest = strptime(rest, "T%H:%M:%S", &parts);
        if (rest == nullptr) return std::nullopt;
        if (*rest == '.') {
            char* end = nullptr;
            fraction = std::strtod(rest, &end);
            rest = end;
        }
        if (*rest == 'Z') ++rest;
    }
    if (*rest != '\0') return std::nullopt;
    return Time{std::chrono::seconds{timegm(&parts)}} + seconds(fraction);
}

}  // namespace graphsim
