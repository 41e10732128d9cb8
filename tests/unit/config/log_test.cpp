#include "config/base/log.hpp"
#include "config/base/secret.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>

#include <sstream>
#include <thread>

namespace mailferry {
namespace {

using testing::ElementsAre;

static_assert(!std::is_constructible_v<log::Value, Secret const&>, "a secret can't be logged");

class LogTest : public testing::Test {
protected:
    void start(log::Level level = log::Level::debug) { log::init(level, capture_.sink()); }
    ~LogTest() override { log::init(log::Level::error); }

    log::Capture capture_;
};

TEST_F(LogTest, OneLineOfKeysAndValues) {
    start();
    std::string const mailbox = "anna@fabrikam.example";
    log::info("mailbox done", {{"mailbox", mailbox}, {"items", 12}, {"whole", true}});
    log::error("stopped");
    EXPECT_THAT(capture_.lines(),
                ElementsAre("level=info msg=\"mailbox done\" mailbox=anna@fabrikam.example "
                            "items=12 whole=true",
                            "level=error msg=stopped"));
}

TEST_F(LogTest, LeadingFieldsStandInFront) {
    start();
    auto const mailbox_log = log::Logger({{"mailbox", "anna"}});
    auto const folder_log = mailbox_log.with({{"folder", "In Box"}});
    folder_log.warning("slow", {{"took", std::chrono::milliseconds(1500)}});
    mailbox_log.debug("x", {{"bytes", ByteCount{7}}});
    EXPECT_THAT(capture_.lines(),
                ElementsAre("level=warning msg=slow mailbox=anna folder=\"In Box\" took=1500ms",
                            "level=debug msg=x mailbox=anna bytes=7"));
}

TEST_F(LogTest, BelowTheLevelNothingIsWritten) {
    start(log::Level::warning);
    log::debug("a");
    log::info("b");
    log::warning("c");
    EXPECT_THAT(capture_.lines(), ElementsAre("level=warning msg=c"));
    EXPECT_FALSE(log::level_from("loud"));
    EXPECT_EQ(log::level_from("warning"), log::Level::warning);
}

struct EscapeCase {
    std::string_view name, value, printed;
};

constexpr EscapeCase escape_cases[] = {
    {"empty", "", "\"\""},
    {"bare", "a-b_c.d@e/f:1", "a-b_c.d@e/f:1"},
    {"blank", "a b", "\"a b\""},
    {"equals_sign_forges_no_field", "x level=error", "\"x level=error\""},
    {"quote", "say \"hi\"", "\"say \\\"hi\\\"\""},
    {"newline_forges_no_line", "a\nlevel=error", "\"a\\x0alevel=error\""},
    {"text_that_looks_escaped", "a\\x0a", "\"a\\\\x0a\""},
    {"terminal_escape", "\x1b[31m", "\"\\x1b[31m\""},
    {"bidi_override", "a\u202Eb", "\"a\\xe2\\x80\\xaeb\""},
    {"broken_utf8", "\xff", "\"\\xff\""},
    {"utf8_stays", "Müller", "\"Müller\""},
    {"format_braces", "{} {0}", "\"{} {0}\""},
};

TEST_F(LogTest, ValuesForgeNothing) {
    for (auto const& c : escape_cases) EXPECT_EQ(log::Value(c.value).text(), c.printed) << c.name;
    auto const cut = log::Value(std::string(5000, 'x')).text();
    EXPECT_LT(cut.size(), 600u);
    EXPECT_TRUE(cut.ends_with("...\""));
}

TEST_F(LogTest, ThreadsKeepLinesWhole) {
    start();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([] {
            for (int i = 0; i < 200; ++i) log::info("x", {{"i", 1}});
        });
    for (auto& thread : threads) thread.join();
    auto const lines = capture_.lines();
    EXPECT_EQ(lines.size(), 800u);
    for (auto const& line : lines) EXPECT_EQ(line, "level=info msg=x i=1");
}

// Goal: the journal's priorities appear only when the journal itself reads our standard error.
// Method: a pipe's own device and inode, then others.
TEST_F(LogTest, JournalStreamIsTheVeryFile) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    struct stat status {};
    ASSERT_EQ(::fstat(ends[1], &status), 0);
    std::ostringstream same, other;
    same << status.st_dev << ':' << status.st_ino;
    other << status.st_dev << ':' << status.st_ino + 1;
    EXPECT_TRUE(log::is_journal_stream(same.str().c_str(), ends[1]));
    EXPECT_FALSE(log::is_journal_stream(other.str().c_str(), ends[1]));
    EXPECT_FALSE(log::is_journal_stream(nullptr, ends[1]));
    EXPECT_FALSE(log::is_journal_stream("", ends[1]));
    EXPECT_FALSE(log::is_journal_stream("12", ends[1]));
    EXPECT_FALSE(log::is_journal_stream(same.str().c_str(), -1));

    // What the stream then looks like.
    auto const saved = ::dup(STDERR_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::setenv("JOURNAL_STREAM", same.str().c_str(), 1);
    log::init(log::Level::info);
    log::warning("slow", {{"n", 1}});
    ::unsetenv("JOURNAL_STREAM");
    log::init(log::Level::info);
    log::info("plain");
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    ::close(ends[1]);
    std::string text(4096, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends[0], text.data(), 4096))));
    ::close(ends[0]);
    EXPECT_THAT(text, testing::MatchesRegex(
                          "<4>level=warning msg=slow n=1\n"
                          "time=2[0-9-]+T[0-9:.]+Z level=info msg=plain\n"));
}

}  // namespace
}  // namespace mailferry
