#include "tests/unit/transport/session/session_fixture.hpp"

namespace mailferry::imap {
namespace {

using asio::experimental::awaitable_operators::operator&&;

std::string const examine_answer =
    "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 9] ok\r\n$ OK [READ-ONLY] open\r\n";

std::string message(int uid, std::string const& body) {
    return "* " + std::to_string(uid) + " FETCH (UID " + std::to_string(uid) +
           " FLAGS (\\Seen \\Recent) INTERNALDATE \"01-Jan-2020 00:00:00 +0000\" RFC822.SIZE " +
           std::to_string(body.size()) + " BODY[] {" + std::to_string(body.size()) + "}\r\n" +
           body + ")\r\n";
}

// Not a braced list: GCC 12 can't keep one in a coroutine's frame.
template <class... Numbers>
std::vector<transport::ItemRef> numbers(Numbers... list) {
    std::vector<transport::ItemRef> items;
    for (auto const number : {list...}) items.emplace_back().number = ItemNumber(number);
    return items;
}

class FetchTest : public SessionTest {
protected:
    /// Fetches once from "A" in generation 7.
    Result<void> fetch(std::vector<Exchange> steps, std::vector<transport::ItemRef> wanted) {
        auto& server = script(signed_in(std::move(steps)));
        Result<void> result;
        run([&]() -> awaitable<void> {
            auto session = co_await open_source();
            result = co_await (*session)->fetch(folder_named("A"), "7", wanted, receiver);
            is_alive = (*session)->alive();
        });
        EXPECT_EQ(server.unexpected, "");
        return result;
    }

