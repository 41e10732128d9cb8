#include "tests/unit/transport/imap/parser_case.hpp"

namespace mailferry::imap {
namespace {

constexpr std::size_t piece_bytes = 16 * 1024;

std::string repeated(std::string_view text, std::size_t times) {
    std::string result;
    result.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) result += text;
    return result;
}

TEST(HostileServerTest, LiteralSizesAreChecked) {
    EXPECT_EQ(events_of("* 1 FETCH (BODY[] {9223372036854775808}\r\nx", 7),
              "error(literal too large)");
    EXPECT_EQ(events_of("* 1 FETCH (UID 1 X {0}\r\n BODY[] {18446744073709551616}\r\n", 7),
              "fetch(1) error(literal too large)");
    EXPECT_EQ(events_of("* LIST () \"/\" {99999999999999999999999}\r\nx", 7),
              "error(literal too large)");
    EXPECT_EQ(events_of("* LIST () \"/\" {4294967296}\r\nx", 7), "error(literal too large)");
    EXPECT_EQ(events_of("* METADATA {16777217}\r\nx", 7), "error(literal too large)");
    // A body is never held: its announced size is for the consumer to judge.
    EXPECT_EQ(events_of("* 1 FETCH (BODY[] {9223372036854775807}\r\nx", 7),
              "fetch(1) body(9223372036854775807 uid=- size=-) bytes(x) more");
}

TEST(HostileServerTest, AnEndlessLineIsNotHeld) {
    for (std::string_view head : {"", "* OK ", "* XFOO ", "* 1 FETCH (X-FOO ", "a1 OK ",
                                  "* ID "
                                  "("}) {
        ResponseParser parser({}, ResponseParser::Begin::response);
        std::string_view input = head;
        while (!std::holds_alternative<NeedMore>(parser.next(input))) {
        }
        std::string const block(piece_bytes, 'x');
        std::size_t fed_bytes = 0;
        Event event = NeedMore{};
        while (std::holds_alternative<NeedMore>(event) && fed_bytes < 100'000'000) {
            input = block;
            event = parser.next(input);
            fed_bytes += block.size();
        }
        ASSERT_TRUE(std::holds_alternative<ProtocolError>(event)) << head;
        EXPECT_LE(fed_bytes, 96u * 1024) << head;
    }
}

TEST(HostileServerTest, LongListsEndAtTheirOwnLimit) {
    auto const uids = repeated("4294967295 ", 90'000);
    EXPECT_EQ(events_of("* SEARCH " + uids + "\r\n", piece_bytes),
              "search(4294967295 modseq=-) more");
    EXPECT_EQ(events_of("* SEARCH " + uids + uids + "\r\n", piece_bytes), "error(line too long)");
    EXPECT_EQ(events_of("* ESEARCH ALL 1" + repeated(",4294967295", 90'000) + "\r\n", piece_bytes),
              "esearch( min=- max=- count=- all=1,4294967295 modseq=-) more");
}

// Finding where a string may begin once looked ahead to the end of the line for each word.
TEST(HostileServerTest, ManyWordsCostNoQuadraticTime) {
    auto const brackets = "* 1 FETCH (X " + repeated("{1{1~{", 10'000) + " UID 1)\r\n";
    EXPECT_EQ(events_of(brackets, piece_bytes), "fetch(1) fetched(1 uid=1) more");
    ParserLimits limits;
    limits.list_items_max = 1'000'000;
    auto const events = events_of("* FLAGS (" + repeated("a ", 500'000) + ")\r\n", 0, limits);
    EXPECT_EQ(events.size(), std::string("flags() more").size() + 999'999);
}

TEST(HostileServerTest, FallingUidsCostNoQuadraticTime) {
    std::string wire = "* SEARCH";
    for (int uid = 300'000; uid > 100'000; uid -= 2) wire += " " + std::to_string(uid);
    auto const events = events_of(wire + "\r\n", piece_bytes);
    EXPECT_EQ(events.substr(0, 21), "search(100002,100004,");
}

TEST(HostileServerTest, ParenthesesAreCountedNotRecursedInto) {
    auto const deep = repeated("(", 1'000'000);
    EXPECT_EQ(events_of("* XFOO " + deep + "\r\n", piece_bytes), "error(line too long)");
    EXPECT_EQ(events_of("* XFOO " + deep.substr(0, 60'000) + "\r\n", piece_bytes),
              "other(XFOO) more");
    EXPECT_EQ(events_of("* 1 FETCH (X " + deep.substr(0, 60'000) + "\r\n", piece_bytes),
              "fetch(1) error(malformed FETCH response)");
    EXPECT_EQ(events_of("* 1 FETCH (BODY[" + deep.substr(0, 60'000) + "\r\n", piece_bytes),
              "fetch(1) error(malformed FETCH response)");
    auto const nested = [](std::size_t depth) {
        return "* 1 FETCH (X " + repeated("(", depth) + repeated(")", depth) + " UID 1)\r\n";
    };
    EXPECT_EQ(events_of(nested(32), piece_bytes), "fetch(1) fetched(1 uid=1) more");
    EXPECT_EQ(events_of(nested(33), piece_bytes), "fetch(1) error(malformed FETCH response)");
}

TEST(HostileServerTest, ALongLiteralInAKnownResponseIsPassedOver) {
    auto const literal = "{70000}\r\n" + repeated("x\n* 9 EXISTS\r\n\"", 4'667).substr(0, 70'000);
    EXPECT_EQ(events_of("* LIST () \"/\" " + literal + "\r\n* 1 EXISTS\r\n", piece_bytes),
              "other(LIST oversized) exists(1) more");
    EXPECT_EQ(events_of("* METADATA " + literal + "\r\n* 1 EXISTS\r\n", piece_bytes),
              "other(METADATA) exists(1) more");
    EXPECT_EQ(events_of("* 1 FETCH (BODY[TEXT] " + literal + " UID 5)\r\n", piece_bytes),
              "fetch(1) fetched(1 uid=5) more");
    EXPECT_EQ(events_of("* 1 FETCH (ENVELOPE (" + literal + " {1}\r\n)) UID 5)\r\n", piece_bytes),
              "fetch(1) fetched(1 uid=5) more");
}

TEST(HostileServerTest, AHeaderIsHeldUpToItsLimit) {
    ParserLimits limits;
    limits.header_bytes_max = 4;
    EXPECT_EQ(events_of("* 1 FETCH (BODY[HEADER] {4}\r\nabcd UID 5)\r\n", 3, limits),
              "fetch(1) fetched(1 uid=5 header=abcd) more");
    EXPECT_EQ(events_of("* 1 FETCH (BODY[HEADER] {5}\r\nabcde UID 5)\r\n", 3, limits),
              "fetch(1) fetched(1 uid=5) more");
}

TEST(HostileServerTest, ManyLiteralsEndTheSession) {
    auto const literals = repeated(" {1}\r\nx", 300);
    EXPECT_EQ(events_of("* LIST () \"/\" {1}\r\nx (" + literals + ")\r\n", piece_bytes),
              "error(too many literals in one response)");
    EXPECT_EQ(events_of("* XFOO {1}\r\nx" + literals + "\r\n", piece_bytes),
              "error(too many literals in one response)");
    EXPECT_EQ(events_of("* 1 FETCH (X (" + repeated("{0}\r\n", 300), piece_bytes),
              "fetch(1) error(too many literals in one response)");
}

TEST(HostileServerTest, AResponseOfManyPiecesHasALimit) {
    ParserLimits limits;
    limits.response_bytes_max = 200;
    auto const literal = "{60}\r\n" + repeated("x", 60) + " ";
    for (std::string_view head : {"* LIST () \"/\" ", "* 1 FETCH (X ("}) {
        auto const wire = std::string(head) + repeated(literal, 4);
        auto const events = events_of(wire, 5, limits);
        EXPECT_TRUE(events.ends_with("error(response too long)")) << events;
        auto const long_line = std::string(head) + literal + repeated("y", 200) + "\r\n";
        auto const line_events = events_of(long_line, 5, limits);
        EXPECT_TRUE(line_events.ends_with("error(response too long)")) << line_events;
    }
}

TEST(HostileServerTest, ListsOfNamesHaveALimit) {
    EXPECT_EQ(events_of("* FLAGS (" + repeated("a ", 4'096) + ")\r\n", piece_bytes).substr(0, 6),
              "flags(");
    for (auto const& wire : {"* FLAGS (" + repeated("a ", 4'097) + ")\r\n",
                             "* CAPABILITY " + repeated("a ", 4'097) + "\r\n",
                             "* ENABLED " + repeated("a ", 4'097) + "\r\n",
                             "* STATUS x (" + repeated("a 1 ", 4'098) + ")\r\n",
                             "* ESEARCH " + repeated("a 1 ", 4'098) + "\r\n",
                             "* QUOTA x (" + repeated("a 1 1 ", 4'097) + ")\r\n",
                             "* QUOTAROOT x " + repeated("a ", 4'097) + "\r\n",
                             "* ID (" + repeated("\"\" \"\" ", 4'097) + ")\r\n",
                             "* NAMESPACE (" + repeated("(\"\" NIL)", 4'097) + ") NIL NIL\r\n"})
        EXPECT_EQ(events_of(wire, piece_bytes), "error(malformed response)") << wire.substr(0, 12);
    EXPECT_EQ(events_of("* 1 FETCH (FLAGS (" + repeated("a ", 4'097) + "))\r\n", piece_bytes),
              "fetch(1) error(malformed FETCH response)");
}

TEST(HostileServerTest, BlankLinesHaveALimit) {
    auto const some = repeated("\r\n", 16);
    EXPECT_EQ(events_of(some + "* 1 EXISTS\r\n" + some, 3), "exists(1) more");
    EXPECT_EQ(events_of(some + "\n", 3), "error(too many blank lines)");
}

// A gigabyte would only take longer.
TEST(HostileServerTest, ABigBodyNeedsNoMemory) {
    ResponseParser parser({}, ResponseParser::Begin::response);
    std::string_view input = "* 1 FETCH (UID 1 BODY[] {67108864}\r\n";
    while (!std::holds_alternative<NeedMore>(parser.next(input))) {
    }
    std::string const block(1024 * 1024, '\n');
    std::size_t got_bytes = 0;
    for (int i = 0; i < 64; ++i) {
        input = block;
        auto const event = parser.next(input);
        ASSERT_TRUE(std::holds_alternative<BodyBytes>(event));
        ASSERT_EQ(std::get<BodyBytes>(event).bytes.data(), block.data());
        got_bytes += std::get<BodyBytes>(event).bytes.size();
    }
    EXPECT_EQ(got_bytes, 67'108'864u);
    EXPECT_TRUE(std::holds_alternative<BodyEnd>(parser.next(input)));
}

}  // namespace
}  // namespace mailferry::imap
