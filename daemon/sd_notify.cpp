#include "daemon/sd_notify.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <string>

namespace mailferry::daemon::sd {

void notify_ready() { ::sd_notify(0, "READY=1"); }

void notify_status(std::string_view line) {
    auto message = std::string("STATUS=").append(line);
    // A line break would begin another assignment.
    std::replace(message.begin(), message.end(), '\n', ' ');
    ::sd_notify(0, message.c_str());
}

void notify_reloading() {
    auto const now = std::chrono::steady_clock::now().time_since_epoch();
    auto const usec = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    // Type=notify-reload (systemd 253 and later) asks for the time stamp; others ignore it.
    auto const message = "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec);
    ::sd_notify(0, message.c_str());
}

void notify_stopping() { ::sd_notify(0, "STOPPING=1"); }

void notify_watchdog() { ::sd_notify(0, "WATCHDOG=1"); }

std::optional<std::chrono::milliseconds> watchdog_interval() {
    std::uint64_t usec = 0;
    if (::sd_watchdog_enabled(0, &usec) <= 0 || usec == 0) return std::nullopt;
    auto const half = std::chrono::milliseconds(usec / 2'000);
    return std::max(half, std::chrono::milliseconds(1));
}

}  // namespace mailferry::daemon::sd
