#pragma once

/// What became of every mailbox and item, for the team and for management. Pure: ledger values in,
/// report out; report_source reads them, report_text/_html/... are its forms.

#include "config/types.hpp"
#include "store/ledger.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::daemon {

struct MailboxCounts {
    std::uint64_t done = 0, failed = 0, waiting = 0, paused = 0, cancelled = 0, running = 0;
    std::uint64_t total() const { return done + failed + waiting + paused + cancelled + running; }
};

struct PassReport {
    std::string name;
    store::PassState state = store::PassState::waiting;
    MailboxCounts mailboxes;
    store::PassCounters counters;
    std::int64_t started = 0, ended = 0;  ///< Unix seconds; 0: not yet.
};

/// One mailbox over all passes.
struct MailboxReport {
    std::string source, target;
    store::PassState state = store::PassState::waiting;  ///< Of the pass that went worst.
    std::uint64_t items_stored = 0;
    std::string error, next_step;
};

struct ItemFailure {
    std::string mailbox, folder;
    std::uint64_t item = 0, size_bytes = 0;
    std::int64_t received = 0;
    std::string reason, text;
    std::uint32_t attempts = 0;
    std::string exported, next_step;
};

/// Folders of this name that can't cross, over all mailboxes that have one.
struct NotCopied {
    std::string folder, reason;
    std::uint64_t mailboxes = 0, items = 0;
};

struct MigrationReport {
    std::string name;
    std::vector<PassReport> passes;
    std::vector<MailboxReport> mailboxes;
    std::vector<ItemFailure> failures;
    bool more_failures = false;         ///< The ledger holds more than were read.
    std::vector<NotCopied> not_copied;  ///< Most items first.
    bool more_not_copied = false;
};

struct Report {
    std::vector<MigrationReport> migrations;
    int exit_status = 0;    ///< As the programs' contract has it: 0 done, 1 some failed, 4 stopped.
    std::int64_t made = 0;  ///< Unix seconds.
};

/// What the ledger and the configuration know of one migration.
struct MigrationRecords {
    config::Migration migration;
    std::vector<config::MailboxPair> mailboxes;
    std::vector<store::PairId> pairs;       ///< One for each of `mailboxes`.
    std::vector<store::PassRecord> passes;  ///< In any order; at most one per pair and pass.
    std::vector<store::FailedItem> failures;
    bool more_failures = false;
    std::vector<store::LeftOutRecord> left_out;
    bool more_left_out = false;
};

/// `stopped`: the program was asked to stop, so that work left is no failure. Without it, a mailbox
/// that waits or pauses with an error counts as failed.
Report make_report(std::vector<MigrationRecords> const& records, bool stopped, std::int64_t now);

enum class ReportFormat { text, json, csv, html };
/// "text", "json", "csv", "html"; nothing for another name.
std::optional<ReportFormat> report_format_from(std::string_view name);
std::string_view content_type(ReportFormat format);

std::string format_report(Report const& report, ReportFormat format);

// The forms, one file each. Foreign text is made harmless for the reader of each: escaped for
// terminals, quoted and shielded from spreadsheets' formulas, escaped for HTML.
std::string report_text(Report const& report);
std::string report_json(Report const& report);
std::string report_csv(Report const& report);
std::string report_html(Report const& report);

/// "nothing new: 6,400 items unchanged", "1,203 items stored (12 MiB), 5 left out, 1 failed": what
/// a pass did, in words.
std::string describe_work(store::PassCounters const& counters);

}  // namespace mailferry::daemon
