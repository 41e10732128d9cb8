#include "tests/unit/transport/imap/parser_case.hpp"

namespace mailferry::imap {
namespace {

constexpr ParserCase fetch_cases[] = {
    {"dovecot",
     "* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE \"01-Jan-2020 00:00:00 +0000\" RFC822.SIZE 9 "
     "BODY[] {9}\r\na: b\r\n\r\nc)\r\n",
     "fetch(1) body(9 uid=1 size=9) bytes(a: b\r\n\r\nc) body-end fetched(1 uid=1 flags=\\Seen "
     "date=01-Jan-2020 00:00:00 +0000 at=1577836800 size=9 body=9) more"},
    {"literal_before_uid",
     "* 12 FETCH (BODY[] {5}\r\n* OK\n UID 2041 MODSEQ (8812) FLAGS (\\Seen $Forwarded))\r\n",
     "fetch(12) body(5 uid=- size=-) bytes(* OK\n) body-end "
     "fetched(12 uid=2041 flags=\\Seen $Forwarded modseq=8812 body=5) more"},
    {"cyrus_flags_first", "* 3 FETCH (FLAGS (\\Flagged \\Seen) UID 3 MODSEQ (73))\r\n",
     "fetch(3) fetched(3 uid=3 flags=\\Flagged \\Seen modseq=73) more"},
    {"unsolicited", "* 3 FETCH (FLAGS (\\Deleted))\r\n",
     "fetch(3) fetched(3 uid=- "
     "flags=\\Deleted) more"},
    {"quoted_body", "* 1 FETCH (BODY[] \"a\\\"b\" UID 7)\r\n",
     "fetch(1) body(3 uid=- size=-) bytes(a\"b) body-end fetched(1 uid=7 body=3) more"},
    {"empty_quoted_body", "* 1 FETCH (UID 7 BODY[]<1048576> \"\")\r\n",
     "fetch(1) body(0 uid=7 size=-) body-end fetched(1 uid=7 body=0) more"},
    {"empty_literal_body", "* 1 FETCH (UID 7 BODY[]<0> {0}\r\n)\r\n",
     "fetch(1) body(0 uid=7 size=-) body-end fetched(1 uid=7 body=0) more"},
    {"nil_body", "* 1 FETCH (UID 7 BODY[] nil)\r\n", "fetch(1) fetched(1 uid=7 nil-body) more"},
    {"binary_literal8", "* 1 FETCH (UID 7 BINARY[] ~{2}\r\na\xff)\r\n",
     "fetch(1) body(2 uid=7 size=-) bytes(a\xff) body-end fetched(1 uid=7 body=2) more"},
    {"rfc822", "* 1 FETCH (RFC822 {1}\r\nx RFC822.HEADER {2}\r\n\r\n)\r\n",
     "fetch(1) body(1 uid=- size=-) bytes(x) body-end fetched(1 uid=- header=\r\n body=1) more"},
    {"no_blank_before_literal", "* 1 FETCH (BODY[]{1}\r\nxUID 2)\r\n",
     "fetch(1) body(1 uid=- size=-) bytes(x) body-end fetched(1 uid=2 body=1) more"},
    {"blanks", "*  1  FETCH  ( UID  2   FLAGS  ( ) BODY[]  {1}\r\nx )\r\n",
     "fetch(1) body(1 uid=2 size=-) bytes(x) body-end fetched(1 uid=2 flags= body=1) more"},
    {"header_fields",
     "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (MESSAGE-ID DATE)] {11}\r\nDate: x\r\n\r\n RFC822.SIZE "
     "5)\r\n",
     "fetch(1) fetched(1 uid=1 size=5 header=Date: x\r\n\r\n) more"},
    {"header_and_body", "* 1 FETCH (BODY[HEADER] {2}\r\n\r\n BODY[] {3}\r\nabc UID 9)\r\n",
     "fetch(1) body(3 uid=- size=-) bytes(abc) body-end fetched(1 uid=9 header=\r\n body=3) more"},
    {"quoted_header", "* 1 FETCH (BODY[HEADER.FIELDS (X)] \"\" UID 2)\r\n",
     "fetch(1) fetched(1 uid=2 header=) more"},
    {"nil_header", "* 1 FETCH (BODY[HEADER] NIL UID 2)\r\n", "fetch(1) fetched(1 uid=2) more"},
    {"bracket_in_header_list",
     "* 1 FETCH (BODY[HEADER.FIELDS (\"a]\\\" b\" c] d)] \"h\" UID 2)\r\n",
     "fetch(1) fetched(1 uid=2 header=h) more"},
    {"literal_in_header_list",
     "* 1 FETCH (BODY[HEADER.FIELDS ({3}\r\n)] DATE)]<0> {1}\r\nh UID 2)\r\n",
     "fetch(1) fetched(1 uid=2 header=h) more"},
    {"unasked_parts",
     "* 1 FETCH (BODY[1.2.TEXT] {6}\r\n) UID  BODY[2.MIME] \"x\" BODY[TEXT] NIL UID 2)\r\n",
     "fetch(1) fetched(1 uid=2) more"},
    {"envelope",
     "* 1 FETCH (ENVELOPE (\"d\" {3}\r\n)))  ((NIL NIL \"a\" \"b\")) NIL {1}\r\n\") UID 4 "
     "BODYSTRUCTURE (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"x\") NIL NIL \"7BIT\" 1 1))\r\n",
     "fetch(1) fetched(1 uid=4) more"},
    {"vendor_items",
     "* 1 FETCH (X-GM-LABELS (\"\\\\Sent\" \"a b\" {1}\r\n)) X-GM-MSGID 1278455344230334865 "
     "X-GM-THRID 5 "
     "UID 6 X-GUID 4f2a EMAILID (M6d99) THREADID NIL SAVEDATE NIL)\r\n",
     "fetch(1) fetched(1 uid=6 guid=4f2a emailid=M6d99 gm=1278455344230334865) more"},
    {"quoted_guid", "* 1 FETCH (X-GUID \"4f2a\" UID 1)\r\n",
     "fetch(1) fetched(1 uid=1 "
     "guid=4f2a) more"},
    {"unsafe_ids", "* 1 FETCH (X-GUID \"a b\" EMAILID (\"\x80\") UID 1)\r\n",
     "fetch(1) fetched(1 uid=1) more"},
    {"nonsense_date", "* 1 FETCH (INTERNALDATE \"00-Jan-0000 00:00:00 +0000\" UID 1)\r\n",
     "fetch(1) fetched(1 uid=1 date=00-Jan-0000 00:00:00 +0000) more"},
    {"nil_date", "* 1 FETCH (INTERNALDATE NIL UID 1)\r\n", "fetch(1) fetched(1 uid=1) more"},
    {"literal_date", "* 1 FETCH (INTERNALDATE {26}\r\n 4-Jul-2018 00:00:00 +0530 UID 1)\r\n",
     "fetch(1) fetched(1 uid=1 date= 4-Jul-2018 00:00:00 +0530 at=1530642600) more"},
    {"odd_flags", "* 1 FETCH (FLAGS (\\* a[1] \"q x\" NonJunk\x80) UID 1)\r\n",
     "fetch(1) fetched(1 uid=1 flags=\\* a[1] q x NonJunk\x80) more"},
    {"largest_numbers",
     "* 4294967295 FETCH (UID 4294967295 RFC822.SIZE 9223372036854775807 MODSEQ "
     "9223372036854775807)\r\n",
     "fetch(4294967295) fetched(4294967295 uid=4294967295 size=9223372036854775807 "
     "modseq=9223372036854775807) more"},
    {"uidfetch", "* 25 UIDFETCH (FLAGS (\\Seen))\r\n",
     "fetch(25) fetched(25 uid=25 "
     "flags=\\Seen) more"},
    {"no_items", "* 1 FETCH ()\r\n", "fetch(1) fetched(1 uid=-) more"},
    {"two_responses_for_a_uid", "* 1 FETCH (UID 5)\r\n* 1 FETCH (UID 5 FLAGS ())\r\n",
     "fetch(1) fetched(1 uid=5) fetch(1) fetched(1 uid=5 flags=) more"},
    {"bare_lf", "* 1 FETCH (BODY[] {2}\na\n UID 1)\na1 OK x\n",
     "fetch(1) body(2 uid=- size=-) bytes(a\n) body-end fetched(1 uid=1 body=2) tagged(a1 ok x) "
     "more"},
    {"forged_announcement_in_body", "* 1 FETCH (BODY[] {7}\r\na {99}\r UID 1)\r\n",
     "fetch(1) body(7 uid=- size=-) bytes(a {99}\r) body-end fetched(1 uid=1 body=7) more"},
    {"connection_ends_in_body", "* 1 FETCH (UID 1 BODY[] {5}\r\nab",
     "fetch(1) body(5 uid=1 size=-) bytes(ab) more"},
    // A test per way in which a FETCH response can be wrong.
    {"zero_number", "* 0 FETCH (UID 1)\r\n", "error(malformed FETCH response)"},
    {"no_list", "* 1 FETCH UID 1\r\n", "error(malformed FETCH response)"},
    {"nothing", "* 1 FETCH\r\n", "error(malformed FETCH response)"},
    {"unclosed", "* 1 FETCH (UID 1\r\n", "fetch(1) error(malformed FETCH response)"},
    {"junk_behind", "* 1 FETCH (UID 1) x\r\n", "fetch(1) error(octets after a FETCH response)"},
    {"literal_behind", "* 1 FETCH (UID 1){1}\r\nx\r\n",
     "fetch(1) error(octets after a FETCH "
     "response)"},
    {"two_bodies", "* 1 FETCH (BODY[] {1}\r\nx RFC822 {1}\r\ny)\r\n",
     "fetch(1) body(1 uid=- size=-) bytes(x) body-end error(two bodies in one FETCH response)"},
    {"uid_zero", "* 1 FETCH (UID 0)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"uid_over_32_bits", "* 1 FETCH (UID 4294967296)\r\n",
     "fetch(1) error(malformed FETCH "
     "response)"},
    {"size_over_63_bits", "* 1 FETCH (RFC822.SIZE 9223372036854775808)\r\n",
     "fetch(1) error(malformed FETCH response)"},
    {"negative_size", "* 1 FETCH (RFC822.SIZE -1)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"gm_msgid_word", "* 1 FETCH (X-GM-MSGID x)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"modseq_word", "* 1 FETCH (MODSEQ (x))\r\n", "fetch(1) error(malformed FETCH response)"},
    {"modseq_unclosed", "* 1 FETCH (MODSEQ (5 UID 1)\r\n",
     "fetch(1) error(malformed FETCH "
     "response)"},
    {"flags_word", "* 1 FETCH (FLAGS x)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"flags_hide_a_literal", "* 1 FETCH (FLAGS (a{5}\r\nabcde))\r\n",
     "fetch(1) error(malformed FETCH response)"},
    {"date_word", "* 1 FETCH (INTERNALDATE x)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"emailid_word", "* 1 FETCH (EMAILID x)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"guid_list", "* 1 FETCH (X-GUID (x))\r\n", "fetch(1) error(malformed FETCH response)"},
    {"body_word", "* 1 FETCH (BODY[] x)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"body_without_value", "* 1 FETCH (BODY[])\r\n", "fetch(1) error(malformed FETCH response)"},
    {"header_word", "* 1 FETCH (BODY[HEADER] x)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"section_unclosed", "* 1 FETCH (BODY[HEADER.FIELDS (A) {1}\r\nx)\r\n",
     "fetch(1) error(malformed FETCH response)"},
    {"section_unbalanced", "* 1 FETCH (BODY[)] x)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"origin_unclosed", "* 1 FETCH (BODY[]<0 {1}\r\nx)\r\n",
     "fetch(1) error(malformed FETCH "
     "response)"},
    {"origin_word", "* 1 FETCH (BODY[]<x> {1}\r\nx)\r\n",
     "fetch(1) error(malformed FETCH "
     "response)"},
    {"list_for_a_name", "* 1 FETCH ((UID) 1)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"item_without_value", "* 1 FETCH (X-FOO)\r\n", "fetch(1) error(malformed FETCH response)"},
    {"quoted_unclosed", "* 1 FETCH (X-FOO \"a {3}\r\nb\"c)\r\n",
     "fetch(1) error(malformed FETCH response)"},
};

class FetchResponseTest : public testing::TestWithParam<ParserCase> {};

TEST_P(FetchResponseTest, SameEventsForEveryPieceSize) {
    expect_same_events_for_every_piece_size(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Imap, FetchResponseTest, testing::ValuesIn(fetch_cases), name_of);

// Sessions as Dovecot and Cyrus led them, with our commands left out.
constexpr ParserCase transcript_cases[] = {
    {"dovecot_flight",
     "* OK [CLOSED] Previous mailbox closed.\r\n"
     "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
     "* OK [PERMANENTFLAGS ()] Read-only mailbox.\r\n"
     "* 2 EXISTS\r\n* 0 RECENT\r\n"
     "* OK [UIDVALIDITY 1795532382] UIDs valid\r\n* OK [UIDNEXT 3] Predicted next UID\r\n"
     "a4 OK [READ-ONLY] Examine completed (0.001 + 0.000 secs).\r\n"
     "* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {3}\r\nx\r\n)\r\n"
     "* 2 FETCH (UID 2 FLAGS () BODY[] {0}\r\n)\r\n"
     "a5 OK Fetch completed.\r\n"
     "* STATUS da (MESSAGES 9)\r\na6 OK [CLIENTBUG] Status on selected mailbox completed.\r\n"
     "a7 OK [APPENDUID 1795531743 13:14] Append completed (0.002 + 0.000 + 0.001 secs).\r\n",
     "status(ok [CLOSED|] Previous mailbox closed.) "
     "flags(\\Answered \\Flagged \\Deleted \\Seen \\Draft) "
     "status(ok [PERMANENTFLAGS|()] Read-only mailbox.) exists(2) recent(0) "
     "status(ok [UIDVALIDITY|1795532382] UIDs valid) status(ok [UIDNEXT|3] Predicted next UID) "
     "tagged(a4 ok [READ-ONLY|] Examine completed (0.001 + 0.000 secs).) "
     "fetch(1) body(3 uid=1 size=-) bytes(x\r\n) body-end fetched(1 uid=1 flags=\\Seen body=3) "
     "fetch(2) body(0 uid=2 size=-) body-end fetched(2 uid=2 flags= body=0) "
     "tagged(a5 ok Fetch completed.) "
     "status-data(da messages=9 uidnext=- uidvalidity=- modseq=- unseen=- size=- limit=- id=- "
     "guid=-) "
     "tagged(a6 ok [CLIENTBUG|] Status on selected mailbox completed.) "
     "tagged(a7 ok [APPENDUID|1795531743 13:14] Append completed (0.002 + 0.000 + 0.001 secs).) "
     "more"},
    {"cyrus_qresync",
     "* ENABLED CONDSTORE QRESYNC\r\nd2 OK Completed\r\n"
     "* OK [CLOSED] Ok\r\n* 9 EXISTS\r\n* OK [HIGHESTMODSEQ 73] Ok\r\n"
     "* OK [MAILBOXID (F-4c1)] Ok\r\n"
     "* VANISHED (EARLIER) 4:5\r\n* 3 FETCH (FLAGS (\\Flagged \\Seen) UID 3 MODSEQ (73))\r\n"
     "d3 OK [READ-ONLY] Completed\r\n",
     "enabled(CONDSTORE QRESYNC) tagged(d2 ok Completed) status(ok [CLOSED|] Ok) exists(9) "
     "status(ok [HIGHESTMODSEQ|73] Ok) status(ok [MAILBOXID|(F-4c1)] Ok) vanished(earlier 4:5) "
     "fetch(3) fetched(3 uid=3 flags=\\Flagged \\Seen modseq=73) tagged(d3 ok [READ-ONLY|] "
     "Completed) "
     "more"},
};

INSTANTIATE_TEST_SUITE_P(Transcripts, FetchResponseTest, testing::ValuesIn(transcript_cases),
                         name_of);

TEST(FetchBodyTest, LiteralBytesPointIntoTheCallersBuffer) {
    ResponseParser parser({}, ResponseParser::Begin::response);
    std::string const wire = "* 1 FETCH (BODY[] {3}\r\nabc)\r\n";
    std::string_view input = wire;
    parser.next(input);
    parser.next(input);
    auto const event = parser.next(input);
    ASSERT_TRUE(std::holds_alternative<BodyBytes>(event));
    EXPECT_EQ(std::get<BodyBytes>(event).bytes.data(), wire.data() + wire.find("abc"));
    // Back-pressure: what wasn't asked for wasn't read.
    EXPECT_EQ(input, ")\r\n");
}

}  // namespace
}  // namespace mailferry::imap
