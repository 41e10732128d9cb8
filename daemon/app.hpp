#pragma once

/// The two programs' main tasks. Each builds everything it needs, runs until its end, and answers
/// the exit status of the contract: 0 done, 1 some failed, 2 configuration wrong, 4 stopped.

#include <cstdint>
#include <filesystem>
#include <optional>

namespace mailferry::daemon {

struct CopyOptions {
    std::filesystem::path config;
    bool json = false;  ///< The report as JSON on standard output.
};

struct EstimateOptions {
    std::filesystem::path config;
    bool json = false;
    std::uint64_t bytes_per_second = 0;  ///< 0: as measured in earlier runs.
    std::optional<std::uint32_t> hours;  ///< Seek the window that fits so many.
};

struct DaemonOptions {
    std::filesystem::path config;
    bool check = false;  ///< Only validate: prints every problem and starts nothing.
};

/// `mailferry copy`: every pass of every migration, then the report.
int run_copy(CopyOptions options);
/// `mailferry estimate`: the dry run. Touches no mailbox and no spool.
int run_estimate(EstimateOptions options);
/// `mailferryd`: the service, until SIGTERM, SIGINT or a shutdown request.
int run_daemon(DaemonOptions options);

}  // namespace mailferry::daemon
