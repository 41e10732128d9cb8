#include "config/base/units.hpp"
#include "daemon/report.hpp"
#include "daemon/text_layout.hpp"

namespace mailferry::daemon {
namespace {

using store::PassState;

// Longer lists belong into CSV or HTML; the text says how many more there are.
constexpr std::size_t lines_max = 200;

std::string describe_mailboxes(MailboxCounts const& counts) {
    std::string text = format_count(counts.done) + " of " +
                       format_count(counts.total(), "mailbox", "mailboxes") + " done";
    auto const also = [&](std::uint64_t number, std::string_view what) {
        if (number > 0) text.append(", ").append(format_count(number)).append(what);
    };
    also(counts.failed, " failed");
    also(counts.running, " running");
    also(counts.paused, " paused");
    also(counts.cancelled, " cancelled");
    also(counts.waiting, " waiting");
    return text;
}

std::string describe_time(PassReport const& pass) {
    if (pass.started == 0) return {};
    if (pass.ended == 0) return "since " + format_instant(pass.started);
    return "in " + format_duration(std::chrono::seconds(pass.ended - pass.started));
}

void put_passes(std::string& out, MigrationReport const& migration) {
    TextTable table({{"Pass"}, {"State"}, {"Mailboxes"}, {"Items"}, {"Time"}});
    for (auto const& pass : migration.passes)
        table.add({one_line(pass.name), std::string(store::to_string(pass.state)),
                   describe_mailboxes(pass.mailboxes), describe_work(pass.counters),
                   describe_time(pass)});
    out.append(table.text(2));
}

std::string_view sentence(PassState state) {
    switch (state) {
    case PassState::failed: return "failed";
    case PassState::paused: return "is paused";
    case PassState::cancelled: return "was cancelled";
    case PassState::running: return "is running";
    case PassState::waiting: return "waits";
    case PassState::done: return "is done";
    }
    return "is unknown";
}

bool worth_a_line(MailboxReport const& mailbox) {
    return mailbox.state == PassState::failed || mailbox.state == PassState::cancelled ||
           !mailbox.error.empty();
}

void put_more(std::string& out, std::size_t more, std::string_view what) {
    if (more > 0)
        out.append("  ... and ")
            .append(format_count(more))
            .append(what)
            .append(": see the report in CSV or HTML form.\n");
}

void put_mailboxes(std::string& out, MigrationReport const& migration) {
    std::size_t count = 0;
    for (auto const& mailbox : migration.mailboxes) {
        if (!worth_a_line(mailbox) || ++count > lines_max) continue;
        if (count == 1) out.append("\n  Mailboxes that need attention:\n");
        out.append("  - ").append(one_line(mailbox.source));
        if (mailbox.target != mailbox.source) out.append(" -> ").append(one_line(mailbox.target));
        out.append(" ").append(sentence(mailbox.state));
        if (!mailbox.error.empty()) out.append(": ").append(one_line(mailbox.error));
        out.push_back('\n');
        if (!mailbox.next_step.empty())
            out.append("    Next: ").append(mailbox.next_step).push_back('\n');
    }
    put_more(out, count > lines_max ? count - lines_max : 0, " more mailboxes");
}

void put_failures(std::string& out, MigrationReport const& migration) {
    auto const total = migration.failures.size();
    if (total == 0) return;
    out.append("\n  Items that were not copied:\n");
    for (std::size_t i = 0; i < total && i < lines_max; ++i) {
        auto const& failure = migration.failures[i];
        out.append("  - ").append(one_line(failure.mailbox)).append(", folder ");
        out.append(one_line(failure.folder)).append(", item ").append(std::to_string(failure.item));
        out.append(" (").append(format_bytes(failure.size_bytes));
        if (failure.received != 0)
            out.append(", received ").append(format_instant(failure.received));
        out.append("): ").append(one_line(failure.reason));
        if (!failure.text.empty()) out.append(": ").append(one_line(failure.text));
        out.push_back('\n');
        if (!failure.exported.empty())
            out.append("    Kept as: ").append(one_line(failure.exported)).push_back('\n');
        out.append("    Next: ").append(failure.next_step).push_back('\n');
    }
    put_more(out, total > lines_max ? total - lines_max : 0, " more items");
    if (migration.more_failures) out.append("  (The ledger holds still more failed items.)\n");
}

void put_not_copied(std::string& out, MigrationReport const& migration) {
    auto const total = migration.not_copied.size();
    if (total == 0) return;
    out.append("\n  Folders that can't cross:\n");
    for (std::size_t i = 0; i < total && i < lines_max; ++i) {
        auto const& folder = migration.not_copied[i];
        out.append("  - ").append(one_line(folder.folder)).append(": ");
        out.append(format_count(folder.items, "item", "items")).append(" in ");
        out.append(format_count(folder.mailboxes, "mailbox", "mailboxes")).append(": ");
        out.append(one_line(folder.reason)).push_back('\n');
    }
    put_more(out, total > lines_max ? total - lines_max : 0, " more folders");
    if (migration.more_not_copied) out.append("  (The ledger holds still more such folders.)\n");
}

std::string verdict(Report const& report) {
    switch (report.exit_status) {
    case 0: return "Done: everything was copied.";
    case 1: return "Done, but not everything could be copied: see above.";
    case 4: return "Not at the end yet: work is left. After a stop it goes on from here.";
    default: return {};
    }
}

}  // namespace

std::string report_text(Report const& report) {
    std::string out;
    for (auto const& migration : report.migrations) {
        out.append("Migration ").append(one_line(migration.name)).append("\n");
        put_passes(out, migration);
        put_mailboxes(out, migration);
        put_failures(out, migration);
        put_not_copied(out, migration);
        out.push_back('\n');
    }
    return out.append(verdict(report)).append("\n");
}

}  // namespace mailferry::daemon
