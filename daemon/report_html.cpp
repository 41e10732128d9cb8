#include "config/base/units.hpp"
#include "daemon/report.hpp"
#include "daemon/text_layout.hpp"

#include <initializer_list>

namespace mailferry::daemon {
namespace {

/// Foreign text inside an element: markup, control characters and bidi overrides do nothing.
std::string escaped(std::string_view foreign) {
    std::string out;
    for (auto const c : escape_untrusted(foreign, 2'048)) {
        switch (c) {
        case '&': out.append("&amp;"); break;
        case '<': out.append("&lt;"); break;
        case '>': out.append("&gt;"); break;
        case '"': out.append("&quot;"); break;
        case '\'': out.append("&#39;"); break;
        default: out.push_back(c);
        }
    }
    return out;
}

// No script, no request to anywhere: the page may be mailed and opened from any folder.
constexpr std::string_view head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mailferry report</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem;
  border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent);
  overflow-wrap: anywhere; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.verdict { padding: .6rem 1rem; border-left: .4rem solid; }
.good { border-color: #2a8a4a; } .bad { border-color: #c23b3b; } .open { border-color: #b98a1c; }
</style></head><body>
<h1>mailferry report</h1>
)";

struct Cell {
    std::string text;
    bool number = false;
};

void put_row(std::string& out, std::string_view tag, std::initializer_list<Cell> cells) {
    out.append("<tr>");
    for (auto const& cell : cells) {
        out.append("<").append(tag);
        if (tag == "th") out.append(" scope=\"col\"");
        if (cell.number) out.append(" class=\"n\"");
        out.append(">").append(cell.text).append("</").append(tag).append(">");
    }
    out.append("</tr>\n");
}

void begin_table(std::string& out, std::string_view caption, std::initializer_list<Cell> headings) {
    out.append("<table><caption>").append(caption).append("</caption><thead>\n");
    put_row(out, "th", headings);
    out.append("</thead><tbody>\n");
}

void end_table(std::string& out) { out.append("</tbody></table>\n"); }

Cell number(std::uint64_t value) { return {format_count(value), true}; }

void put_passes(std::string& out, MigrationReport const& migration) {
    begin_table(out, "Passes",
                {{"Pass"},
                 {"State"},
                 {"Mailboxes", true},
                 {"Failed", true},
                 {"Seen", true},
                 {"Stored", true},
                 {"Unchanged", true},
                 {"Left out", true},
                 {"Items failed", true},
                 {"Size", true},
                 {"Started"},
                 {"Ended"}});
    for (auto const& pass : migration.passes)
        put_row(out, "td",
                {{escaped(pass.name)},
                 {std::string(store::to_string(pass.state))},
                 {format_count(pass.mailboxes.done) + " of " + format_count(pass.mailboxes.total()),
                  true},
                 number(pass.mailboxes.failed),
                 number(pass.counters.seen),
                 number(pass.counters.stored),
                 number(pass.counters.unchanged),
                 number(pass.counters.left_out),
                 number(pass.counters.failed),
                 {format_bytes(pass.counters.bytes_stored), true},
                 {format_instant(pass.started)},
                 {format_instant(pass.ended)}});
    end_table(out);
    for (auto const& pass : migration.passes)
        out.append("<p>")
            .append(escaped(pass.name))
            .append(": ")
            .append(escaped(describe_work(pass.counters)))
            .append(".</p>\n");
}

void put_failures(std::string& out, MigrationReport const& migration) {
    if (migration.failures.empty()) return;
    begin_table(out, "Items that were not copied",
                {{"Mailbox"},
                 {"Folder"},
                 {"Item", true},
                 {"Size", true},
                 {"Received"},
                 {"Reason"},
                 {"Attempts", true},
                 {"Kept as"},
                 {"Next step"}});
    for (auto const& failure : migration.failures)
        put_row(
            out, "td",
            {{escaped(failure.mailbox)},
             {escaped(failure.folder)},
             {std::to_string(failure.item), true},
             {format_bytes(failure.size_bytes), true},
             {format_instant(failure.received)},
             {escaped(failure.reason) + (failure.text.empty() ? "" : ": ") + escaped(failure.text)},
             number(failure.attempts),
             {escaped(failure.exported)},
             {escaped(failure.next_step)}});
    end_table(out);
    if (migration.more_failures) out.append("<p>The ledger holds still more failed items.</p>\n");
}

void put_mailboxes(std::string& out, MigrationReport const& migration) {
    begin_table(out, "Mailboxes",
                {{"Source"}, {"Target"}, {"State"}, {"Stored", true}, {"Error"}, {"Next step"}});
    for (auto const& mailbox : migration.mailboxes)
        put_row(out, "td",
                {{escaped(mailbox.source)},
                 {escaped(mailbox.target)},
                 {std::string(store::to_string(mailbox.state))},
                 number(mailbox.items_stored),
                 {escaped(mailbox.error)},
                 {escaped(mailbox.next_step)}});
    end_table(out);
}

void put_not_copied(std::string& out, MigrationReport const& migration) {
    if (migration.not_copied.empty()) return;
    begin_table(out, "Folders that can't cross",
                {{"Folder"}, {"Mailboxes", true}, {"Items", true}, {"Reason"}});
    for (auto const& folder : migration.not_copied)
        put_row(out, "td",
                {{escaped(folder.folder)},
                 number(folder.mailboxes),
                 number(folder.items),
                 {escaped(folder.reason)}});
    end_table(out);
    if (migration.more_not_copied) out.append("<p>The ledger holds still more such folders.</p>\n");
}

std::string_view verdict(int exit_status) {
    switch (exit_status) {
    case 0: return "<p class=\"verdict good\">Done: everything was copied.</p>\n";
    case 1: return "<p class=\"verdict bad\">Done, but not everything could be copied.</p>\n";
    default: return "<p class=\"verdict open\">Not at the end yet: work is left.</p>\n";
    }
}

}  // namespace

std::string report_html(Report const& report) {
    std::string out(head);
    out.append("<p>Made ").append(format_instant(report.made)).append("</p>\n");
    out.append(verdict(report.exit_status));
    for (auto const& migration : report.migrations) {
        out.append("<h2>Migration ").append(escaped(migration.name)).append("</h2>\n");
        put_passes(out, migration);
        put_failures(out, migration);
        put_not_copied(out, migration);
        put_mailboxes(out, migration);
    }
    return out.append("</body></html>\n");
}

}  // namespace mailferry::daemon
