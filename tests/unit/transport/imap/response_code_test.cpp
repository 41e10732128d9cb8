#include "transport/imap/response_values.hpp"

#include <gtest/gtest.h>

namespace mailferry::imap {
namespace {

struct CodeCase {
    std::string_view rest;
    std::string_view name;  ///< "-": no code.
    std::string_view arguments;
    std::string_view text;
};

constexpr CodeCase code_cases[] = {
    {"", "-", "", ""},
    {" ", "-", "", ""},
    {" done", "-", "", "done"},
    {" [TRYCREATE] no such mailbox", "TRYCREATE", "", "no such mailbox"},
    {" [CANnOT] x", "CANNOT", "", "x"},
    {" [READ-ONLY]", "READ-ONLY", "", ""},
    {" [hint] x", "HINT", "", "x"},
    {" [UIDNEXT  12 ] Predicted", "UIDNEXT", "12", "Predicted"},
    {" [UIDNEXT 12]Predicted", "UIDNEXT", "12", "Predicted"},
    {" [BADURL \"imap://a]b\\\"]\"] x", "BADURL", "\"imap://a]b\\\"]\"", "x"},
    {" [PERMANENTFLAGS (a] \\*)] x", "PERMANENTFLAGS", "(a] \\*)", "x"},
    {" [WEBALERT http://a/?q=\"x] log in", "WEBALERT", "http://a/?q=\"x", "log in"},
    {" [X (a] b", "X", "(a", "b"},
    {" [X a)] b", "X", "a)", "b"},
    {" [unclosed text", "-", "", "[unclosed text"},
    {" [] x", "-", "", "[] x"},
    {" [ X] x", "-", "", "[ X] x"},
    {" [(a)] x", "-", "", "[(a)] x"},
    {" [\xff] x", "-", "", "[\xff] x"},
    {" text [ALERT] x", "-", "", "text [ALERT] x"},
};

TEST(ResponseCodeTest, IsCutFromTheText) {
    for (auto const& c : code_cases) {
        SCOPED_TRACE(std::string(c.rest));
        auto const status = parse_status(StatusKind::no, c.rest);
        EXPECT_EQ(status.code ? status.code->name : "-", c.name);
        EXPECT_EQ(status.code ? status.code->arguments : "", c.arguments);
        EXPECT_EQ(status.text, c.text);
        EXPECT_EQ(status.is(c.name), status.code.has_value());
    }
}

TEST(ResponseCodeTest, NumbersAreRead) {
    EXPECT_EQ((ResponseCode{"UIDVALIDITY", "1795532382"}.uidvalidity()), 1795532382u);
    EXPECT_EQ((ResponseCode{"UIDVALIDITY", "0"}.uidvalidity()), std::nullopt);
    EXPECT_EQ((ResponseCode{"UIDVALIDITY", "4294967296"}.uidvalidity()), std::nullopt);
    EXPECT_EQ((ResponseCode{"UIDVALIDITY", ""}.uidvalidity()), std::nullopt);
    EXPECT_EQ((ResponseCode{"UIDNEXT", "5"}.uidvalidity()), std::nullopt);
    EXPECT_EQ((ResponseCode{"UIDNEXT", "5"}.uidnext()), 5u);
    EXPECT_EQ((ResponseCode{"HIGHESTMODSEQ", "9223372036854775807"}.highestmodseq()),
              9223372036854775807u);
    EXPECT_EQ((ResponseCode{"HIGHESTMODSEQ", "x"}.highestmodseq()), std::nullopt);
    EXPECT_EQ((ResponseCode{"NOMODSEQ", ""}.highestmodseq()), std::nullopt);
}

TEST(ResponseCodeTest, ListsAreRead) {
    EXPECT_EQ((ResponseCode{"PERMANENTFLAGS", "(\\Seen \\*)"}.permanent_flags()),
              (std::vector<std::string>{"\\Seen", "\\*"}));
    EXPECT_EQ((ResponseCode{"PERMANENTFLAGS", "()"}.permanent_flags()), std::vector<std::string>());
    EXPECT_EQ((ResponseCode{"PERMANENTFLAGS", "x"}.permanent_flags()), std::nullopt);
    EXPECT_EQ((ResponseCode{"FLAGS", "()"}.permanent_flags()), std::nullopt);
    EXPECT_EQ((ResponseCode{"CAPABILITY", "IMAP4rev1 IDLE"}.capability()),
              (std::vector<std::string>{"IMAP4REV1", "IDLE"}));
    EXPECT_EQ((ResponseCode{"CAPABILITY", "(a)"}.capability()), std::nullopt);
    EXPECT_EQ((ResponseCode{"X", "a"}.capability()), std::nullopt);
}

TEST(ResponseCodeTest, UidsOfStoredMessagesKeepTheirOrder) {
    auto const stored = ResponseCode{"APPENDUID", "7 13:14,3,22:20"}.append_uid();
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->uidvalidity, 7u);
    EXPECT_EQ(stored->count(), 6u);
    EXPECT_EQ(stored->at(0), 13u);
    EXPECT_EQ(stored->at(2), 3u);
    EXPECT_EQ(stored->at(5), 22u);
    EXPECT_EQ(stored->at(6), std::nullopt);
    for (auto const* arguments : {"", "7", "0 1", "7 *", "7 1:*", "7 0", "7 1 2", "x 1"})
        EXPECT_EQ((ResponseCode{"APPENDUID", arguments}.append_uid()), std::nullopt) << arguments;
    EXPECT_EQ((ResponseCode{"COPYUID", "7 1"}.append_uid()), std::nullopt);
}

TEST(ResponseCodeTest, UidsOfCopiedMessagesAreRead) {
    EXPECT_EQ((ResponseCode{"COPYUID", "7 304,319:320 3956:3958"}.copy_uid()),
              (CopyUid{7, {{304, 304}, {319, 320}}, {{3956, 3958}}}));
    for (auto const* arguments : {"", "7 1", "7 1 x", "7 1 2 3"})
        EXPECT_EQ((ResponseCode{"COPYUID", arguments}.copy_uid()), std::nullopt) << arguments;
    EXPECT_EQ((ResponseCode{"APPENDUID", "7 1 2"}.copy_uid()), std::nullopt);
    EXPECT_EQ((ResponseCode{"MODIFIED", "7,9"}.modified()->to_string()), "7,9");
    EXPECT_EQ((ResponseCode{"MODIFIED", "x"}.modified()), std::nullopt);
    EXPECT_EQ((ResponseCode{"X", "7"}.modified()), std::nullopt);
}

TEST(ResponseCodeTest, OnlySafeMailboxIdsAreTaken) {
    EXPECT_EQ((ResponseCode{"MAILBOXID", "(F2212ea87-6097)"}.mailbox_id()), "F2212ea87-6097");
    for (auto const* arguments : {"()", "(\x80\x81)", "x", "(a b)", "(a/b)"})
        EXPECT_EQ((ResponseCode{"MAILBOXID", arguments}.mailbox_id()), std::nullopt) << arguments;
    EXPECT_EQ((ResponseCode{"X", "(a)"}.mailbox_id()), std::nullopt);
    EXPECT_TRUE(checked_object_id(std::string(255, 'a')));
    EXPECT_FALSE(checked_object_id(std::string(256, 'a')));
}

}  // namespace
}  // namespace mailferry::imap
