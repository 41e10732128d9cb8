#pragma once

/// `mailferry init`: asks for what it needs and writes a configuration and a mapping to begin with.

#include "daemon/cli/options.hpp"

#include <chrono>
#include <istream>
#include <ostream>

namespace mailferry::daemon::cli {

/// Answers the exit status: 0 written; 2 an answer is missing or can't be used, or a file is there
/// already (then nothing is written); 1 a file can't be written. `answers` is the terminal, or null
/// if there is none: then every answer must be an option, or --yes takes the defaults. `now` turns
/// a date into an age.
int run_init(InitOptions const& options, std::istream* answers, std::ostream& out,
             std::ostream& err, std::chrono::sys_seconds now);

}  // namespace mailferry::daemon::cli
