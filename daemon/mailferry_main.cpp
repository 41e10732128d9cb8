#include "daemon/cli/process.hpp"
#include "daemon/cli/run.hpp"

int main(int argc, char** argv) {
    using namespace mailferry::daemon;
    cli::harden_process();
    auto const parsed = cli::parse_options(argc, argv);
    if (auto const* const exited = std::get_if<cli::Exited>(&parsed)) return exited->status;
    auto const& options = std::get<cli::Options>(parsed);
    if (options.verb == "copy") return run_copy({options.config, options.json});
    if (options.verb == "estimate")
        return run_estimate({options.config, options.json, options.rate, options.hours});
    return cli::run(options);
}
