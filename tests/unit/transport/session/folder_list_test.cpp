#include "transport/imap/folder_list.hpp"
#include "tests/unit/transport/session/session_fixture.hpp"

namespace mailferry::imap {
namespace {

class FolderListTest : public SessionTest {
protected:
    std::string list(std::vector<Exchange> steps, std::string const& capabilities) {
        auto& server = script(signed_in(std::move(steps), capabilities));
        std::string text;
        run([&]() -> awaitable<void> {
            auto session = co_await open_source();
            auto const folders = co_await (*session)->folders();
            if (!folders) {
                text = folders.error().describe();
                co_return;
            }
            for (auto const& folder : *folders)
                text += transport::display(folder.path) + " " +
                        std::string(to_string(folder.role)) +
                        (folder.subscribed ? " subscribed " : " ") + folder.mark + "\n";
        });
        EXPECT_EQ(server.unexpected, "");
        return text;
    }
};

TEST_F(FolderListTest, OneCommandWhereTheServerCan) {
    EXPECT_EQ(list({{"LIST \"\" \"*\" RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UIDNEXT "
                     "UIDVALIDITY HIGHESTMODSEQ))",
                     "* LIST (\\Subscribed) \"/\" INBOX\r\n"
                     "* STATUS INBOX (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7 HIGHESTMODSEQ 12)\r\n"
                     "* LIST (\\Sent) \"/\" Gesendet\r\n"
                     "* STATUS Gesendet (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 8 HIGHESTMODSEQ 1)\r\n"
                     "* LIST (\\Noselect) \"/\" Node\r\n$ OK done\r\n"}},
                   "IMAP4rev1 LIST-EXTENDED LIST-STATUS SPECIAL-USE CONDSTORE"),
              "INBOX inbox subscribed 7:9:3:12\nGesendet sent 8:1:0:1\nNode none \n");
}

TEST_F(FolderListTest, OtherwiseListLsubAndStatusesInOneFlight) {
    EXPECT_EQ(list({{"LIST \"\" \"*\"",
                     "* LIST () \".\" INBOX\r\n* LIST () \".\" INBOX.Trash\r\n"
                     "$ OK done\r\n"},
                    {"LSUB \"\" \"*\"", "* LSUB () \".\" INBOX.Trash\r\n$ OK done\r\n"},
                    {"STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY)", ""},
                    {"STATUS \"INBOX.Trash\" (MESSAGES UIDNEXT UIDVALIDITY)",
                     "* STATUS INBOX (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7)\r\na4 OK done\r\n"
                     "a5 NO trouble\r\n"}},
                   "IMAP4rev1"),
              "INBOX inbox 7:9:3:0\nINBOX/Trash none subscribed \n");
}

TEST_F(FolderListTest, OtherPeoplesFoldersAreLeftOut) {
    EXPECT_EQ(list({{"NAMESPACE",
                     "* NAMESPACE ((\"\" \"/\")) ((\"Users/\" \"/\")) ((\"Public/\" "
                     "\"/\"))\r\n$ OK done\r\n"},
                    {"LIST",
                     "* LIST (\\Noselect) \"/\" INBOX\r\n* LIST () \"/\" Users/x\r\n"
                     "* LIST () \"/\" Public\r\n* LIST () \"/\" Publications\r\n$ OK\r\n"},
                    {"LSUB", "$ OK done\r\n"},
                    {"STATUS \"Publications\"", "$ NO\r\n"}},
                   "IMAP4rev1 NAMESPACE"),
              "INBOX inbox \nPublications none \n");
}

TEST_F(FolderListTest, AnExtendedListThatIsRefusedIsAskedPlainly) {
    EXPECT_EQ(list({{"LIST \"\" \"*\" RETURN", "$ BAD what\r\n"},
                    {"LIST \"\" \"*\"", "* LIST (\\Noselect) \"/\" INBOX\r\n$ OK done\r\n"},
                    {"LSUB", "$ BAD what\r\n"}},
                   "IMAP4rev1 LIST-EXTENDED"),
              "INBOX inbox \n");
}

TEST_F(FolderListTest, AMailboxWithoutAnyFolderIsNone) {
    EXPECT_TRUE(list({{"LIST", "$ OK done\r\n"}, {"LSUB", "$ OK done\r\n"}}, "IMAP4rev1")
                    .starts_with("mailbox_refused"));
}

TEST(MarkTest, TextAndBack) {
    Mark const mark{7, 9, 3, 12};
    EXPECT_EQ(mark.to_string(), "7:9:3:12");
    EXPECT_EQ(Mark::parse("7:9:3:12"), mark);
    for (auto const* text :
         {"", "7", "7:9:3", "7:9:3:", "7:9:3:1x", "99999999999:1:1:1", "-1:1:1:1"})
        EXPECT_EQ(Mark::parse(text), std::nullopt) << text;
}

class CreateTest : public SessionTest {
protected:
    std::string create(std::vector<Exchange> steps, transport::FolderPath path,
                       std::string const& capabilities = "IMAP4rev1",
                       transport::FolderRole role = transport::FolderRole::none) {
        auto& server = script(signed_in(std::move(steps), capabilities));
        std::string text;
        run([&]() -> awaitable<void> {
            auto session = co_await open_target();
            Folder wanted;
            wanted.path = path;
            wanted.role = role;
            auto const made = co_await (*session)->create_folder(wanted);
            text = made ? made->id : made.error().describe();
        });
        EXPECT_EQ(server.unexpected, "");
        return text;
    }
    Exchange const delimiter{"LIST \"\" \"\"", "* LIST (\\Noselect) \"/\" \"\"\r\n$ OK\r\n"};
};

TEST_F(CreateTest, AnExistingFolderIsFound) {
    EXPECT_EQ(create({delimiter,
                      {"CREATE \"a/b\"", "$ NO [ALREADYEXISTS] there\r\n"},
                      {"LIST \"\" \"a/b\"", "* LIST () \"/\" a/b\r\n$ OK\r\n"}},
                     {"a", "b"}),
              "a/b");
}

TEST_F(CreateTest, ParentsAreMadeWhereTheServerWantsThemFirst) {
    EXPECT_EQ(create({delimiter,
                      {"CREATE \"a/b\"", "$ NO no parent\r\n"},
                      {"LIST \"\" \"a/b\"", "$ OK\r\n"},
                      {"CREATE \"a\"", "$ OK\r\n"},
                      {"CREATE \"a/b\"", "$ OK\r\n"},
                      {"LIST \"\" \"a/b\"", "* LIST () \"/\" a/b\r\n$ OK\r\n"}},
                     {"a", "b"}),
              "a/b");
}

TEST_F(CreateTest, ARefusedNameIsBentAndTheServersReasonKept) {
    EXPECT_EQ(create({delimiter,
                      {"CREATE \"x*\"", "$ NO bad name\r\n"},
                      {"LIST \"\" \"x*\"", "* LIST () \"/\" xyz\r\n$ OK\r\n"},
                      {"CREATE \"x_\"", "$ OK\r\n"},
                      {"LIST \"\" \"x_\"", "* LIST () \"/\" x_\r\n$ OK\r\n"}},
                     {"x*"}),
              "x_");
    auto const text = create(
        {delimiter, {"CREATE \"x\"", "$ NO not here\r\n"}, {"LIST \"\" \"x\"", "$ OK\r\n"}}, {"x"});
    EXPECT_EQ(text, "folder_refused: create folder=x: CREATE (server: NO not here)");
}

TEST_F(CreateTest, ASpecialUseIsAskedForAndDoneWithoutIfItMustBe) {
    EXPECT_EQ(create({delimiter,
                      {"CREATE \"Old\" (USE (\\Archive))", "$ NO [USEATTR] taken\r\n"},
                      {"CREATE \"Old\"", "$ OK\r\n"},
                      {"LIST \"\" \"Old\"", "* LIST () \"/\" Old\r\n$ OK\r\n"}},
                     {"Old"}, "IMAP4rev1 CREATE-SPECIAL-USE", transport::FolderRole::archive),
              "Old");
}

}  // namespace
}  // namespace mailferry::imap
