#include "transport/imap/command.hpp"

#include <gtest/gtest.h>

namespace mailferry::imap {
namespace {

/// "text" of each segment; "+" where it waits, "<n>" where a message goes.
std::string text_of(Result<Command> const& command) {
    if (!command) return "refused: " + command.error().context;
    std::string text;
    for (auto const& segment : command->segments) {
        text += segment.text;
        if (segment.awaits_continuation) text += "[wait]";
        if (segment.message_bytes)
            text += "[" + std::to_string(*segment.message_bytes) + " octets]";
    }
    return text;
}

std::string astring_in(LiteralMode mode, std::string_view value) {
    CommandWriter writer("a1", mode);
    writer.text(" EXAMINE ").astring(value);
    return text_of(std::move(writer).finish());
}

TEST(CommandWriterTest, NamesAreQuotedIfTheyCan) {
    EXPECT_EQ(astring_in(LiteralMode::sync, "INBOX"), "a1 EXAMINE \"INBOX\"\r\n");
    EXPECT_EQ(astring_in(LiteralMode::sync, ""), "a1 EXAMINE \"\"\r\n");
    EXPECT_EQ(astring_in(LiteralMode::sync, "NIL"), "a1 EXAMINE \"NIL\"\r\n");
    EXPECT_EQ(astring_in(LiteralMode::sync, "a\"b\\c {5}"), "a1 EXAMINE \"a\\\"b\\\\c {5}\"\r\n");
    auto const longest = std::string(999, 'x');
    EXPECT_EQ(astring_in(LiteralMode::sync, longest), "a1 EXAMINE \"" + longest + "\"\r\n");
}

TEST(CommandWriterTest, OtherNamesGoAsLiterals) {
    EXPECT_EQ(astring_in(LiteralMode::sync, "caf\xc3\xa9"),
              "a1 EXAMINE {5}\r\n[wait]caf\xc3\xa9\r\n");
    EXPECT_EQ(astring_in(LiteralMode::plus, "caf\xc3\xa9"), "a1 EXAMINE {5+}\r\ncaf\xc3\xa9\r\n");
    EXPECT_EQ(astring_in(LiteralMode::minus, "a\tb"), "a1 EXAMINE {3+}\r\na\tb\r\n");
    EXPECT_EQ(astring_in(LiteralMode::plus, "a\x7f"), "a1 EXAMINE {2+}\r\na\x7f\r\n");
    auto const name = std::string(1000, 'x');
    EXPECT_EQ(astring_in(LiteralMode::plus, name), "a1 EXAMINE {1000+}\r\n" + name + "\r\n");
    auto const big = std::string(4097, 'x');
    EXPECT_EQ(astring_in(LiteralMode::minus, big), "a1 EXAMINE {4097}\r\n[wait]" + big + "\r\n");
}

TEST(CommandWriterTest, NoNameCarriesALineEnd) {
    for (auto const name : {std::string_view("a\r\nb"), std::string_view("a\n"),
                            std::string_view("\r"), std::string_view("a\0b", 3)})
        EXPECT_EQ(astring_in(LiteralMode::plus, name),
                  "refused: command not sent: a name holds NUL, CR or LF");
}

TEST(CommandWriterTest, LiteralsGoUnaskedWhereTheServerTakesThem) {
    EXPECT_FALSE(goes_unasked(LiteralMode::sync, 0));
    EXPECT_TRUE(goes_unasked(LiteralMode::plus, 1ull << 40));
    EXPECT_TRUE(goes_unasked(LiteralMode::minus, 4096));
    EXPECT_FALSE(goes_unasked(LiteralMode::minus, 4097));
}

TEST(CommandWriterTest, MultiappendIsOneCommand) {
    CommandWriter writer("a7", LiteralMode::plus);
    std::vector<std::string> const flags = {"\\Seen", "$Forwarded"}, none;
    writer.text(" APPEND ").astring("Archive/2019").text(" ").flag_list(flags).text(" ");
    writer.date_time({1551600902, 60}).text(" ").message(2048);
    writer.text(" ").flag_list(none).text(" ").date_time({0, 0}).text(" ").message(512);
    auto const command = std::move(writer).finish();
    EXPECT_EQ(text_of(command),
              "a7 APPEND \"Archive/2019\" (\\Seen $Forwarded) "
              "\"03-Mar-2019 09:15:02 +0100\" {2048+}\r\n"
              "[2048 octets] () \"01-Jan-1970 00:00:00 +0000\" {512+}\r\n[512 octets]\r\n");
    EXPECT_EQ(command->tag, "a7");
    EXPECT_EQ(command->segments.size(), 3u);
}

TEST(CommandWriterTest, AMessageMayHaveToBeAskedFor) {
    CommandWriter writer("a1", LiteralMode::minus);
    writer.text(" APPEND ").astring("x").text(" ").message(5000).text(" ").message(9).text(" ");
    writer.message(7, false);
    EXPECT_EQ(text_of(std::move(writer).finish()),
              "a1 APPEND \"x\" {5000}\r\n[wait][5000 octets] {9+}\r\n[9 octets] {7}\r\n"
              "[wait][7 octets]\r\n");
}

TEST(CommandWriterTest, AMessageMayFollowANameThatWasALiteral) {
    CommandWriter writer("a1", LiteralMode::sync);
    writer.text(" APPEND ").astring("\xc3\xa9").text(" ").message(3);
    EXPECT_EQ(text_of(std::move(writer).finish()),
              "a1 APPEND {2}\r\n[wait]\xc3\xa9 {3}\r\n[wait][3 octets]\r\n");
}

TEST(CommandWriterTest, FetchAndSearchArguments) {
    CommandWriter fetch("f1", LiteralMode::sync);
    fetch.text(" UID FETCH ").uids(*UidSet::parse("1:3,7")).text(" (UID) (CHANGEDSINCE ");
    fetch.number(9223372036854775807ull).text(")");
    EXPECT_EQ(text_of(std::move(fetch).finish()),
              "f1 UID FETCH 1:3,7 (UID) (CHANGEDSINCE 9223372036854775807)\r\n");
    CommandWriter search("s1", LiteralMode::sync);
    search.text(" UID SEARCH SINCE ").search_date(std::chrono::sys_days(std::chrono::days(1)));
    EXPECT_EQ(text_of(std::move(search).finish()), "s1 UID SEARCH SINCE 2-Jan-1970\r\n");
}

TEST(CommandWriterTest, AnEmptyInitialResponseIsAnEqualsSign) {
    CommandWriter empty("a1", LiteralMode::sync), plain("a2", LiteralMode::sync);
    empty.text(" AUTHENTICATE EXTERNAL ").initial_response("");
    EXPECT_EQ(text_of(std::move(empty).finish()), "a1 AUTHENTICATE EXTERNAL =\r\n");
    plain.text(" AUTHENTICATE PLAIN ").initial_response("AGEAYg==");
    EXPECT_EQ(text_of(std::move(plain).finish()), "a2 AUTHENTICATE PLAIN AGEAYg==\r\n");
}

TEST(CommandWriterTest, FlagsAreAtoms) {
    for (auto const* flag :
         {"", "\\", "a b", "a)", "a\r\n", "\\\\Seen", "\\*", "caf\xc3\xa9", "a]"}) {
        CommandWriter writer("a1", LiteralMode::plus);
        std::vector<std::string> const flags = {"\\Seen", flag};
        writer.text(" STORE ").flag_list(flags);
        EXPECT_EQ(text_of(std::move(writer).finish()),
                  "refused: command not sent: a flag is no atom")
            << flag;
    }
}

TEST(CommandWriterTest, ARefusalIsOfTheFolder) {
    CommandWriter writer("a1", LiteralMode::plus);
    writer.astring("a\nb");
    EXPECT_EQ(std::move(writer).finish().error().code, Errc::folder_refused);
}

TEST(CommandWriterDeathTest, DataDoesNotPassForWords) {
    CommandWriter writer("a1", LiteralMode::plus);
    EXPECT_DEATH(writer.text("a\r\n"), "is_printable");
    EXPECT_DEATH(writer.uids(UidSet()), "empty");
    EXPECT_DEATH(CommandWriter("a 1", LiteralMode::plus), "is_atom");
}

}  // namespace
}  // namespace mailferry::imap
