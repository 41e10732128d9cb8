#include "daemon/plan.hpp"

#include <gtest/gtest.h>

namespace mailferry::daemon {
namespace {

using transport::Folder;
using transport::FolderPath;
using transport::FolderRole;

Folder folder(FolderPath path, FolderRole role = FolderRole::none, std::string mark = {}) {
    Folder made;
    made.id = transport::display(path);
    made.path = std::move(path);
    made.role = role;
    made.mark = std::move(mark);
    return made;
}

FolderRules mail_rules() { return {{}, {config::ItemKind::mail}, {}, true}; }

std::vector<std::string> paths(std::vector<FolderPlan> const& plans) {
    std::vector<std::string> out;
    for (auto const& plan : plans) out.push_back(transport::display(plan.source.path));
    return out;
}

TEST(PlanFolders, InboxComesFirstThenByPath) {
    auto const plans =
        plan_folders({folder({"Archive"}), folder({"Zoo"}), folder({"Archive", "2019"}),
                      folder({"INBOX"}, FolderRole::inbox)},
                     {}, mail_rules());
    EXPECT_EQ(paths(plans), (std::vector<std::string>{"INBOX", "Archive", "Archive/2019", "Zoo"}));
}

struct ExcludeCase {
    std::string rule;
    std::vector<std::string> left;
};

TEST(PlanFolders, ExcludesByPathByLastNameAndBySpecialUse) {
    ExcludeCase const cases[] = {
        {"junk", {"INBOX", "Kunden", "Kunden/Alt"}},  // special use
        {"\\Junk", {"INBOX", "Kunden", "Kunden/Alt"}},
        {"ALT", {"INBOX", "Kunden", "Spam"}},  // last name, any case
        {"Kunden", {"INBOX", "Spam"}},         // path, with what is below
        {"kunden/alt", {"INBOX", "Kunden", "Spam"}},
        {"nothing", {"INBOX", "Kunden", "Kunden/Alt", "Spam"}},
    };
    for (auto const& c : cases) {
        SCOPED_TRACE(c.rule);
        auto rules = mail_rules();
        rules.exclude = {c.rule};
        auto const plans =
            plan_folders({folder({"INBOX"}, FolderRole::inbox), folder({"Kunden"}),
                          folder({"Kunden", "Alt"}), folder({"Spam"}, FolderRole::junk)},
                         {}, rules);
        EXPECT_EQ(paths(plans), c.left);
    }
}

TEST(PlanFolders, UnchangedOnlyIfMarkAndWindowAreCovered) {
    store::FolderRecord record;
    record.source_id = "INBOX";
    record.target_id = "INBOX";
    record.mark = "7:9:3:12";
    record.covered = true;
    record.covered_since = 1000;
    struct Case {
        std::string mark;
        std::optional<std::int64_t> since;
        bool covered, unchanged;
    } const cases[] = {
        {"7:9:3:12", 1000, true, true},   {"7:9:3:12", 2000, true, true},
        {"7:9:3:12", 999, true, false},   {"7:9:3:12", std::nullopt, true, false},
        {"7:9:3:13", 1000, true, false},  {"", 1000, true, false},
        {"7:9:3:12", 1000, false, false},
    };
    for (auto const& c : cases) {
        auto known = record;
        known.covered = c.covered;
        auto rules = mail_rules();
        rules.window.since = c.since;
        auto const plans =
            plan_folders({folder({"INBOX"}, FolderRole::inbox, c.mark)}, {known}, rules);
        EXPECT_EQ(plans.at(0).unchanged, c.unchanged) << c.mark << " " << c.since.value_or(-1);
    }
}

std::vector<std::string> targets(std::vector<Folder> source, std::vector<Folder> const& target) {
    auto plans = plan_folders(std::move(source), {}, mail_rules());
    plan_targets(plans, target);
    std::vector<std::string> out;
    for (auto const& plan : plans) out.push_back(transport::display(plan.target_path));
    return out;
}

TEST(PlanTargets, SpecialUseDecidesAndChildrenFollowTheirParent) {
    EXPECT_EQ(
        targets({folder({"Gesendet"}, FolderRole::sent), folder({"Gesendet", "2019"}),
                 folder({"INBOX"}, FolderRole::inbox)},
                {folder({"INBOX"}, FolderRole::inbox), folder({"Sent Items"}, FolderRole::sent)}),
        (std::vector<std::string>{"INBOX", "Sent Items", "Sent Items/2019"}));
}

TEST(PlanTargets, TwoSourceFoldersNeverShareATarget) {
    EXPECT_EQ(targets({folder({"Foo"}), folder({"foo"}), folder({"FOO"})}, {}),
              (std::vector<std::string>{"FOO", "Foo (2)", "foo (3)"}));
    EXPECT_EQ(targets({folder({"Sent"}), folder({"Gesendet"}, FolderRole::sent)},
                      {folder({"Sent"}, FolderRole::sent)}),
              (std::vector<std::string>{"Sent", "Sent (2)"}));
}

TEST(KnownNumbersTest, AnswersAtTheEdgesOfRuns) {
    KnownNumbers const known({{3, 5}, {9, 9}});
    for (auto const number : {3u, 4u, 5u, 9u}) EXPECT_TRUE(known.contains(number)) << number;
    for (auto const number : {0u, 2u, 6u, 8u, 10u}) EXPECT_FALSE(known.contains(number)) << number;
    EXPECT_EQ(known.count(), 4u);
}

TEST(FlagChangeTest, ComparesWithoutCase) {
    auto const change = flag_change({"\\Seen", "Work"}, {"\\seen", "\\Flagged"});
    EXPECT_EQ(change.add, transport::Flags{"\\Flagged"});
    EXPECT_EQ(change.remove, transport::Flags{"Work"});
    EXPECT_TRUE(flag_change({"$Forwarded"}, {"$FORWARDED"}).empty());
}

TEST(WindowOf, AgesCountBackFromTheStartAndBoundsAreHalfOpen) {
    config::Pass pass;
    pass.mail_since_age = std::chrono::hours(24);
    auto const window = window_of(pass, 1'000'000);
    EXPECT_EQ(window.since, 1'000'000 - 86'400);
    EXPECT_FALSE(window.before.has_value());
    transport::Window const both{100, 200};
    EXPECT_TRUE(both.contains(100));
    EXPECT_FALSE(both.contains(200));
    EXPECT_FALSE(both.contains(99));
}

}  // namespace
}  // namespace mailferry::daemon
