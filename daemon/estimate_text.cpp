#include "config/base/units.hpp"
#include "daemon/estimate.hpp"
#include "daemon/text_layout.hpp"

namespace mailferry::daemon {
namespace {

constexpr std::size_t lines_max = 200;

std::string describe(Amount const& amount) {
    return format_count(amount.items, "item", "items") + ", " + format_bytes(amount.bytes);
}

std::string hours_for(std::uint64_t bytes, std::uint64_t bytes_per_second) {
    if (bytes_per_second == 0) return "-";
    return format_duration(std::chrono::seconds(bytes / bytes_per_second + 1));
}

/// Which side is which, in words: a swapped pair shows here.
void put_sides(std::string& out, MigrationEstimate const& migration) {
    out.append("  Read:    ").append(one_line(migration.source)).append(": ");
    out.append(describe(migration.at_source)).append(" to copy\n");
    out.append("  Written: ").append(one_line(migration.target)).append(": ");
    out.append(format_count(migration.items_at_target, "item", "items"));
    out.append(" there now\n  Mailboxes that both sides open: ");
    out.append(format_count(migration.mailboxes_seen)).append(" of ");
    out.append(format_count(migration.mailboxes)).append("\n\n");
}

void put_passes(std::string& out, MigrationEstimate const& migration, Estimate const& estimate) {
    using Align = TextTable::Align;
    TextTable table({{"Pass"},
                     {"Mailboxes", Align::right},
                     {"New items", Align::right},
                     {"Size", Align::right},
                     {"At the rate", Align::right},
                     {"By limits", Align::right}});
    for (auto const& pass : migration.passes)
        table.add({one_line(pass.name), format_count(pass.mailboxes),
                   format_count(pass.amount.items), format_bytes(pass.amount.bytes),
                   hours_for(pass.amount.bytes, estimate.bytes_per_second),
                   hours_for(pass.largest_mailbox_bytes, migration.mailbox_bytes_per_second_max)});
    out.append(table.text(2));
}

void put_rate(std::string& out, MigrationEstimate const& migration, Estimate const& estimate) {
    auto const rate = estimate.bytes_per_second;
    if (rate == 0)
        out.append("  No rate is known yet: run a pilot pass first, or give one with --rate.\n");
    else
        out.append("  Rate: ")
            .append(format_bytes(rate))
            .append(estimate.rate_measured ? "/s, as measured in earlier runs.\n"
                                           : "/s, as given.\n");
    if (auto const limit = migration.mailbox_bytes_per_second_max; limit > 0)
        out.append("  By limits: what the largest mailbox of the pass takes at the ")
            .append(format_bytes(limit))
            .append("/s\n  that the target's published limits let its admins store in one.\n");
    if (!estimate.hours || rate == 0) return;
    auto const bytes = rate * 3'600 * *estimate.hours;
    auto const days = days_that_fit(migration, bytes);
    out.append("  In ").append(std::to_string(*estimate.hours)).append(" h at this rate: ");
    if (!days)
        out.append("not even the mail of the last day.\n");
    else
        out.append("mail_since = \"").append(std::to_string(*days)).append("d\" fits.\n");
}

void put_largest(std::string& out, MigrationEstimate const& migration) {
    if (migration.largest.empty()) return;
    out.append("\n  Largest mailboxes:\n");
    for (auto const& mailbox : migration.largest)
        out.append("  - ")
            .append(one_line(mailbox.source))
            .append(": ")
            .append(describe(mailbox.amount))
            .append("\n");
}

void put_what_stays(std::string& out, MigrationEstimate const& migration) {
    if (!migration.not_copied.empty()) out.append("\n  Folders that can't cross:\n");
    std::size_t count = 0;
    for (auto const& folder : migration.not_copied) {
        if (++count > lines_max) break;
        out.append("  - ").append(one_line(folder.folder)).append(": ");
        out.append(format_count(folder.items, "item", "items")).append(" in ");
        out.append(format_count(folder.mailboxes, "mailbox", "mailboxes")).append(": ");
        out.append(one_line(folder.reason)).append("\n");
    }
    if (migration.too_large.items > 0)
        out.append("\n  Larger than the target takes (")
            .append(format_bytes(migration.item_bytes_max))
            .append("): ")
            .append(describe(migration.too_large))
            .append("\n");
}

void put_problems(std::string& out, MigrationEstimate const& migration) {
    if (migration.problems.empty()) return;
    out.append("\n  What stands in the way:\n");
    std::size_t count = 0;
    for (auto const& problem : migration.problems) {
        if (++count > lines_max) break;
        out.append("  - ").append(one_line(problem.mailbox)).append(": ");
        out.append(one_line(problem.reason)).append("\n");
    }
    auto const all = migration.problems.size() + migration.problems_more;
    if (all > lines_max)
        out.append("  ... and ").append(format_count(all - lines_max)).append(" more.\n");
}

std::string_view verdict(int status) {
    switch (status) {
    case 0: return "Nothing stands in the way. Nothing was written.\n";
    case 4: return "Stopped before the end: the figures cover a part. Nothing was written.\n";
    default: return "Not everything can be copied: see above. Nothing was written.\n";
    }
}

}  // namespace

std::string estimate_text(Estimate const& estimate) {
    std::string out;
    if (estimate.beside_another)
        out.append("Another mailferry works on this state_dir: sessions and rates are shared.\n\n");
    for (auto const& migration : estimate.migrations) {
        out.append("Migration ").append(one_line(migration.name)).append("\n");
        put_sides(out, migration);
        put_passes(out, migration, estimate);
        put_rate(out, migration, estimate);
        put_largest(out, migration);
        put_what_stays(out, migration);
        put_problems(out, migration);
        out.append("\n");
    }
    return out.append(verdict(estimate.exit_status()));
}

}  // namespace mailferry::daemon
