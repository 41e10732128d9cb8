#pragma once

/// Reads what a report is made from.

#include "daemon/report.hpp"

namespace mailferry::daemon {

/// At most this many failed items of a migration are read; Report says when there are more.
inline constexpr std::size_t report_failures_max = 10'000;
/// And of the folders that can't cross.
inline constexpr std::size_t report_left_out_max = 100'000;

/// `mappings` has the rows of each of the configuration's migrations, in the same order. Pairs that
/// the ledger doesn't know yet are made in it, as the engine would. All three must outlive the
/// call.
awaitable<Result<std::vector<MigrationRecords>>> read_report_records(
    config::Config const& config, std::vector<std::vector<config::MailboxPair>> const& mappings,
    store::Ledger& ledger);

}  // namespace mailferry::daemon
