#pragma once

/// What both programs do before anything else.

namespace mailferry::daemon::cli {

/// Ignores SIGPIPE (a peer that goes away is an error value) and keeps the process's memory, which
/// holds credentials and mail, from core files and from other processes of the same user.
void harden_process();

}  // namespace mailferry::daemon::cli
