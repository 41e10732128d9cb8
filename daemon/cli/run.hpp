#pragma once

/// From a parsed command line to the verb.

#include "daemon/cli/verb.hpp"

namespace mailferry::daemon::cli {

/// Runs one verb other than `copy` and `init` against `context.client`.
int run_verb(Context const& context);

/// Where the daemon listens: --socket, else what the configuration says, else the default. Problems
/// of a configuration that can't be read are printed; nothing is answered then.
std::optional<std::filesystem::path> find_socket(Options const& options, std::ostream& err);

/// The whole of `mailferry` but for `copy`.
int run(Options const& options);

}  // namespace mailferry::daemon::cli
