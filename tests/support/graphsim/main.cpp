// graphsim: the parts of Microsoft's cloud that mailferry talks to, on loopback, for tests.

#include "tests/support/graphsim/control.hpp"
#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace {

constexpr char usage[] =
    "graphsim --certificate FILE --key FILE [--host NAME] [--seed N]\n"
    "    [--authority-port N] [--graph-port N] [--import-port N] [--control-port N]\n"
    "Serves until SIGTERM. The first line on stdout is JSON with the ports and URLs.\n";

std::map<std::string, std::string> arguments_of(int count, char** values) {
    std::map<std::string, std::string> arguments{{"--host", "localhost"}, {"--seed", "1"}};
    for (int n = 1; n + 1 < count; n += 2) arguments[values[n]] = values[n + 1];
    if (count % 2 == 0 || !arguments.contains("--certificate") || !arguments.contains("--key")) {
        std::fputs(usage, stderr);
        std::exit(2);
    }
    return arguments;
}

/// Thousands of connections at once must not end at the shell's limit.
void allow_many_files() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int count, char** values) try {
    using namespace graphsim;
    auto arguments = arguments_of(count, values);
    allow_many_files();
    asio::io_context context(1);
    asio::ssl::context tls(asio::ssl::context::tls_server);
    tls.use_certificate_chain_file(arguments["--certificate"]);
    tls.use_private_key_file(arguments["--key"], asio::ssl::context::pem);
    World world;
    world.options.seed = std::strtoull(arguments["--seed"].c_str(), nullptr, 10);
    world.random = Random(world.options.seed);
    world.delta_key = sha256("delta " + arguments["--seed"]);
    Control control(world);
    Server server(context, world, tls, control);
    auto const port = [&](Listener listener, std::string const& name) {
        auto const wanted = std::strtoul(arguments[name].c_str(), nullptr, 10);
        return server.listen(listener, static_cast<std::uint16_t>(wanted));
    };
    auto const authority = port(Listener::authority, "--authority-port");
    auto const graph = port(Listener::graph, "--graph-port");
    auto const import_port = port(Listener::import_host, "--import-port");
    auto const control_port = port(Listener::control, "--control-port");
    auto const url = [&](auto number) {
        return "https://" + arguments["--host"] + ":" + std::to_string(number);
    };
    world.import_origin = url(import_port);
    asio::co_spawn(context, control.run_mutation(), asio::detached);
    asio::signal_set signals(context, SIGTERM, SIGINT);
    signals.async_wait([&](auto, int) { context.stop(); });
    json::object const ready{{"authority_port", authority},
                             {"graph_port", graph},
                             {"import_port", import_port},
                             {"control_port", control_port},
                             {"authority", url(authority)},
                             {"graph", url(graph)},
                             {"import", url(import_port)},
                             {"control", "http://127.0.0.1:" + std::to_string(control_port)}};
    std::printf("%s\n", json::serialize(ready).c_str());
    std::fflush(stdout);
    context.run();
    // The coroutines that still wait belong to the context, and use the world.
    std::fflush(nullptr);
    std::_Exit(0);
} catch (std::exception const& error) {
    std::fprintf(stderr, "graphsim: %s\n", error.what());
    return 1;
}
