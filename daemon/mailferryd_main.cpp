#include "daemon/cli/options.hpp"
#include "daemon/cli/process.hpp"

int main(int argc, char** argv) {
    using namespace mailferry::daemon;
    cli::harden_process();
    auto const parsed = cli::parse_daemon_options(argc, argv);
    if (auto const* const exited = std::get_if<cli::Exited>(&parsed)) return exited->status;
    return run_daemon(std::get<DaemonOptions>(parsed));
}
