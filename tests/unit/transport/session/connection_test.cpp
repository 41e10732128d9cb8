#include "transport/imap/connection.hpp"

#include "tests/unit/transport/session/session_fixture.hpp"

namespace mailferry::imap {
namespace {

class ConnectionTest : public SessionTest {
protected:
    std::shared_ptr<Connection> connect(ImapScript& server, ConnectionLimits limits = {}) {
        return Connection::start(context.get_executor(), server.stream(),
                                 Connection::Begin::response, limits);
    }
    static Command command(Connection& connection, std::string_view words) {
        CommandWriter writer(connection.next_tag(), LiteralMode::sync);
        return *std::move(writer.text(" ").text(words)).finish();
    }
};

TEST_F(ConnectionTest, CommandsInFlightAreAnsweredInAnyOrder) {
    auto& server = script({{"NOOP", ""}, {"CHECK", "a2 NO second\r\na1 OK first\r\n"}});
    run([&]() -> awaitable<void> {
        auto const connection = connect(server);
        using asio::experimental::awaitable_operators::operator&&;
        auto [first, second] = co_await (connection->run(command(*connection, "NOOP")) &&
                                         connection->run(command(*connection, "CHECK")));
        EXPECT_EQ(first->text, "first");
        EXPECT_EQ(second->text, "second");
        connection->cut();
    });
}

struct BrokenCase {
    std::string_view name, says;
    Errc code;
};

TEST_F(ConnectionTest, AServerThatLeavesTheProtocolIsLeft) {
    BrokenCase const cases[] = {
        {"unknown_tag", "z9 OK what\r\n", Errc::protocol_error},
        {"uninvited_continuations", "+ \r\n+ \r\n+ \r\n", Errc::protocol_error},
        {"bye_then_end", "* BYE [UNAVAILABLE] later\r\n", Errc::unavailable},
        {"bye_with_pause", "* BYE Suggested Backoff Time: 5 milliseconds\r\n", Errc::throttled},
        {"just_the_end", "", Errc::connection_lost},
    };
    for (auto const& c : cases) {
        SCOPED_TRACE(std::string(c.name));
        auto& server = script({{"NOOP", std::string(c.says)}});
        run([&]() -> awaitable<void> {
            auto const connection = connect(server);
            asio::co_spawn(
                context,
                [&]() -> awaitable<void> {
                    while (server.commands.empty()) co_await asio::post(asio::use_awaitable);
                    server.close();
                },
                asio::detached);
            auto const answer = co_await connection->run(command(*connection, "NOOP"));
            EXPECT_EQ(answer.error().code, c.code);
            EXPECT_TRUE(connection->failure().has_value());
        });
    }
}

TEST_F(ConnectionTest, DataThatNobodyAskedForHasALimit) {
    auto& server = script({{"NOOP", ""}});
    ConnectionLimits limits;
    limits.unasked_bytes_max = 1'000;
    run([&]() -> awaitable<void> {
        auto const connection = connect(server, limits);
        for (int i = 0; i < 100; ++i) server.say("* 17 EXISTS\r\n");
        auto const answer = co_await connection->run(command(*connection, "NOOP"));
        EXPECT_EQ(answer.error().code, Errc::protocol_error);
    });
}

TEST_F(ConnectionTest, ALateCallHearsWhyTheConnectionEnded) {
    auto& server = script({{"", "* BYE too many connections\r\n"}});
    run([&]() -> awaitable<void> {
        auto const connection = connect(server);
        server.close();
        for (int i = 0; i < 20; ++i) co_await asio::post(asio::use_awaitable);
        auto const answer = co_await connection->run(command(*connection, "NOOP"));
        EXPECT_EQ(answer.error().code, Errc::throttled);
    });
}

// Goal: who is slow to take a body stops the reading. Method: the receiver of the first piece looks
// at what the connection has handed out meanwhile.
TEST_F(ConnectionTest, BodiesAreReadNoFasterThanTheyAreTaken) {
    auto& server = script({{"UID FETCH 1", ""}});
    run([&]() -> awaitable<void> {
        auto const connection = connect(server);
        auto turn = co_await connection->turn();
        auto const ticket =
            co_await connection->send(command(*connection, "UID FETCH 1"), nullptr, UidSet(1, 1));
        turn.release();
        server.say("* 1 FETCH (UID 1 BODY[] {9}\r\nabc");
        auto event = co_await connection->next_body_event(*ticket);
        EXPECT_TRUE(std::holds_alternative<BodyBegin>(**event));
        event = co_await connection->next_body_event(*ticket);
        EXPECT_EQ(std::get<BodyBytes>(**event).bytes, "abc");
        server.say("defghi)\r\na1 OK\r\n");
        for (int i = 0; i < 20; ++i) co_await asio::post(asio::use_awaitable);
        EXPECT_EQ(std::get<BodyBytes>(**event).bytes, "abc") << "the view was overwritten";
        EXPECT_FALSE(connection->answered(*ticket).has_value());
        int more = 0;
        while ((co_await connection->next_body_event(*ticket))->has_value()) ++more;
        EXPECT_EQ(more, 3);
        connection->cut();
    });
}

TEST_F(ConnectionTest, DroppingAFetchHalfWayEndsTheConnection) {
    auto& server = script({{"UID FETCH 1", "* 1 FETCH (UID 1 BODY[] {9}\r\nabc"}});
    run([&]() -> awaitable<void> {
        auto const connection = connect(server);
        {
            auto turn = co_await connection->turn();
            auto const ticket = co_await connection->send(command(*connection, "UID FETCH 1"),
                                                          nullptr, UidSet(1, 1));
            static_cast<void>(co_await connection->next_body_event(*ticket));
        }
        EXPECT_TRUE(connection->failure().has_value());
    });
}

}  // namespace
}  // namespace mailferry::imap
