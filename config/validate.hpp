#pragma once

/// Whether a configuration makes sense: everything wrong with it, all at once.

#include "config/types.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace mailferry::config {

/// Problems that stop the start, and warnings, in the file's order. Looks at the files that the
/// configuration names (secrets, certificates), never at the network and never at the mapping.
/// A window with an age at one end and a date at the other depends on the day it is run and isn't
/// judged here. `now` is the day that certificates are judged by; nothing: this very moment.
[[nodiscard]] std::vector<Problem> validate(
    Config const& config, std::optional<std::chrono::sys_seconds> now = std::nullopt);

/// True for what names this machine only: 127.0.0.0/8, ::1 (also in brackets) and localhost.
bool is_loopback(std::string_view host);

}  // namespace mailferry::config
