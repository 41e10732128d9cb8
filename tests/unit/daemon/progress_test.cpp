#include "daemon/progress.hpp"

#include "daemon/text_layout.hpp"
#include "fake_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

namespace mailferry::daemon {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

RateHistory steady_history() {
    RateHistory history;
    std::chrono::steady_clock::time_point const start{};
    history.add(start, 0, 0);
    history.add(start + 10s, 1'600, 16 << 20);
    return history;
}

// Goal: at any size every line fits, there are never too many, and no foreign byte steers the
// terminal.
TEST(ProgressTest, FitsEveryTerminal) {
    auto status = busy_status();
    status.warnings = {"source fabrikam unreachable: \x1b[2J\u202eevil", "disk full: /var"};
    std::vector<MailboxView> running;
    for (int i = 0; i < 12; ++i) running.push_back(running_mailbox(i));
    running[1].source = "\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e@fabrikam.example";
    running[2].source = std::string(300, 'x') + "\x1b[31m@fabrikam.example";
    running[2].folder = "\xff\xfe\r\nSpoof";
    auto const history = steady_history();
    for (std::size_t width = 1; width <= 200; ++width)
        for (std::size_t height : {0u, 1u, 2u, 5u, 10u, 24u, 60u}) {
            SCOPED_TRACE(testing::Message() << "width=" << width << " height=" << height);
            auto const lines = render_progress(status, running, width, height, history);
            EXPECT_LE(lines.size(), height);
            for (auto const& line : lines) {
                EXPECT_LE(display_width(line), width) << line;
                EXPECT_EQ(line.find_first_of("\x1b\r\n"), line.npos) << line;
            }
        }
}

TEST(ProgressTest, ShowsTotalsRateAndTimeLeft) {
    auto const lines =
        render_progress(busy_status(), {running_mailbox(1)}, 120, 24, steady_history());
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0],
              "[=====>              ]  25 %  1,602 of 6,400 items  16 MiB of 64 MiB  1.6 MiB/s  "
              "30s left  2 failed");
    EXPECT_EQ(lines[1], "merger / first: 12 of 64 mailboxes done  8 running  1 failed");
    EXPECT_EQ(lines[2], "sessions 4 of 6  spool 64 MiB of 20 GiB  memory 0 B of 256 MiB");
    EXPECT_EQ(lines[3],
              "  user1@fabrikam.example                    [==>       ]   25 %    300/1,200     "
              "3 MiB  INBOX/Gr\u00fc\u00dfe");
}

TEST(ProgressTest, SaysHowManyMailboxesHaveNoLine) {
    std::vector<MailboxView> running;
    for (int i = 0; i < 30; ++i) running.push_back(running_mailbox(i));
    auto const lines = render_progress(busy_status(), running, 80, 10, steady_history());
    ASSERT_EQ(lines.size(), 10u);
    EXPECT_EQ(lines.back(), "  ... and 24 more mailboxes");
}

TEST(ProgressTest, PercentNeverClaimsTheEndTooEarly) {
    Totals totals;
    totals.items_planned = 10;
    totals.items_stored = 9;
    totals.bytes_planned = 100;
    totals.bytes_stored = 100;
    EXPECT_EQ(progress_figures(totals, {}).percent, 99u);
    totals.items_stored = 10;
    EXPECT_EQ(progress_figures(totals, {}).percent, 100u);
    EXPECT_EQ(progress_figures(Totals{}, {}).percent, std::nullopt);
}

TEST(ProgressTest, TimeLeftFollowsWhatBinds) {
    Totals totals;
    totals.items_planned = 1'000;
    totals.bytes_planned = 1'000;
    EXPECT_EQ(progress_figures(totals, RateHistory::Rate{10, 100}).left, 100s);
    EXPECT_EQ(progress_figures(totals, RateHistory::Rate{1'000, 1}).left, 1'000s);
    EXPECT_EQ(progress_figures(totals, RateHistory::Rate{0, 0}).left, std::nullopt);
    EXPECT_EQ(progress_figures(totals, {}).left, std::nullopt);
}

TEST(ProgressTest, RateForgetsWhatIsOlderThanHalfAMinute) {
    RateHistory history;
    std::chrono::steady_clock::time_point const start{};
    EXPECT_FALSE(history.rate());
    for (int second = 0; second <= 100; ++second)
        history.add(start + std::chrono::seconds(second),
                    second < 50 ? 0 : static_cast<std::uint64_t>(second - 50), 0);
    ASSERT_TRUE(history.rate());
    EXPECT_DOUBLE_EQ(history.rate()->items_per_second, 1.0);
}

TEST(ProgressTest, PlainLineIsOneLine) {
    auto status = busy_status();
    status.passes[0].migration = "a\nb";
    auto const line = progress_line(status, steady_history());
    EXPECT_EQ(line,
              "a\\x0ab / first: 12 of 64 mailboxes done; 25 %, 1,602 of 6,400 items, 16 MiB of "
              "64 MiB, 1.6 MiB/s, 30s left, 2 failed");
}

TEST(TerminalFrameTest, GoesUpByTheRowsThatTheOldFrameTakesNow) {
    EXPECT_EQ(TerminalFrame::redraw({}, {"a", "b"}, 80),
              "\x1b[?25l\x1b[?7l\ra\x1b[K\r\nb\x1b[K\x1b[J\x1b[?7h");
    EXPECT_THAT(TerminalFrame::redraw({10, 10}, {"a"}, 80), HasSubstr("\r\x1b[1Aa"));
    // The terminal became narrower: each old line takes two rows.
    EXPECT_THAT(TerminalFrame::redraw({10, 10}, {"a"}, 5), HasSubstr("\r\x1b[3Aa"));
}

TEST(TerminalFrameTest, PutsTheCursorBack) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    {
        TerminalFrame frame(ends[1]);
        frame.draw({"one", "two"});
    }
    ::close(ends[1]);
    std::string written(4'096, '\0');
    auto const count = ::read(ends[0], written.data(), written.size());
    ::close(ends[0]);
    ASSERT_GT(count, 0);
    written.resize(static_cast<std::size_t>(count));
    EXPECT_TRUE(written.ends_with("\r\n\x1b[?25h")) << written;
}

// Goal: nobody who stops reading the display can stop the copy. Method: a full pipe.
TEST(TerminalFrameTest, AReaderThatStandsStillMissesFrames) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_NONBLOCK), 0);
    std::string const filler(1 << 20, 'x');
    while (::write(ends[1], filler.data(), filler.size()) > 0) {
    }
    ASSERT_EQ(::fcntl(ends[1], F_SETFL, 0), 0);
    TerminalFrame frame(ends[1]);
    frame.draw({"one"});
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(ProgressTest, WithoutATerminalALineAtOnceAndALineAtTheEnd) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    asio::io_context context;
    FakeEngine engine;
    engine.shown = busy_status();
    SystemClock clock;
    Progress progress(context.get_executor(), engine, clock, ends[1]);
    asio::co_spawn(context, progress.run(), asio::detached);
    asio::steady_timer end(context, 50ms);
    end.async_wait([&](auto) { progress.stop(); });
    context.run();
    ::close(ends[1]);
    std::string written(4'096, '\0');
    auto const count = ::read(ends[0], written.data(), written.size());
    ::close(ends[0]);
    ASSERT_GT(count, 0);
    written.resize(static_cast<std::size_t>(count));
    EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 2) << written;
    EXPECT_EQ(written.find('\x1b'), written.npos);
}

}  // namespace
}  // namespace mailferry::daemon
