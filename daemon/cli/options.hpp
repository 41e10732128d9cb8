#pragma once

/// The command lines of `mailferry` and `mailferryd` as values. Only here is CLI11.

#include "daemon/app.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

namespace mailferry::daemon::cli {

/// What `mailferry init` was told; an empty answer is asked for.
struct InitOptions {
    std::string source_protocol, target_protocol;
    std::string mailboxes, since, name;
    std::filesystem::path output;
    bool yes = false;  ///< Take the defaults instead of asking.
};

struct Options {
    std::filesystem::path config;  ///< Empty: /etc/mailferry/mailferry.toml if it exists.
    std::filesystem::path socket;  ///< Empty: as the configuration says.
    bool json = false;
    std::string verb;           ///< "status", "start", ...
    std::string pass, address;  ///< Arguments of their verbs.
    std::string state;
    std::string format = "text";
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> limit;
    InitOptions init;
    std::uint64_t rate = 0;  ///< Bytes a second, for estimate; 0: as measured.
    std::optional<std::uint32_t> hours;
};

/// The exit status after help, version or a usage error was printed.
struct Exited {
    int status = 0;
};

std::variant<Options, Exited> parse_options(int argc, char const* const* argv);
std::variant<DaemonOptions, Exited> parse_daemon_options(int argc, char const* const* argv);

}  // namespace mailferry::daemon::cli
