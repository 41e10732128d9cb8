#include "daemon/cli/process.hpp"

#include <sys/prctl.h>

#include <csignal>

namespace mailferry::daemon::cli {

void harden_process() {
    std::signal(SIGPIPE, SIG_IGN);
    ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace mailferry::daemon::cli
