#include "transport/http/client.hpp"
#include "transport/http/bodies.hpp"

#include "async/task_group.hpp"
#include "tests/unit/transport/http/fake_origin.hpp"
#include "tests/unit/transport/http/gzip.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <gmock/gmock.h>

namespace mailferry::http {
namespace {

using std::chrono::milliseconds;
using test::FakeOrigin;
using test::Line;
using test::ok;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ClientTest : public test::ClientFixture {
protected:
    /// Status and body, or the error's code.
    awaitable<std::string> fetch(Request request) {
        TextSink sink(1 << 20);
        auto const head = co_await client().send(std::move(request), sink, &progress);
        if (!head) co_return std::string(to_string(head.error().code));
        co_return std::to_string(head->status) + " " + sink.text;
    }
    static Request post(BodySource& body) {
        auto request = get();
        request.method = "POST";
        request.body = &body;
        request.repeatable = false;
        return request;
    }
    Progress progress;
};

TEST_F(ClientTest, ARequestAsTheServerSeesIt) {
    origin.lines.push_back({{{ok("hi")}}});
    run([&]() -> awaitable<void> {
        TextBody body("x=1");
        auto request = post(body);
        request.url = *parse_url("https://origin.example/a?b=c");
        request.headers.push_back({"Content-Type", "text/plain"});
        request.bearer = std::make_shared<Secret const>("token");
        EXPECT_EQ(co_await fetch(std::move(request)), "200 hi");
    });
    EXPECT_THAT(origin.requests,
                ElementsAre("POST /a?b=c HTTP/1.1\r\nHost: origin.example\r\n"
                            "User-Agent: mailferry\r\nAccept-Encoding: gzip\r\n"
                            "Content-Type: text/plain\r\nAuthorization: Bearer token\r\n"
                            "Content-Length: 3\r\n\r\nx=1"));
    EXPECT_EQ(progress.body_bytes_sent, 3u);
    EXPECT_TRUE(progress.request_sent);
    EXPECT_TRUE(progress.response_begun);
}

// Goal: the answer doesn't depend on how its bytes came. Method: plain and packed, by length and
// in chunks, each read in every slice.
TEST_F(ClientTest, TheSameAnswerInEverySlicing) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "line " + std::to_string(i * 7'919) + "\n";
    auto const packed = test::gzip(text);
    auto const chunk = [](std::string const& body) {
        std::string out;
        for (std::size_t at = 0; at < body.size(); at += 16)
            out += (body.size() - at < 16 ? std::string(1, "0123456789abcdef"[body.size() - at])
                                          : std::string("10")) +
                   "\r\n" + body.substr(at, 16) + "\r\n";
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + std::string("\r\n") + out +
               "0\r\n\r\n";
    };
    auto const as_gzip = [](std::string answer) {
        return answer.insert(answer.find("\r\n") + 2, "Content-Encoding: gzip\r\n");
    };
    for (auto const& answer :
         {ok(text), chunk(text), as_gzip(ok(packed)), as_gzip(chunk(packed))}) {
        for (std::size_t slice = 1; slice < 80; slice += slice < 20 ? 1 : 7) {
            Line line{{{answer}}};
            line.slice = slice;
            origin.lines.push_back(std::move(line));
            run([&]() -> awaitable<void> {
                auto request = get();
                request.headers.push_back({"Connection", "close"});
                EXPECT_EQ(co_await fetch(std::move(request)), "200 " + text) << slice;
            });
            client().cut();
            reset_client();
        }
    }
}

TEST_F(ClientTest, AConnectionIsKept) {
    origin.lines.push_back({{{ok("1")}, {ok("2")}, {ok("3")}}});
    run([&]() -> awaitable<void> {
        for (auto const* const body : {"200 1", "200 2", "200 3"})
            EXPECT_EQ(co_await fetch(get()), body);
    });
    EXPECT_EQ(origin.dials, 1);
    EXPECT_EQ(client().connections_open(), 1u);
}

TEST_F(ClientTest, AConnectionIsntKeptAgainstTheServersWill) {
    origin.lines.push_back({{{ok("1", "Connection: close\r\n")}}});
    origin.lines.push_back({{{"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n2"}}});
    origin.lines.push_back({{{ok("3") + "HTTP/1.1 200 OK\r\n"}}});
    origin.lines.push_back({{{ok("4")}}});
    run([&]() -> awaitable<void> {
        for (auto const* const body : {"200 1", "200 2", "200 3", "200 4"})
            EXPECT_EQ(co_await fetch(get()), body);
    });
    EXPECT_EQ(origin.dials, 4);
    EXPECT_EQ(origin.open, 1);
}

TEST_F(ClientTest, ARepeatableRequestIsSentAgainWhenTheKeptConnectionWasClosed) {
    for (auto const* const stale :
         {"", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"}) {
        origin.lines.push_back({{{ok("1")}, {stale, true}}});
        origin.lines.push_back({{{ok("2")}}});
        run([&]() -> awaitable<void> {
            EXPECT_EQ(co_await fetch(get()), "200 1");
            EXPECT_EQ(co_await fetch(get()), "200 2");
        });
        EXPECT_EQ(origin.dials, 2);
        EXPECT_TRUE(progress.response_begun);
        origin.dials = 0;
        reset_client();
    }
}

TEST_F(ClientTest, ItsBodyIsReadAgainFromTheStart) {
    origin.lines.push_back({{{ok("1")}, {"", true}}});
    origin.lines.push_back({{{ok("2")}}});
    run([&]() -> awaitable<void> {
        TextBody body(std::string(100'000, 'x'));
        EXPECT_EQ(co_await fetch(get()), "200 1");
        auto request = post(body);
        request.repeatable = true;
        EXPECT_EQ(co_await fetch(std::move(request)), "200 2");
    });
    EXPECT_EQ(progress.body_bytes_sent, 100'000u);
}

TEST_F(ClientTest, OnlyOnceAndOnlyFromAKeptConnection) {
    origin.lines.push_back({{{ok("1")}, {"", true}}});
    origin.lines.push_back({{{"", true}}});
    origin.lines.push_back({{{ok("never")}}});
    run([&]() -> awaitable<void> {
        EXPECT_EQ(co_await fetch(get()), "200 1");
        EXPECT_EQ(co_await fetch(get()), "connection_lost");
    });
    EXPECT_EQ(origin.dials, 2);
}

TEST_F(ClientTest, WhatIsntRepeatableIsNeverSentTwice) {
    origin.lines.push_back({{{ok("1")}, {"", true}}});
    origin.lines.push_back({{{ok("never")}}});
    run([&]() -> awaitable<void> {
        TextBody body("x");
        EXPECT_EQ(co_await fetch(get()), "200 1");
        EXPECT_EQ(co_await fetch(post(body)), "connection_lost");
    });
    EXPECT_EQ(origin.dials, 1);
    EXPECT_TRUE(progress.request_sent);
    EXPECT_FALSE(progress.response_begun);
}

TEST_F(ClientTest, WhatIsntRepeatableAvoidsAnOldConnection) {
    settings.fresh_max = milliseconds(0);
    settings.connections_max = 1;
    origin.lines.push_back({{{ok("1")}, {"", true}}});
    origin.lines.push_back({{{ok("2")}}});
    run([&]() -> awaitable<void> {
        TextBody body("x");
        EXPECT_EQ(co_await fetch(get()), "200 1");
        asio::steady_timer pause(context, milliseconds(2));
        co_await pause.async_wait(asio::use_awaitable);
        EXPECT_EQ(co_await fetch(post(body)), "200 2");
    });
    EXPECT_EQ(origin.dials, 2);
    EXPECT_EQ(origin.open, 1);
}

TEST_F(ClientTest, WhatNobodyUsesIsClosed) {
    settings.kept_max = milliseconds(10);
    origin.lines.push_back({{{ok("1")}}});
    run([&]() -> awaitable<void> {
        EXPECT_EQ(co_await fetch(get()), "200 1");
        EXPECT_EQ(origin.open, 1);
        asio::steady_timer pause(context, milliseconds(60));
        co_await pause.async_wait(asio::use_awaitable);
        EXPECT_EQ(origin.open, 0);
        EXPECT_EQ(client().connections_open(), 0u);
    });
}

TEST_F(ClientTest, MoreRequestsThanConnectionsWaitForTheirTurn) {
    settings.connections_max = 2;
    for (int i = 0; i < 2; ++i) origin.lines.push_back({std::deque<test::Reply>(6, {ok("x")})});
    run([&]() -> awaitable<void> {
        TaskGroup group(context.get_executor());
        int good = 0;
        auto const one = [&]() -> awaitable<void> {
            TextSink sink(100);
            auto const head = co_await client().send(get(), sink);
            good += head.has_value();
            EXPECT_LE(origin.open, 2);
        };
        for (int i = 0; i < 6; ++i) group.spawn(one());
        co_await group.join();
        EXPECT_EQ(good, 6);
    });
    EXPECT_EQ(origin.dials, 2);
}

TEST_F(ClientTest, AnEarlyRefusalIsHeardByAServerThatStopsReading) {
    for (bool const resets : {false, true}) {
        Line line{{{"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig", false, true}}};
        line.takes = 70'000;
        line.resets = resets;
        origin.lines.push_back(std::move(line));
        run([&]() -> awaitable<void> {
            TextBody body(std::string(1'000'000, 'x'));
            EXPECT_EQ(co_await fetch(post(body)), "413 big");
        });
        EXPECT_FALSE(progress.request_sent && progress.body_bytes_sent == 1'000'000);
        EXPECT_EQ(origin.open, 0) << "its place in the stream is unknown";
    }
}

TEST_F(ClientTest, AnEarlyAgreementIsntBelieved) {
    Line line{{{ok("fine"), false, true}}};
    line.takes = 70'000;
    origin.lines.push_back(std::move(line));
    run([&]() -> awaitable<void> {
        TextBody body(std::string(1'000'000, 'x'));
        EXPECT_EQ(co_await fetch(post(body)), "protocol_error");
    });
}

TEST_F(ClientTest, CutEndsWhatIsUnderWay) {
    origin.lines.push_back({{}});
    run([&]() -> awaitable<void> {
        asio::post(context, [&] { client().cut(); });
        EXPECT_EQ(co_await fetch(get()), "connection_lost");
        EXPECT_EQ(co_await fetch(get()), "connection_lost");
    });
    EXPECT_EQ(origin.dials, 1);
    EXPECT_EQ(origin.open, 0);
}

TEST_F(ClientTest, CutEndsDialling) {
    settings.dial = [this](Url) -> awaitable<Result<std::unique_ptr<transport::Stream>>> {
        ::mailferry::Event never(context.get_executor());
        co_await never.wait();
        co_return Error{Errc::unreachable, ""};
    };
    run([&]() -> awaitable<void> {
        asio::post(context, [&] { client().cut(); });
        EXPECT_EQ(co_await fetch(get()), "connection_lost");
    });
}

TEST_F(ClientTest, CloseLetsRequestsUnderWayFinish) {
    origin.lines.push_back({{{ok("1")}}});
    run([&]() -> awaitable<void> {
        asio::post(context, [&] { client().close(); });
        EXPECT_EQ(co_await fetch(get()), "200 1");
        EXPECT_EQ(co_await fetch(get()), "connection_lost");
    });
    EXPECT_EQ(origin.open, 0);
}

// Goal: a cancelled request takes its connection along and nothing else. Method: cancel it while it
// waits for the answer, small body and large.
TEST_F(ClientTest, CancellationLeavesTheClientUsable) {
    for (std::size_t const size : {1u, 1'000'000u}) {
        origin.lines.push_back({{}});
        origin.lines.push_back({{{ok("2")}}});
        TextBody body(std::string(size, 'x'));
        asio::cancellation_signal signal;
        bool aborted = false;
        run([&]() -> awaitable<void> {
            asio::co_spawn(context, fetch(post(body)),
                           asio::bind_cancellation_slot(
                               signal.slot(), [&](std::exception_ptr e, std::string const&) {
                                   aborted = e != nullptr;
                               }));
            asio::steady_timer pause(context, milliseconds(5));
            co_await pause.async_wait(asio::use_awaitable);
            signal.emit(asio::cancellation_type::terminal);
            pause.expires_after(milliseconds(5));
            co_await pause.async_wait(asio::use_awaitable);
            EXPECT_TRUE(aborted);
            EXPECT_EQ(origin.open, 0);
            EXPECT_TRUE(progress.request_sent);
            EXPECT_EQ(co_await fetch(get()), "200 2");
        });
        reset_client();
    }
}

// Two things are under way then, and both are cancelled: dialling and waiting for a cut, or writing
// and reading.
TEST_F(ClientTest, CancellationIsOneExceptionWhateverItStrikes) {
    ::mailferry::Event never(context.get_executor());
    for (bool const connecting : {true, false}) {
        if (connecting) {
            settings.dial = [&](Url) -> awaitable<Result<std::unique_ptr<transport::Stream>>> {
                co_await never.wait();
                co_return Error{Errc::unreachable, "never"};
            };
        } else {
            settings.dial = origin.dial();
            Line line;
            line.takes = 100'000;
            origin.lines.push_back(std::move(line));
        }
        TextBody body(std::string(1'000'000, 'x'));
        asio::cancellation_signal signal;
        boost::system::error_code thrown;
        run([&]() -> awaitable<void> {
            auto const hear = [&](std::exception_ptr e, std::string const&) {
                try {
                    if (e) std::rethrow_exception(e);
                } catch (boost::system::system_error const& error) {
                    thrown = error.code();
                } catch (std::exception const& error) {
                    ADD_FAILURE() << error.what();
                }
            };
            asio::co_spawn(context, fetch(post(body)),
                           asio::bind_cancellation_slot(signal.slot(), hear));
            asio::steady_timer pause(context, milliseconds(5));
            co_await pause.async_wait(asio::use_awaitable);
            signal.emit(asio::cancellation_type::terminal);
            pause.expires_after(milliseconds(5));
            co_await pause.async_wait(asio::use_awaitable);
        });
        EXPECT_EQ(thrown, asio::error::operation_aborted) << "connecting=" << connecting;
        reset_client();
    }
    EXPECT_EQ(origin.open, 0);
}

}  // namespace
}  // namespace mailferry::http
