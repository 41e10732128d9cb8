#include "transport/imap/folder_name.hpp"

#include <gtest/gtest.h>

namespace mailferry::imap {
namespace {

using transport::FolderPath;
using transport::FolderRole;

struct NameCase {
    std::string_view name;
    std::string prefix;
    std::optional<char> delimiter;
    std::string id;
    FolderPath path;
};

// Goal: what LIST shows and what CREATE sends are each other's reverse.
TEST(FolderNameTest, PathsAndIdsAreEachOthersReverse) {
    NameCase const cases[] = {
        {"plain", "", '/', "Archive/2019", {"Archive", "2019"}},
        {"inbox", "", '/', "INBOX", {"INBOX"}},
        {"inbox_child", "", '/', "INBOX/kid", {"INBOX", "kid"}},
        {"dot_prefix", "INBOX.", '.', "INBOX.Archive.2019", {"Archive", "2019"}},
        {"utf7", "", '/', "M&APw-nchen/A&-B", {"München", "A&B"}},
        {"slash_is_no_separator", "INBOX.", '.', "INBOX.a/b", {"a/b"}},
        {"flat", "", std::nullopt, "all in one", {"all in one"}},
    };
    for (auto const& c : cases) {
        SCOPED_TRACE(std::string(c.name));
        NameSpace const space{c.prefix, c.delimiter};
        EXPECT_EQ(path_of(c.id, space, c.delimiter), c.path);
        EXPECT_EQ(id_for(c.path, space, Bending::separators), c.id);
    }
}

TEST(FolderNameTest, UndecodableNamesKeepTheirBytesAsId) {
    EXPECT_EQ(folder_id("caf\xE9", false), "caf\xE9");
    EXPECT_EQ(path_of("caf\xE9", {"", '/'}, '/'), (FolderPath{"café"}));
    EXPECT_EQ(path_of("a&b", {"", '/'}, '/'), (FolderPath{"a&b"}));
    EXPECT_EQ(wire_name("caf\xE9", true), "caf\xE9");
}

TEST(FolderNameTest, TheIdDoesNotDependOnUtf8Accept) {
    EXPECT_EQ(folder_id("München", true), folder_id("M&APw-nchen", false));
    EXPECT_EQ(wire_name("M&APw-nchen", true), "München");
    EXPECT_EQ(wire_name("M&APw-nchen", false), "M&APw-nchen");
    EXPECT_EQ(folder_id("inbox", false), "INBOX");
}

TEST(FolderNameTest, WhatATargetCantHoldIsBentVisibly) {
    NameSpace const dots{"INBOX.", '.'};
    EXPECT_EQ(id_for({"chess.com"}, dots, Bending::separators), "INBOX.chess_com");
    EXPECT_EQ(id_for({"Jim / John"}, dots, Bending::separators), "INBOX.Jim / John");
    EXPECT_EQ(id_for({"Jim / John"}, dots, Bending::cautious), "INBOX.Jim _ John");
    EXPECT_EQ(id_for({" x. "}, {"", '/'}, Bending::cautious), "x");
    EXPECT_EQ(id_for({"a\r\nb", ""}, {"", '/'}, Bending::separators), "a__b/_");
    EXPECT_EQ(id_for({"INBOX", "kid"}, dots, Bending::separators), "INBOX.kid");
    EXPECT_EQ(id_for({"a", "b"}, {"", std::nullopt}, Bending::separators), "a_b");
    EXPECT_EQ(id_for({"~home", "Say \"x\""}, {"", '/'}, Bending::cautious), "_home/Say _x_");
    EXPECT_EQ(id_for({"chess.com"}, {"", '/'}, Bending::cautious), "chess.com");
    EXPECT_EQ(id_for({"chess.com"}, {"", '/'}, Bending::plain), "chess_com");
    EXPECT_EQ(id_for({"a", "dbox-Mails"}, {"", '/'}, Bending::plain), "a/dbox-Mails_");
}

// Goal: two long names that begin alike stay two folders, and the same two at the next start.
TEST(FolderNameTest, LongNamesAreCutBetweenLettersAndKeptApart) {
    std::string long_name;
    for (int i = 0; i < 90; ++i) long_name += "\xE6\x97\xA5";
    auto const one = id_for({long_name}, {"", '/'}, Bending::plain);
    auto const other = id_for({long_name + "x"}, {"", '/'}, Bending::plain);
    EXPECT_LE(one.size(), 80u);
    EXPECT_NE(one, other);
    EXPECT_EQ(one, id_for({long_name}, {"", '/'}, Bending::plain));
    EXPECT_TRUE(path_of(one, {"", '/'}, '/').front().starts_with("\xE6\x97\xA5\xE6\x97\xA5"));
    std::string const short_enough(80, 'x');
    EXPECT_EQ(id_for({short_enough}, {"", '/'}, Bending::plain), short_enough);
}

transport::Folder folder(FolderPath path, FolderRole role = FolderRole::none) {
    transport::Folder result;
    result.path = std::move(path);
    result.role = role;
    return result;
}

TEST(FolderNameTest, RolesByNameOnlyAtTopLevelAndNeverTwice) {
    std::vector<transport::Folder> folders{
        folder({"Sent Items"}), folder({"sent"}),   folder({"Projects", "Trash"}),
        folder({"Papierkorb"}), folder({"Drafts"}), folder({"Odd"}, FolderRole::drafts)};
    guess_roles(folders);
    EXPECT_EQ(folders[0].role, FolderRole::none);
    EXPECT_EQ(folders[1].role, FolderRole::sent);
    EXPECT_EQ(folders[2].role, FolderRole::none);
    EXPECT_EQ(folders[3].role, FolderRole::trash);
    EXPECT_EQ(folders[4].role, FolderRole::none);
}

TEST(FolderNameTest, RolesByAttributeIncludeXlists) {
    ListEntry entry;
    entry.name = "[Gmail]/Alle Nachrichten";
    entry.attributes = {"\\HasNoChildren", "\\AllMail"};
    EXPECT_EQ(role_of(entry), FolderRole::all);
    entry.attributes = {"\\junk"};
    EXPECT_EQ(role_of(entry), FolderRole::junk);
    EXPECT_EQ(attribute_of(FolderRole::junk), "\\Junk");
    EXPECT_EQ(attribute_of(FolderRole::inbox), "");
}

}  // namespace
}  // namespace mailferry::imap
