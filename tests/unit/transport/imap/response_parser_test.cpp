#include "tests/unit/transport/imap/parser_case.hpp"

namespace mailferry::imap {
namespace {

constexpr ParserCase parser_cases[] = {
    {"ok", "* OK hi\r\n", "status(ok hi) more"},
    {"bare_lf", "* OK hi\n", "status(ok hi) more"},
    {"ok_without_text", "* OK\r\n* NO \r\n", "status(ok ) status(no ) more"},
    {"mixed_case", "* oK hi\r\na1 Bad no\r\n", "status(ok hi) tagged(a1 bad no) more"},
    {"bye", "* BYE Autologout\r\n", "status(bye Autologout) more"},
    {"text_that_ends_like_a_literal", "* OK see {5}\r\na1 NO {99999999999999999999}\r\n+ {3}\r\n",
     "status(ok see {5}) tagged(a1 no {99999999999999999999}) continue({3}) more"},
    {"invalid_utf8_text", "* NO \xff\xfe\x01\r\n", "status(no \xff\xfe\x01) more"},
    {"tagged", "a1 OK done\r\na2 NO\r\n", "tagged(a1 ok done) tagged(a2 no ) more"},
    {"tagged_code", "a5 OK [READ-ONLY] Examine completed\r\n",
     "tagged(a5 ok [READ-ONLY|] Examine completed) more"},
    {"continuations", "+ idling\r\n+\r\n+ \r\n+ =\r\n",
     "continue(idling) continue() continue() continue(=) more"},
    {"blank_lines_are_nothing", "\r\n\r\n* OK hi\r\n", "status(ok hi) more"},
    {"capability", "* CAPABILITY IMAP4rev1 literal+ AUTH=PLAIN \r\n",
     "capability(IMAP4REV1 LITERAL+ AUTH=PLAIN) more"},
    {"enabled", "* ENABLED CONDSTORE QRESYNC\r\n* ENABLED\r\n",
     "enabled(CONDSTORE QRESYNC) enabled() more"},
    {"flags", "* FLAGS (\\Answered \\Seen $Forwarded foo.bar)\r\n* FLAGS ()\r\n",
     "flags(\\Answered \\Seen $Forwarded foo.bar) flags() more"},
    {"list", "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"\r\n",
     "list(\\HasNoChildren \\Sent|/|Sent Items) more"},
    {"list_flat", "* LIST () NIL INBOX\r\n", "list(|-|INBOX) more"},
    {"list_empty_delimiter", "* LIST (\\Noselect) \"\" x\r\n", "list(\\Noselect|-|x) more"},
    {"list_backslash_delimiter", "* LIST () \"\\\\\" \"a\\\\b\\\"c\"\r\n",
     "list(|\\|a\\b\"c) "
     "more"},
    {"list_bare_names", "* LIST () \"/\" [Gmail]/All\r\n* LIST () \".\" a(b)%*\r\n",
     "list(|/|[Gmail]/All) list(|.|a(b)%*) more"},
    {"list_raw_8_bit", "* LIST () \"/\" \"caf\xe9\"\r\n* LIST () \"/\" caf\xc3\xa9\r\n",
     "list(|/|caf\xe9) list(|/|caf\xc3\xa9) more"},
    {"list_literal", "* LIST () \"/\" {5}\r\na\r\nb\"\r\n* LIST () \"/\" {0}\r\n\r\n",
     "list(|/|a\r\nb\") list(|/|) more"},
    {"list_extended",
     "* LIST (\\Marked) \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
     "* LIST () \"/\" \"new\" (\"OLDNAME\" ({3}\r\nold))\r\n",
     "list(\\Marked|/|foo) list(|/|new) more"},
    {"list_blanks", "*  LIST  ( \\Marked  )  \"/\"  foo\r\n", "list(\\Marked|/|foo) more"},
    {"lsub_xlist", "* LSUB () \".\" a\r\n* XLIST (\\Inbox) \"/\" b\r\n",
     "lsub(|.|a) xlist(\\Inbox|/|b) more"},
    {"name_nil", "* LIST () \"/\" \"NIL\"\r\n", "list(|/|NIL) more"},
    {"status", "* STATUS da (MESSAGES 9 UIDNEXT 12 UIDVALIDITY 1795532662 HIGHESTMODSEQ 16)\r\n",
     "status-data(da messages=9 uidnext=12 uidvalidity=1795532662 modseq=16 unseen=- size=- "
     "limit=- "
     "id=- guid=-) more"},
    {"status_more",
     "* STATUS \"a b\" (unseen 1 SIZE 5000000000 DELETED 2 RECENT 0 APPENDLIMIT 10 MAILBOXID (F-1) "
     "X-GUID 0af3)\r\n",
     "status-data(a b messages=- uidnext=- uidvalidity=- modseq=- unseen=1 size=5000000000 "
     "limit=10 "
     "id=F-1 guid=0af3) more"},
    {"status_unknown_items",
     "* STATUS x (FOO (a (b {2}\r\n)() \"]\") APPENDLIMIT NIL MESSAGES "
     "3)\r\n",
     "status-data(x messages=3 uidnext=- uidvalidity=- modseq=- unseen=- size=- limit=- id=- "
     "guid=-) "
     "more"},
    {"status_empty", "* STATUS {3}\r\na b ()\r\n",
     "status-data(a b messages=- uidnext=- uidvalidity=- modseq=- unseen=- size=- limit=- id=- "
     "guid=-) more"},
    {"status_freed_memory_as_id", "* STATUS x (MAILBOXID (\x80\x81\xfe) MESSAGES 1)\r\n",
     "status-data(x messages=1 uidnext=- uidvalidity=- modseq=- unseen=- size=- limit=- id=- "
     "guid=-) "
     "more"},
    {"search", "* SEARCH 2 3 5\r\n* SEARCH\r\n* SEARCH \r\n* SEARCH 9 7 8 7\r\n",
     "search(2:3,5 modseq=-) search( modseq=-) search( modseq=-) search(7:9 modseq=-) more"},
    {"search_modseq", "* SEARCH 2 (MODSEQ 917162500)\r\n", "search(2 modseq=917162500) more"},
    {"sort", "* SORT 5 3 4\r\n", "search(3:5 modseq=-) more"},
    {"esearch", "* ESEARCH (TAG \"a1\") UID ALL 2:3,5\r\n",
     "esearch(a1 uid min=- max=- count=- all=2:3,5 modseq=-) more"},
    {"esearch_all_items", "* ESEARCH (TAG \"a1\") MIN 2 MAX 47 COUNT 25 MODSEQ 9 ALL 47:2\r\n",
     "esearch(a1 min=2 max=47 count=25 all=2:47 modseq=9) more"},
    {"esearch_nothing", "* ESEARCH (TAG \"a1\") UID\r\n* ESEARCH\r\n",
     "esearch(a1 uid min=- max=- count=- all=- modseq=-) "
     "esearch( min=- max=- count=- all=- modseq=-) more"},
    {"esearch_unknown_items",
     "* ESEARCH (TAG {2}\r\na1) UID PARTIAL (1:500 2:7) X-FOO {1}\r\n) "
     "COUNT 0\r\n",
     "esearch(a1 uid min=- max=- count=0 all=- modseq=-) more"},
    {"vanished",
     "* VANISHED (EARLIER) 4:5\r\n* VANISHED 7,1:2\r\n* vanished (earlier) "
     "1:4294967295\r\n",
     "vanished(earlier 4:5) vanished(1:2,7) vanished(earlier 1:4294967295) more"},
    {"numbers", "* 23 EXISTS\r\n* 0 RECENT\r\n* 7 expunge\r\n",
     "exists(23) recent(0) expunge(7) more"},
    {"namespace",
     "* NAMESPACE ((\"\" \"/\")) NIL ((\"Public/\" \"/\" \"X-P\" (\"a\" "
     "\"b\"))(\"#m\" NIL))\r\n",
     "namespace(<,/>||<Public/,/><#m,->) more"},
    {"namespace_courier",
     "* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\")(\"shared.\" \".\"))\r\n",
     "namespace(<INBOX.,.>||<#shared.,.><shared.,.>) more"},
    {"quota", "* QUOTA \"User quota\" (STORAGE 163 200 MESSAGE 20 20)\r\n* QUOTA \"\" ()\r\n",
     "quota(User quota STORAGE=163/200 MESSAGE=20/20) quota() more"},
    {"quotaroot", "* QUOTAROOT INBOX \"User quota\" {1}\r\nr\r\n* QUOTAROOT INBOX\r\n",
     "quotaroot(INBOX|User quota r) quotaroot(INBOX|) more"},
    {"id", "* ID (\"name\" \"Dovecot\" \"version\" NIL \"os\" {1}\r\n\")\r\n* ID NIL\r\n",
     "id(name=Dovecot;version=;os=\";) id() more"},
    {"unknown", "* MYRIGHTS INBOX lrs\r\n* XFOO\r\n* 5 XBAR (\r\n",
     "other(MYRIGHTS) other(XFOO) other(XBAR) more"},
    {"unknown_with_literals",
     "* METADATA \"\" (/a {13}\r\n* OK forged\r\n /b ~{1}\r\n\n)\r\n* OK real\r\n",
     "other(METADATA) status(ok real) more"},
    {"unknown_with_text", "* LANGUAGE (DE) \"unclosed\r\n", "other(LANGUAGE) more"},
    {"forged_in_quoted", "* LIST () \"/\" \"x\\\" a1 OK\"\r\n", "list(|/|x\" a1 OK) more"},
    // A test per way in which a line can be wrong.
    {"empty_untagged", "* \r\n", "error(untagged response without a name)"},
    {"lonely_star", "*\r\n", "error(neither tagged nor untagged response)"},
    {"star_glued", "*OK hi\r\n", "error(neither tagged nor untagged response)"},
    {"http", "HTTP/1.1 400 Bad Request\r\n", "error(neither tagged nor untagged response)"},
    {"tagged_bye", "a1 BYE x\r\n", "error(neither tagged nor untagged response)"},
    {"plus_in_tag", "a+1 OK x\r\n", "error(neither tagged nor untagged response)"},
    {"plus_glued", "+x\r\n", "error(neither tagged nor untagged response)"},
    {"tag_alone", "a1\r\n", "error(neither tagged nor untagged response)"},
    {"late_preauth", "* PREAUTH hi\r\n", "error(PREAUTH after the greeting)"},
    {"number_alone", "* 5\r\n", "error(malformed message number)"},
    {"number_over_32_bits", "* 4294967296 EXISTS\r\n", "error(malformed message number)"},
    {"number_of_many_digits", "* 00000000000000000000001 EXISTS\r\n",
     "error(malformed message number)"},
    {"flags_unclosed", "* FLAGS (\\Seen\r\n", "error(malformed response)"},
    {"flags_missing", "* FLAGS \r\n", "error(malformed response)"},
    {"flags_nested", "* FLAGS ((a))\r\n", "error(malformed response)"},
    {"capability_list", "* CAPABILITY (a)\r\n", "error(malformed response)"},
    {"list_no_name", "* LIST () \"/\"\r\n", "error(malformed response)"},
    {"list_no_delimiter", "* LIST () x\r\n", "error(malformed response)"},
    {"list_long_delimiter", "* LIST () \"//\" x\r\n", "error(malformed response)"},
    {"list_unclosed_name", "* LIST () \"/\" \"x\r\n", "error(malformed response)"},
    {"list_escape_at_end", "* LIST () \"/\" \"x\\\r\n", "error(malformed response)"},
    {"list_list_for_name", "* LIST () \"/\" (x)\r\n", "error(malformed response)"},
    {"list_no_attributes", "* LIST \"/\" x\r\n", "error(malformed response)"},
    {"status_no_name", "* STATUS (MESSAGES 1)\r\n", "error(malformed response)"},
    {"status_no_list", "* STATUS x MESSAGES 1\r\n", "error(malformed response)"},
    {"status_unclosed", "* STATUS x (MESSAGES 1\r\n", "error(malformed response)"},
    {"status_negative", "* STATUS x (MESSAGES -1)\r\n", "error(malformed response)"},
    {"status_over_32_bits", "* STATUS x (MESSAGES 4294967296)\r\n", "error(malformed response)"},
    {"status_over_63_bits", "* STATUS x (HIGHESTMODSEQ 9223372036854775808)\r\n",
     "error(malformed response)"},
    {"status_no_value", "* STATUS x (FOO )\r\n", "error(malformed response)"},
    {"search_zero", "* SEARCH 0\r\n", "error(malformed response)"},
    {"search_word", "* SEARCH a\r\n", "error(malformed response)"},
    {"search_bad_modseq", "* SEARCH 1 (MODSEQ x)\r\n", "error(malformed response)"},
    {"search_other_list", "* SEARCH 1 (FOO 1)\r\n", "error(malformed response)"},
    {"search_unclosed", "* SEARCH 1 (MODSEQ 1\r\n", "error(malformed response)"},
    {"esearch_bad_tag", "* ESEARCH (TUG \"a\") UID\r\n", "error(malformed response)"},
    {"esearch_bad_set", "* ESEARCH (TAG \"a\") ALL *\r\n", "error(malformed response)"},
    {"esearch_no_value", "* ESEARCH COUNT\r\n", "error(malformed response)"},
    {"esearch_unbalanced", "* ESEARCH FOO )\r\n", "error(malformed response)"},
    {"vanished_nothing", "* VANISHED \r\n", "error(malformed response)"},
    {"vanished_star", "* VANISHED 4:*\r\n", "error(malformed response)"},
    {"vanished_later", "* VANISHED (LATER) 4\r\n", "error(malformed response)"},
    {"namespace_word", "* NAMESPACE foo NIL NIL\r\n", "error(malformed response)"},
    {"namespace_short", "* NAMESPACE NIL NIL\r\n", "error(malformed response)"},
    {"namespace_no_delimiter", "* NAMESPACE ((\"\")) NIL NIL\r\n", "error(malformed response)"},
    {"namespace_unclosed", "* NAMESPACE ((\"\" \"/\" \r\n", "error(malformed response)"},
    {"quota_no_list", "* QUOTA x STORAGE\r\n", "error(malformed response)"},
    {"quota_no_limit", "* QUOTA x (STORAGE 1)\r\n", "error(malformed response)"},
    {"quota_unclosed", "* QUOTA x (STORAGE 1 2\r\n", "error(malformed response)"},
    {"quota_no_root", "* QUOTA (STORAGE 1 2)\r\n", "error(malformed response)"},
    {"quotaroot_no_name", "* QUOTAROOT\r\n", "error(malformed response)"},
    {"quotaroot_list", "* QUOTAROOT x (a)\r\n", "error(malformed response)"},
    {"id_word", "* ID x\r\n", "error(malformed response)"},
    {"id_odd", "* ID (\"name\")\r\n", "error(malformed response)"},
    {"id_unclosed", "* ID (\"name\" \"x\"\r\n", "error(malformed response)"},
    {"literal_where_none_may_be", "* CAPABILITY a {3}\r\nb c d\r\n", "error(malformed response)"},
};

class ResponseParserTest : public testing::TestWithParam<ParserCase> {};

TEST_P(ResponseParserTest, SameEventsForEveryPieceSize) {
    expect_same_events_for_every_piece_size(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Imap, ResponseParserTest, testing::ValuesIn(parser_cases), name_of);

constexpr ParserCase greeting_cases[] = {
    {"ok", "* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR] Dovecot ready.\r\n* 1 EXISTS\r\n",
     "greeting(ok [CAPABILITY|IMAP4rev1 LITERAL+ SASL-IR] Dovecot ready.) exists(1) more"},
    {"preauth", "* PREAUTH welcome\r\n", "greeting(preauth welcome) more"},
    {"bye", "* BYE too many connections\r\n", "greeting(bye too many connections) more"},
    {"no", "* NO x\r\n", "error(no greeting)"},
    {"data", "* CAPABILITY x\r\n", "error(no greeting)"},
    {"tagged", "a1 OK x\r\n", "error(no greeting)"},
    {"pop3", "+OK hello\r\n", "error(no greeting)"},
    {"smtp", "220 mail.example ESMTP\r\n", "error(no greeting)"},
};

class GreetingTest : public testing::TestWithParam<ParserCase> {};

TEST_P(GreetingTest, SameEventsForEveryPieceSize) {
    expect_same_events_for_every_piece_size(GetParam(), ResponseParser::Begin::greeting);
}

INSTANTIATE_TEST_SUITE_P(Imap, GreetingTest, testing::ValuesIn(greeting_cases), name_of);

TEST(ProtocolErrorTest, StaysAndShowsTheLine) {
    ResponseParser parser({}, ResponseParser::Begin::response);
    std::string_view input = "* FLAGS nonsense\r\n* OK\r\n";
    for (int i = 0; i < 3; ++i) {
        auto const event = parser.next(input);
        ASSERT_TRUE(std::holds_alternative<ProtocolError>(event));
        EXPECT_EQ(std::get<ProtocolError>(event).excerpt, "FLAGS nonsense");
    }
}

TEST(ValueTest, NamesAreFoundInAnyCase) {
    Capability const capability{{"LITERAL+", "AUTH=PLAIN"}};
    EXPECT_TRUE(capability.has("literal+"));
    EXPECT_FALSE(capability.has("LITERAL-"));
    ListEntry entry;
    entry.attributes = {"\\noselect"};
    EXPECT_TRUE(entry.has_attribute("\\Noselect"));
    Id const id{{{"NAME", "Cyrus"}}};
    EXPECT_EQ(id.value("name"), "Cyrus");
    EXPECT_EQ(id.value("version"), "");
}

}  // namespace
}  // namespace mailferry::imap
