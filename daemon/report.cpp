#include "daemon/report.hpp"

#include "config/base/assert.hpp"
#include "config/base/units.hpp"
#include "daemon/plan.hpp"
#include "daemon/report_advice.hpp"
#include "daemon/text_layout.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace mailferry::daemon {
namespace {

using store::PassRecord;
using store::PassState;

void count(MailboxCounts& counts, PassState state) {
    switch (state) {
    case PassState::waiting: ++counts.waiting; return;
    case PassState::running: ++counts.running; return;
    case PassState::done: ++counts.done; return;
    case PassState::failed: ++counts.failed; return;
    case PassState::paused: ++counts.paused; return;
    case PassState::cancelled: ++counts.cancelled; return;
    }
}

/// The higher, the more a reader must know of it.
int weight(PassState state) {
    switch (state) {
    case PassState::done: return 0;
    case PassState::waiting: return 1;
    case PassState::cancelled: return 2;
    case PassState::running: return 3;
    case PassState::paused: return 4;
    case PassState::failed: return 5;
    }
    return 5;
}

PassState state_of(MailboxCounts const& counts) {
    auto const total = counts.total();
    if (counts.running > 0) return PassState::running;
    if (counts.paused > 0) return PassState::paused;
    if (counts.waiting > 0)
        return counts.waiting == total ? PassState::waiting : PassState::running;
    if (counts.failed > 0) return PassState::failed;
    if (counts.cancelled > 0) return PassState::cancelled;
    return PassState::done;
}

using RecordKey = std::pair<store::PairId, std::string_view>;

std::string advice_for(std::string_view error) {
    auto const code = code_in(error);
    return std::string(code ? next_step(*code) : "Look at the log around this mailbox.");
}

/// Adds one mailbox's pass to the pass's and the mailbox's lines. A pass over a mailbox that has no
/// record yet waits.
void add_record(PassReport& pass, MailboxReport& mailbox, PassRecord const& record) {
    count(pass.mailboxes, record.state);
    pass.counters += record.counters;
    if (record.started != 0 && (pass.started == 0 || record.started < pass.started))
        pass.started = record.started;
    pass.ended = std::max(pass.ended, record.ended);
    mailbox.items_stored += record.counters.stored;
    bool const tells_more = weight(record.state) > weight(mailbox.state);
    if (tells_more) mailbox.state = record.state;
    if (record.state != PassState::done && !record.error.empty() &&
        (tells_more || mailbox.error.empty())) {
        mailbox.error = record.error;
        mailbox.next_step = advice_for(record.error);
    }
}

std::vector<NotCopied> sum_left_out(std::vector<store::LeftOutRecord> const& records) {
    std::map<std::pair<std::string_view, std::string_view>, NotCopied> sums;
    for (auto const& record : records) {
        auto& sum = sums[{record.folder.path, record.folder.reason}];
        ++sum.mailboxes;
        sum.items += record.folder.items;
    }
    std::vector<NotCopied> all;
    for (auto& [key, sum] : sums) {
        sum.folder = key.first;
        sum.reason = key.second;
        all.push_back(std::move(sum));
    }
    std::stable_sort(all.begin(), all.end(),
                     [](auto const& a, auto const& b) { return a.items > b.items; });
    return all;
}

MigrationReport make_migration(MigrationRecords const& records) {
    MAILFERRY_ASSERT(records.pairs.size() == records.mailboxes.size());
    MigrationReport report;
    report.name = records.migration.name;
    report.more_failures = records.more_failures;
    report.not_copied = sum_left_out(records.left_out);
    report.more_not_copied = records.more_left_out;

    std::map<RecordKey, PassRecord const*> found;
    for (auto const& record : records.passes)
        found.emplace(RecordKey{record.pair, record.pass}, &record);
    for (auto const& pass : records.migration.passes) report.passes.emplace_back().name = pass.name;

    for (std::size_t i = 0; i < records.mailboxes.size(); ++i) {
        auto const& pair = records.mailboxes[i];
        MailboxReport mailbox;
        mailbox.source = pair.source;
        mailbox.target = pair.target;
        mailbox.state = PassState::done;
        for (std::size_t p = 0; p < report.passes.size(); ++p) {
            auto const& pass = records.migration.passes[p];
            if (!covers(pass, pair)) continue;
            auto const at = found.find({records.pairs[i], pass.name});
            add_record(report.passes[p], mailbox, at == found.end() ? PassRecord{} : *at->second);
        }
        report.mailboxes.push_back(std::move(mailbox));
    }
    for (auto& pass : report.passes) {
        pass.state = state_of(pass.mailboxes);
        bool const over = pass.state == PassState::done || pass.state == PassState::failed ||
                          pass.state == PassState::cancelled;
        if (!over) pass.ended = 0;
    }
    for (auto const& failed : records.failures) {
        auto const& item = failed.item;
        report.failures.push_back({failed.source_mailbox, failed.folder_path, item.number,
                                   item.size, item.received, item.reason, item.detail,
                                   item.attempts, item.exported,
                                   std::string(next_step(item.reason))});
    }
    return report;
}

int exit_status_of(Report const& report, bool stopped) {
    bool unfinished = false;
    bool failed = false;
    for (auto const& migration : report.migrations) {
        failed |= !migration.failures.empty();
        for (auto const& mailbox : migration.mailboxes) {
            switch (mailbox.state) {
            case PassState::done: break;
            case PassState::failed:
            case PassState::cancelled: failed = true; break;
            case PassState::running: unfinished = true; break;
            case PassState::waiting:
            case PassState::paused:
                (stopped || mailbox.error.empty() ? unfinished : failed) = true;
                break;
            }
        }
        // A mailbox that failed in one pass may wait for another one: a stop came first.
        for (auto const& pass : migration.passes)
            if (stopped && pass.mailboxes.waiting + pass.mailboxes.running > 0) unfinished = true;
    }
    if (unfinished) return 4;
    return failed ? 1 : 0;
}

}  // namespace

