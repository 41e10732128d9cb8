#include "transport/imap/flags.hpp"

#include <gtest/gtest.h>

namespace mailferry::imap {
namespace {

using Names = std::vector<std::string>;

TEST(FlagsTest, CaseIsNoDifference) {
    EXPECT_TRUE(equal_names("\\Seen", "\\SEEN"));
    EXPECT_FALSE(equal_names("\\Seen", "\\Seem"));
    EXPECT_FALSE(equal_names("a", "ab"));
    EXPECT_TRUE(contains_flag(Names{"a", "$Forwarded"}, "$forwarded"));
    EXPECT_FALSE(contains_flag(Names{}, "a"));
}

TEST(FlagsTest, ListsAreComparedAsSets) {
    EXPECT_TRUE(same_flags(Names{"\\Seen", "x"}, Names{"X", "\\seen", "\\Recent"}));
    EXPECT_TRUE(same_flags(Names{}, Names{"\\Recent"}));
    EXPECT_FALSE(same_flags(Names{"\\Seen"}, Names{}));
    EXPECT_FALSE(same_flags(Names{}, Names{"\\Seen"}));
}

struct StorableCase {
    std::string_view name;
    Names flags;
    std::optional<Names> permanent;
    StorableFlags expected;
};

std::vector<StorableCase> storable_cases() {
    Names const all = {"\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft", "\\*"};
    auto const long_keyword = std::string(51, 'k');
    return {
        {"all system flags",
         {"\\Seen", "\\ANSWERED", "\\Flagged", "\\Deleted", "\\Draft"},
         all,
         {{"\\Seen", "\\ANSWERED", "\\Flagged", "\\Deleted", "\\Draft"}, {}}},
        {"recent is nobody's loss", {"\\Recent", "\\recent"}, all, {{}, {}}},
        {"unknown system flag",
         {"\\Forwarded", "\\*", "\\"},
         all,
         {{}, {"\\Forwarded", "\\*", "\\"}}},
        {"keywords",
         {"$Forwarded", "foo.bar", "a@b.c", "NonJunk"},
         all,
         {{"$Forwarded", "foo.bar", "a@b.c", "NonJunk"}, {}}},
        {"keywords that cost the message",
         {"foo[1]", "a]", "A%b", "a*", "a b", "a\"", "(a)", "{a}", "", "caf\xc3\xa9", "a\n",
          long_keyword},
         all,
         {{},
          {"foo[1]", "a]", "A%b", "a*", "a b", "a\"", "(a)", "{a}", "", "caf\xc3\xa9", "a\n",
           long_keyword}}},
        {"longest keyword", {std::string(50, 'k')}, all, {{std::string(50, 'k')}, {}}},
        {"once each",
         {"\\Seen", "\\SEEN", "x", "X", "\\Foo", "\\foo"},
         all,
         {{"\\Seen", "x"}, {"\\Foo"}}},
        {"keywords by name only",
         {"\\Seen", "$MDNSent", "x"},
         Names{"\\Seen", "$mdnsent"},
         {{"\\Seen", "$MDNSent"}, {"x"}}},
        {"system flags not permitted",
         {"\\Seen", "\\Draft"},
         Names{"\\Seen"},
         {{"\\Seen"}, {"\\Draft"}}},
        {"nothing permitted", {"\\Seen", "x"}, Names{}, {{}, {"\\Seen", "x"}}},
        {"nothing said", {"\\Seen", "x"}, std::nullopt, {{"\\Seen"}, {"x"}}},
    };
}

TEST(StorableFlagsTest, OnlyWhatTheFolderTakes) {
    for (auto const& c : storable_cases()) {
        auto const result = storable_flags(c.flags, c.permanent);
        EXPECT_EQ(result.kept, c.expected.kept) << c.name;
        EXPECT_EQ(result.dropped, c.expected.dropped) << c.name;
    }
}

}  // namespace
}  // namespace mailferry::imap
