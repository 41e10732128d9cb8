#include "transport/imap/admin_history.hpp"

#include <gtest/gtest.h>

namespace mailferry::imap {
namespace {

using Meaning = AdminHistory::Meaning;
using std::chrono::seconds;

AdminHistory::Instant at(int second) { return AdminHistory::Instant(seconds(1'000 + second)); }

TEST(AdminHistoryTest, TheFirstUnclearRefusalIsTheMailboxsAndASecondMailboxsTheAdmins) {
    AdminHistory history;
    EXPECT_EQ(history.refused("a", false, at(0)), Meaning::mailbox);
    EXPECT_EQ(history.refused("a", false, at(1)), Meaning::mailbox);
    EXPECT_EQ(history.refused("b", false, at(2)), Meaning::credential);
}

TEST(AdminHistoryTest, ClearWordsAreBelievedOfAnAdminThatHasOpenedNothing) {
    AdminHistory history;
    EXPECT_EQ(history.refused("a", true, at(0)), Meaning::credential);
}

TEST(AdminHistoryTest, AnUnknownMailboxInTheFirstRowIsForgottenWhenTheNextOpens) {
    AdminHistory history;
    EXPECT_EQ(history.refused("a", false, at(0)), Meaning::mailbox);
    history.opened("b", at(1));
    EXPECT_EQ(history.refused("c", false, at(2)), Meaning::mailbox);
}

TEST(AdminHistoryTest, LongAfterTheLastSuccessAGoodMailboxIsAsked) {
    AdminHistory history;
    history.opened("good", at(0));
    EXPECT_EQ(history.refused("c", false, at(59)), Meaning::mailbox);
    EXPECT_EQ(history.refused("c", false, at(60)), Meaning::ask_anew);
    EXPECT_EQ(history.refused("c", true, at(1)), Meaning::ask_anew);
    EXPECT_EQ(history.refused("good", true, at(1)), Meaning::credential);
    EXPECT_EQ(history.good_mailbox(), "good");

    AdminHistory of_tokens(seconds(0));
    of_tokens.opened("good", at(0));
    EXPECT_EQ(of_tokens.refused("c", false, at(0)), Meaning::ask_anew);
}

TEST(AdminHistoryTest, UnavailableThreeTimesWhileOthersOpenIsTheMailboxsFault) {
    AdminHistory history;
    history.opened("good", at(0));
    EXPECT_EQ(history.unavailable("x", at(1)), Meaning::later);
    EXPECT_EQ(history.unavailable("x", at(2)), Meaning::later);
    EXPECT_EQ(history.unavailable("x", at(3)), Meaning::ask_anew);
    history.opened("other", at(4));
    EXPECT_EQ(history.unavailable("x", at(5)), Meaning::mailbox);
    EXPECT_EQ(history.unavailable("other", at(6)), Meaning::later);
}

TEST(AdminHistoryTest, UnavailableIsBelievedLongerWhereNothingHasOpenedYet) {
    AdminHistory history;
    for (int i = 1; i < 12; ++i) EXPECT_EQ(history.unavailable("x", at(i)), Meaning::later);
    EXPECT_EQ(history.unavailable("x", at(12)), Meaning::mailbox);
    history.opened("x", at(13));
    EXPECT_EQ(history.unavailable("x", at(14)), Meaning::later);
}

}  // namespace
}  // namespace mailferry::imap