Report make_report(std::vector<MigrationRecords> const& records, bool stopped, std::int64_t now) {
    Report report;
    report.made = now;
    for (auto const& migration : records) report.migrations.push_back(make_migration(migration));
    report.exit_status = exit_status_of(report, stopped);
    return report;
}

std::string describe_work(store::PassCounters const& counters) {
    std::vector<std::string> parts;
    if (counters.stored > 0) {
        parts.push_back(format_count(counters.stored, "item", "items") + " stored (" +
                        format_bytes(counters.bytes_stored) + ")");
        if (counters.unchanged > 0)
            parts.push_back(format_count(counters.unchanged) + " unchanged");
    } else if (counters.seen == 0) {
        parts.push_back("no items seen");
    } else if (counters.unchanged > 0 && counters.failed + counters.waiting == 0) {
        parts.push_back("nothing new: " + format_count(counters.unchanged, "item", "items") +
                        " unchanged");
    } else {
        parts.push_back("nothing stored");
        if (counters.unchanged > 0)
            parts.push_back(format_count(counters.unchanged) + " unchanged");
    }
    auto const also = [&](std::uint64_t number, std::string_view what) {
        if (number > 0) parts.push_back(format_count(number).append(what));
    };
    also(counters.flags_changed, " with new flags");
    also(counters.left_out, " left out by rule");
    also(counters.gone, " gone at the source");
    also(counters.failed, " failed");
    also(counters.waiting, " waiting");
    std::string text;
    for (auto const& part : parts) text.append(text.empty() ? "" : ", ").append(part);
    return text;
}

namespace {
struct FormatName {
    std::string_view name, content_type;
    ReportFormat format;
};
constexpr std::array<FormatName, 4> format_names{{
    {"text", "text/plain; charset=utf-8", ReportFormat::text},
    {"json", "application/json", ReportFormat::json},
    {"csv", "text/csv; charset=utf-8", ReportFormat::csv},
    {"html", "text/html; charset=utf-8", ReportFormat::html},
}};
}  // namespace

std::optional<ReportFormat> report_format_from(std::string_view name) {
    for (auto const& known : format_names)
        if (known.name == name) return known.format;
    return std::nullopt;
}

std::string_view content_type(ReportFormat format) {
    for (auto const& known : format_names)
        if (known.format == format) return known.content_type;
    return "application/octet-stream";
}

std::string format_report(Report const& report, ReportFormat format) {
    switch (format) {
    case ReportFormat::text: return report_text(report);
    case ReportFormat::json: return report_json(report);
    case ReportFormat::csv: return report_csv(report);
    case ReportFormat::html: return report_html(report);
    }
    return report_text(report);
}

}  // namespace mailferry::daemon
