#pragma once

/// What systemd is told of the service's life. Without systemd (no NOTIFY_SOCKET) every call does
/// nothing. Only file with libsystemd.

#include <chrono>
#include <optional>
#include <string_view>

namespace mailferry::daemon::sd {

/// Configuration read, ledger and spool open, sockets listening. Also ends a reload.
void notify_ready();
/// One line for `systemctl status`.
void notify_status(std::string_view line);
void notify_reloading();
void notify_stopping();
void notify_watchdog();
/// How often notify_watchdog() is due: half of WatchdogSec. Nothing: the unit has no watchdog.
std::optional<std::chrono::milliseconds> watchdog_interval();

}  // namespace mailferry::daemon::sd