    TextReceiver receiver;
    bool is_alive = false;
};

TEST_F(FetchTest, ExamineAndFetchLeaveTogether) {
    auto& server = script(signed_in({{"EXAMINE \"A\"", ""}, {"UID FETCH 1:2 (", ""}}));
    run([&]() -> awaitable<void> {
        auto session = co_await open_source();
        asio::co_spawn(
            context,
            [&]() -> awaitable<void> {
                while (server.commands.size() < 3) co_await asio::post(asio::use_awaitable);
                server.say("* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\na2 OK open\r\n" +
                           message(1, "one") + message(2, "two") + "a3 OK done\r\n");
            },
            asio::detached);
        auto const wanted = numbers(1, 2);
        auto const done = co_await (*session)->fetch(folder_named("A"), "7", wanted, receiver);
        EXPECT_TRUE(done.has_value());
    });
    EXPECT_EQ(receiver.text, "begin(3) one end(1) begin(3) two end(2) ");
    EXPECT_EQ(receiver.metas.at(0).flags, transport::Flags{"\\Seen"});
}

// Goal: bodies reach the call that asked for them. Method: the server works on both FETCHes at once
// and completes the first behind the data of the second, as Dovecot does.
TEST_F(FetchTest, TwoFetchesMayBeAnsweredInterleaved) {
    auto& server = script(signed_in({{"EXAMINE \"A\"", examine_answer},
                                     {"UID FETCH 1:2 (", message(1, "one")},
                                     {"UID FETCH 3 (", message(3, "three") + message(2, "two") +
                                                           "a3 OK done\r\na4 OK done\r\n"}}));
    TextReceiver other;
    run([&]() -> awaitable<void> {
        auto session = co_await open_source();
        auto [first, second] =
            co_await ((*session)->fetch(folder_named("A"), "7", numbers(1, 2), receiver) &&
                      (*session)->fetch(folder_named("A"), "7", numbers(3), other));
        EXPECT_TRUE(first.has_value());
        EXPECT_TRUE(second.has_value());
    });
    EXPECT_EQ(server.unexpected, "");
    EXPECT_EQ(receiver.text, "begin(3) one end(1) begin(3) two end(2) ");
    EXPECT_EQ(other.text, "begin(5) three end(3) ");
}

TEST_F(FetchTest, AnotherUidvalidityDeliversNothing) {
    auto const result = fetch({{"EXAMINE \"A\"", "* OK [UIDVALIDITY 8] ok\r\n$ OK open\r\n"},
                               {"UID FETCH 1 (", message(1, "one") + "$ OK done\r\n"}},
                              numbers(1));
    EXPECT_EQ(result.error().code, Errc::folder_replaced);
    EXPECT_EQ(receiver.text, "");
    EXPECT_TRUE(is_alive);
}

TEST_F(FetchTest, AFolderThatCantBeOpenedLeavesTheSessionUsable) {
    auto const result = fetch({{"EXAMINE \"A\"", "$ NO no such folder\r\n"},
                               {"UID FETCH 1 (", "$ BAD No mailbox selected\r\n"}},
                              numbers(1));
    EXPECT_EQ(result.error().code, Errc::folder_unreadable);
    EXPECT_TRUE(is_alive);
}

TEST_F(FetchTest, ARefusedBatchIsSplitUntilTheBadOneStandsAlone) {
    auto const result = fetch({{"EXAMINE \"A\"", examine_answer},
                               {"UID FETCH 1:4 (", message(1, "one") + "$ NO trouble\r\n"},
                               {"UID FETCH 2 (", message(2, "two") + "$ OK done\r\n"},
                               {"UID FETCH 3:4 (", "$ NO trouble\r\n"},
                               {"UID FETCH 3 (", "$ NO trouble\r\n"},
                               {"UID FETCH 4 (", message(4, "four") + "$ OK done\r\n"}},
                              numbers(1, 2, 3, 4));
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(receiver.text,
              "begin(3) one end(1) begin(3) two end(2) failed(3 item_damaged) "
              "begin(4) four end(4) ");
}

TEST_F(FetchTest, AThrottledBatchIsNoFaultOfItsMessages) {
    auto const result =
        fetch({{"EXAMINE \"A\"", examine_answer},
               {"UID FETCH 1:2 (", "$ NO Suggested Backoff Time: 700 milliseconds\r\n"}},
              numbers(1, 2));
    EXPECT_EQ(result.error().code, Errc::throttled);
    EXPECT_EQ(result.error().retry_after, std::chrono::milliseconds(700));
    EXPECT_EQ(receiver.text, "");
}

TEST_F(FetchTest, MissingBodiesAreAskedForTwice) {
    auto const result = fetch(
        {{"EXAMINE \"A\"", examine_answer},
         {"UID FETCH 1:5 (",
          "* 1 FETCH (UID 1 RFC822.SIZE 9 BODY[] NIL)\r\n* 2 FETCH (UID 2 RFC822.SIZE 9 BODY[] "
          "{0}\r\n)\r\n* 3 FETCH (UID 3 RFC822.SIZE 0 BODY[] \"\")\r\n* 9 FETCH (FLAGS "
          "(\\Seen))\r\n* 5 FETCH (UID 5 RFC822.SIZE 9 BODY[] NIL)\r\n"
          "$ NO [EXPUNGEISSUED] some are gone\r\n"},
         {"UID FETCH 1:2,5 (",
          "* 2 FETCH (UID 2 RFC822.SIZE 9 BODY[] NIL)\r\n" + message(5, "five") + "$ OK done\r\n"}},
        numbers(1, 2, 3, 4, 5));
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(receiver.text, "begin(0)  end(3) begin(4) five end(5) failed(2 item_damaged) ");
}

TEST_F(FetchTest, ByeInTheMidstTellsWhy) {
    auto& server = script(signed_in({{"EXAMINE \"A\"", examine_answer},
                                     {"UID FETCH 1:2 (", message(1, "one") + "* BYE reboot\r\n"}}));
    receiver.on_piece = [&]() -> awaitable<Result<void>> {
        server.close();
        co_return Result<void>{};
    };
    run([&]() -> awaitable<void> {
        auto session = co_await open_source();
        auto const done =
            co_await (*session)->fetch(folder_named("A"), "7", numbers(1, 2), receiver);
        EXPECT_EQ(done.error().code, Errc::unavailable);
        EXPECT_EQ(done.error().server_text, "BYE reboot");
        EXPECT_FALSE((*session)->alive());
    });
    EXPECT_EQ(receiver.text, "begin(3) one end(1) ");
}

TEST_F(FetchTest, AnErrorOfTheReceiverEndsTheConnection) {
    receiver.on_piece = []() -> awaitable<Result<void>> {
        co_return Error{Errc::disk_full, "spool"};
    };
    auto const result = fetch(
        {{"EXAMINE \"A\"", examine_answer}, {"UID FETCH 1 (", message(1, "one") + "$ OK done\r\n"}},
        numbers(1));
    EXPECT_EQ(result.error().code, Errc::disk_full);
    EXPECT_FALSE(is_alive);
}

}  // namespace
}  // namespace mailferry::imap
