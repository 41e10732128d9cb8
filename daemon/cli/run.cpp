#include "daemon/cli/run.hpp"

#include "config/base/assert.hpp"
#include "config/base/clock.hpp"
#include "config/load.hpp"
#include "daemon/cli/init.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>

namespace mailferry::daemon::cli {
namespace {

struct Verb {
    std::string_view name;
    int (*run)(Context const&);
};

constexpr std::array<Verb, 14> verbs{{
    {"status", run_status},
    {"passes", run_passes},
    {"start", run_pass_command},
    {"pause", run_pass_command},
    {"resume", run_pass_command},
    {"cancel", run_pass_command},
    {"mailboxes", run_mailboxes},
    {"mailbox", run_mailbox},
    {"items", run_items},
    {"retry", run_retry},
    {"report", run_report},
    {"limits", run_limits},
    {"reload", run_reload},
    {"shutdown", run_shutdown},
}};

std::filesystem::path const default_config = "/etc/mailferry/mailferry.toml";

}  // namespace

int run_verb(Context const& context) {
    auto const& name = context.options.verb;
    auto const verb = std::find_if(verbs.begin(), verbs.end(),
                                   [&](Verb const& known) { return known.name == name; });
    MAILFERRY_ASSERT_SHOWING(verb != verbs.end(), name);
    return verb->run(context);
}

std::optional<std::filesystem::path> find_socket(Options const& options, std::ostream& err) {
    if (!options.socket.empty()) return options.socket;
    bool const named = !options.config.empty();
    auto const loaded = config::load_config(named ? options.config : default_config);
    if (loaded.parsed) return loaded.config.daemon.control_socket;
    // An operator may look at the daemon without the right to read its configuration.
    if (!named) return config::DaemonSettings{}.control_socket;
    for (auto const& problem : loaded.problems) err << problem.describe() << "\n";
    return std::nullopt;
}

int run(Options const& options) {
    if (options.verb == "init") {
        auto* const terminal =
            ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 ? &std::cin : nullptr;
        auto const now = std::chrono::floor<std::chrono::seconds>(SystemClock().now());
        return run_init(options.init, terminal, std::cout, std::cerr, now);
    }
    auto const socket = find_socket(options, std::cerr);
    if (!socket) return exit_usage;
    SocketClient client(*socket);
    return run_verb({options, client, std::cout, std::cerr});
}

}  // namespace mailferry::daemon::cli
