#include "daemon/report.hpp"

#include "daemon/report_advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace mailferry::daemon {
namespace {

using store::PassState;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t start = 1'772'000'000;

store::PassRecord record(int pair, std::string pass, PassState state, store::PassCounters counters,
                         std::string error = {}) {
    store::PassRecord made;
    made.pair = store::PairId{pair};
    made.pass = std::move(pass);
    made.state = state;
    made.counters = counters;
    made.error = std::move(error);
    made.started = start + pair;
    made.ended = state == PassState::done || state == PassState::failed ? start + 60 * pair : 0;
    return made;
}

store::PassCounters counters(std::uint64_t seen, std::uint64_t stored, std::uint64_t unchanged,
                             std::uint64_t failed = 0) {
    store::PassCounters made;
    made.seen = seen;
    made.stored = stored;
    made.unchanged = unchanged;
    made.failed = failed;
    made.bytes_stored = stored * 1'024;
    return made;
}

MigrationRecords merger(std::vector<std::string> mailboxes) {
    MigrationRecords records;
    records.migration.name = "merger";
    records.migration.passes.emplace_back().name = "first";
    int pair = 0;
    for (auto& name : mailboxes) {
        config::MailboxPair mailbox;
        mailbox.target = name + "@contoso.example";
        mailbox.source = std::move(name) + "@fabrikam.example";
        records.mailboxes.push_back(std::move(mailbox));
        records.pairs.push_back(store::PairId{++pair});
    }
    return records;
}

store::FailedItem failed_item(std::string folder, std::string reason, std::string detail) {
    store::FailedItem failed;
    failed.source_mailbox = "bob@fabrikam.example";
    failed.folder_path = std::move(folder);
    failed.item.number = 4'711;
    failed.item.size = 157'286'400;
    failed.item.received = 1'709'210'096;
    failed.item.reason = std::move(reason);
    failed.item.detail = std::move(detail);
    failed.item.attempts = 3;
    failed.item.exported = "item-99.eml";
    return failed;
}

/// Three mailboxes: one done, one with a failed item, one refused.
Report mixed_report() {
    auto records = merger({"alice", "bob", "carol"});
    records.passes = {
        record(1, "first", PassState::done, counters(100, 100, 0)),
        record(2, "first", PassState::done, counters(50, 20, 29, 1)),
        record(3, "first", PassState::failed, {},
               "login_refused: source=fabrikam admin=migrate1 (server: bad password)")};
    records.failures = {failed_item("Archive/2024", "item_too_large", "limit 100 MiB")};
    return make_report({records}, false, start + 600);
}

TEST(ReportTest, TextNamesWhatFailedAndWhatToDo) {
    EXPECT_EQ(report_text(mixed_report()), R"(Migration merger
  Pass   State   Mailboxes                        Items                                               Time
  first  failed  2 of 3 mailboxes done, 1 failed  120 items stored (120 KiB), 29 unchanged, 1 failed  in 2m 59s

  Mailboxes that need attention:
  - carol@fabrikam.example -> carol@contoso.example failed: login_refused: source=fabrikam admin=migrate1 (server: bad password)
    Next: Correct the password or the admin's rights, then run the pass again.

  Items that were not copied:
  - bob@fabrikam.example, folder Archive/2024, item 4711 (150 MiB, received 2024-02-29 12:34 UTC): item_too_large: limit 100 MiB
    Kept as: item-99.eml
    Next: Raise the target's size limit and retry, or hand the exported file to the owner.

Done, but not everything could be copied: see above.
)");
}

TEST(ReportTest, SecondRunSaysThatNothingIsNew) {
    auto records = merger({"alice"});
    records.passes = {record(1, "first", PassState::done, counters(6'400, 0, 6'400))};
    auto const report = make_report({records}, false, start);
    EXPECT_EQ(report.exit_status, 0);
    auto const text = report_text(report);
    EXPECT_THAT(text, HasSubstr("nothing new: 6,400 items unchanged"));
    EXPECT_THAT(text, HasSubstr("Done: everything was copied."));
}

struct ExitCase {
    std::string_view name;
    PassState state;
    std::string_view error;
    bool stopped;
    bool failed_items;
    int exit_status;
};

constexpr ExitCase exit_cases[] = {
    {"all_done", PassState::done, "", false, false, 0},
    {"stopped_after_the_end", PassState::done, "", true, false, 0},
    {"done_with_failed_items", PassState::done, "", false, true, 1},
    {"failed", PassState::failed, "mailbox_refused: no such user", false, false, 1},
    {"cancelled", PassState::cancelled, "", false, false, 1},
    {"over_quota", PassState::paused, "over_quota: 10 MiB", false, false, 1},
    {"paused_by_the_operator", PassState::paused, "", false, false, 4},
    {"waits_for_a_dead_host", PassState::waiting, "unreachable: no route", false, false, 1},
    {"waits_when_stopped", PassState::waiting, "unreachable: no route", true, false, 4},
    {"waits_its_turn", PassState::waiting, "", false, false, 4},
    {"running", PassState::running, "", false, true, 4},
};

class ReportExitTest : public testing::TestWithParam<ExitCase> {};

TEST_P(ReportExitTest, ExitStatusIsThatOfTheContract) {
    auto const& c = GetParam();
    auto records = merger({"alice", "bob"});
    records.passes = {record(1, "first", PassState::done, counters(1, 1, 0)),
                      record(2, "first", c.state, counters(1, 1, 0), std::string(c.error))};
    if (c.failed_items) records.failures = {failed_item("A", "item_refused", "no")};
    EXPECT_EQ(make_report({records}, c.stopped, start).exit_status, c.exit_status);
}

INSTANTIATE_TEST_SUITE_P(Report, ReportExitTest, testing::ValuesIn(exit_cases),
                         [](auto const& test) { return std::string(test.param.name); });

TEST(ReportTest, PassCoversOnlyItsWaves) {
    auto records = merger({"alice", "bob"});
    records.mailboxes[1].wave = "two";
    records.migration.passes.emplace_back().name = "late";
    records.migration.passes[1].waves = {"two"};
    records.passes = {record(1, "first", PassState::done, counters(1, 1, 0)),
                      record(2, "first", PassState::done, counters(1, 1, 0))};
    auto const report = make_report({records}, false, start);
    EXPECT_EQ(report.migrations[0].passes[0].mailboxes.done, 2u);
    EXPECT_EQ(report.migrations[0].passes[1].mailboxes.total(), 1u);
    EXPECT_EQ(report.migrations[0].passes[1].mailboxes.waiting, 1u);
    EXPECT_EQ(report.exit_status, 4);
}

TEST(ReportTest, JsonHasTheContractsShape) {
    auto const value = boost::json::parse(report_json(mixed_report()));
    auto const& migration = value.at("migrations").at(0);
    EXPECT_EQ(value.at("exit_status").as_int64(), 1);
    EXPECT_EQ(migration.at("name").as_string(), "merger");
    auto const& pass = migration.at("passes").at(0);
    for (auto const* const key : {"name", "state", "mailboxes", "items", "flags_changed",
                                  "bytes_stored", "started_unix", "ended_unix"})
        EXPECT_TRUE(pass.as_object().contains(key)) << key;
    EXPECT_EQ(pass.at("mailboxes").at("done").to_number<int>(), 2);
    EXPECT_EQ(pass.at("mailboxes").at("failed").to_number<int>(), 1);
    EXPECT_EQ(pass.at("items").at("seen").to_number<int>(), 150);
    EXPECT_EQ(pass.at("items").at("stored").to_number<int>(), 120);
    EXPECT_EQ(pass.at("ended_unix").to_number<std::int64_t>(), start + 180);
    auto const& carol = migration.at("mailboxes").at(2);
    EXPECT_EQ(carol.at("state").as_string(), "failed");
    EXPECT_THAT(std::string(carol.at("error").as_string()), HasSubstr("login_refused"));
    auto const& failure = migration.at("failures").at(0);
    EXPECT_EQ(failure.at("item").to_number<int>(), 4'711);
    EXPECT_EQ(failure.at("size").to_number<int>(), 157'286'400);
    EXPECT_EQ(failure.at("reason").as_string(), "item_too_large");
    EXPECT_EQ(failure.at("exported").as_string(), "item-99.eml");
    EXPECT_THAT(std::string(failure.at("next_step").as_string()), HasSubstr("size limit"));
}

// What a mailbox's owner, a server or a file can put into a report.
constexpr std::string_view hostile[] = {
    "=cmd|' /C calc'!A0",
    "  @SUM(1+1)",
    "\t+1",
    "-2+3",
    "\uFF1D1+1",
    "\u3000=1",
    "<script>alert(1)</script>",
    "\"><img src=x>",
    "a\",\"b\r\nc",
    "\x1b[31mred\x1b[0m",
    "\u202Egnp.exe",
    "\xff\xfe broken",
    "' onmouseover='x",
    "\x01\x02\x7f",
    "\r=1",
};

Report hostile_report(std::string_view text) {
    auto const foreign = std::string(text);
    auto records = merger({foreign});
    records.migration.name = foreign;
    records.mailboxes[0].source = foreign;
    records.mailboxes[0].target = foreign;
    records.passes = {record(1, "first", PassState::failed, counters(1, 0, 0, 1), foreign)};
    records.failures = {failed_item(foreign, "item_refused", foreign)};
    records.failures[0].source_mailbox = foreign;
    return make_report({records}, false, start);
}

std::vector<std::vector<std::string>> csv_cells(std::string_view csv) {
    std::vector<std::vector<std::string>> rows(1);
    std::string cell;
    bool quoted = false;
    for (std::size_t i = 0; i < csv.size(); ++i) {
        auto const c = csv[i];
        if (quoted && c == '"' && i + 1 < csv.size() && csv[i + 1] == '"') {
            cell.push_back('"');
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == ',' || c == '\n')) {
            rows.back().push_back(std::exchange(cell, {}));
            if (c == '\n') rows.emplace_back();
        } else if (quoted || c != '\r') {
            cell.push_back(c);
        }
    }
    rows.pop_back();
    return rows;
}

TEST(ReportTest, CsvIsRectangularAndNoCellIsAFormula) {
    for (auto const text : hostile) {
        SCOPED_TRACE(text);
        auto const rows = csv_cells(report_csv(hostile_report(text)));
        ASSERT_EQ(rows.size(), 4u);
        for (auto const& row : rows) {
            EXPECT_EQ(row.size(), 23u);
            for (auto const& cell : row) {
                auto const first = cell.find_first_not_of(" \u3000");
                EXPECT_TRUE(first == cell.npos ||
                            std::string_view("=+-@\t\r\n").find(cell[first]) == std::string::npos)
                    << cell;
                EXPECT_FALSE(cell.starts_with("\uFF1D"));
            }
        }
        EXPECT_EQ(rows[2][6], "");
        EXPECT_EQ(rows[3][16], "4711");
    }
}

TEST(ReportTest, HtmlKeepsForeignTextFromActing) {
    for (auto const text : hostile) {
        SCOPED_TRACE(text);
        auto const html = report_html(hostile_report(text));
        EXPECT_THAT(html, HasSubstr("Content-Security-Policy"));
        EXPECT_THAT(html, HasSubstr("default-src 'none'"));
        for (auto const* const forbidden :
             {"<script", "<img", "\x1b", "\u202E", "\xff", "\x01", "href", "src=x>", "url("})
            EXPECT_THAT(html, Not(HasSubstr(forbidden)));
    }
    EXPECT_THAT(report_html(hostile_report("<b>&\"'")), HasSubstr("&lt;b&gt;&amp;&quot;&#39;"));
}

TEST(ReportTest, TextAndJsonKeepForeignTextFromActing) {
    for (auto const text : hostile) {
        SCOPED_TRACE(text);
        auto const plain = report_text(hostile_report(text));
        EXPECT_EQ(plain.find_first_of("\x1b\x01\x7f\r\t"), plain.npos);
        EXPECT_THAT(plain, Not(HasSubstr("\u202E")));
        boost::system::error_code error;
        boost::json::parse(report_json(hostile_report(text)), error);
        EXPECT_FALSE(error) << error.message();
    }
}

TEST(ReportTest, LongListsAreCutInTextAndWholeInCsv) {
    auto records = merger({"alice"});
    records.passes = {record(1, "first", PassState::done, counters(300, 0, 0, 300))};
    for (int i = 0; i < 300; ++i) records.failures.push_back(failed_item("A", "item_refused", "x"));
    records.more_failures = true;
    auto const report = make_report({records}, false, start);
    EXPECT_THAT(report_text(report), HasSubstr("... and 100 more items"));
    EXPECT_EQ(csv_cells(report_csv(report)).size(), 303u);
}

TEST(ReportAdviceTest, EveryCodeHasANextStep) {
    for (int code = static_cast<int>(Errc::connection_lost);
         code <= static_cast<int>(Errc::stopped); ++code) {
        auto const advice = next_step(static_cast<Errc>(code));
        EXPECT_TRUE(advice.ends_with('.')) << code;
        EXPECT_NE(advice, "Look at the log.") << code;
    }
    EXPECT_EQ(code_in("over_quota: target full"), Errc::over_quota);
    EXPECT_EQ(code_in("login_refused"), Errc::login_refused);
    EXPECT_EQ(code_in("Something else"), std::nullopt);
}

TEST(ReportTest, FoldersThatCantCrossAreSummedOverTheMailboxesInEveryForm) {
    auto records = merger({"alice", "bob"});
    records.left_out = {{"alice@fabrikam.example", {"Outbox", "not sent yet", 2}},
                        {"alice@fabrikam.example", {"=cmd()", "<search>", 7}},
                        {"bob@fabrikam.example", {"Outbox", "not sent yet", 3}}};
    records.more_left_out = true;
    auto const report = make_report({records}, false, start);
    EXPECT_THAT(report_text(report), HasSubstr("Folders that can't cross:\n"
                                               "  - =cmd(): 7 items in 1 mailbox: <search>\n"
                                               "  - Outbox: 5 items in 2 mailboxes: not sent yet\n"
                                               "  (The ledger holds still more such folders.)"));
    auto const parsed = boost::json::parse(report_json(report));
    auto const& folders = parsed.at("migrations").at(0).at("not_copied").as_array();
    EXPECT_EQ(folders.at(1).at("mailboxes").to_number<int>(), 2);
    EXPECT_EQ(folders.at(1).at("items").to_number<int>(), 5);
    EXPECT_THAT(report_html(report), HasSubstr("&lt;search&gt;"));
    auto const csv = report_csv(report);
    EXPECT_THAT(csv, HasSubstr("\"'=cmd()\""));
    std::string_view rest(csv);
    auto const columns = [](std::string_view line) {
        return std::count(line.begin(), line.end(), ',');
    };
    auto const heading = columns(rest.substr(0, rest.find('\n')));
    rest = rest.substr(rest.rfind("\"not_copied\""));
    EXPECT_EQ(columns(rest), heading);
}

}  // namespace
}  // namespace mailferry::daemon
