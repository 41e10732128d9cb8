#include "daemon/estimate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailferry::daemon {
namespace {

using testing::HasSubstr;

store::PassRecord record(std::int64_t started, std::int64_t ended, std::uint64_t bytes) {
    store::PassRecord made;
    made.started = started;
    made.ended = ended;
    made.counters.bytes_stored = bytes;
    return made;
}

// Goal: time in which two mailboxes were worked on at once counts once, and idle time not at all.
TEST(MeasuredRateTest, CountsTheTimeOfWorkOnce) {
    EXPECT_EQ(measured_rate({}), 0u);
    EXPECT_EQ(measured_rate({record(100, 100, 5'000)}), 0u) << "less than a second";
    EXPECT_EQ(measured_rate({record(100, 110, 1'000)}), 100u);
    EXPECT_EQ(measured_rate({record(100, 110, 1'000), record(105, 120, 1'000)}), 100u);
    EXPECT_EQ(measured_rate({record(105, 108, 500), record(100, 110, 500)}), 100u);
    EXPECT_EQ(measured_rate({record(100, 110, 1'000), record(900, 910, 1'000)}), 100u);
    EXPECT_EQ(measured_rate({record(100, 110, 1'000), record(200, 300, 0)}), 100u)
        << "a pass that found nothing new";
}

MigrationEstimate by_age() {
    MigrationEstimate migration;
    migration.name = "merger";
    migration.source = "tenant old (imap, old.example)";
    migration.without_window = {1, 100};
    migration.mail_by_age[0] = {1, 50};
    migration.mail_by_age[6] = {1, 50};
    migration.mail_by_age[300] = {1, 1'000};
    return migration;
}

TEST(DaysThatFitTest, WhatHasNoWindowGoesFirst) {
    EXPECT_EQ(days_that_fit(by_age(), 149), std::nullopt);
    EXPECT_EQ(days_that_fit(by_age(), 150), 1u);
    EXPECT_EQ(days_that_fit(by_age(), 200), 7u);
    EXPECT_EQ(days_that_fit(by_age(), 1'199), 7u);
    EXPECT_EQ(days_that_fit(by_age(), 1'200), 301u);
}

TEST(EstimateTest, SaysWhatIsReadAndWhatWouldBeWrittenFirst) {
    Estimate estimate;
    auto migration = by_age();
    migration.problems.push_back({"bob\x1b[31m@old.example", "no licence"});
    migration.problems_more = 5;
    migration.too_large = {2, 300};
    migration.item_bytes_max = 150;
    migration.passes.push_back({"first", 3, {7, 3'600}, 3'600});
    migration.mailbox_bytes_per_second_max = 1;
    estimate.migrations.push_back(migration);
    estimate.bytes_per_second = 2;
    estimate.hours = 1;
    auto const text = estimate_text(estimate);
    EXPECT_THAT(text, HasSubstr("Migration merger\n  Read:    tenant old"));
    EXPECT_THAT(text, HasSubstr("Rate: 2 B/s, as given"));
    EXPECT_THAT(text, HasSubstr("mail_since = \"301d\" fits"));
    EXPECT_THAT(text, HasSubstr("Larger than the target takes (150 B): 2 items, 300 B"));
    EXPECT_THAT(text, HasSubstr("no licence"));
    EXPECT_THAT(text, testing::Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, HasSubstr("30m 1s")) << "3600 B at 2 B/s";
    EXPECT_THAT(text, HasSubstr(" 1h\n")) << "3600 B at the limit of 1 B/s";
    EXPECT_EQ(estimate.exit_status(), 1);
    estimate.migrations[0].problems.clear();
    EXPECT_EQ(estimate.exit_status(), 1) << "items that the target won't take";
    estimate.migrations[0].too_large = {};
    EXPECT_EQ(estimate.exit_status(), 0);
    estimate.stopped = true;
    EXPECT_EQ(estimate.exit_status(), 4);
}

}  // namespace
}  // namespace mailferry::daemon
