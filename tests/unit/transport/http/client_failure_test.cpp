#include "transport/http/bodies.hpp"
#include "transport/http/client.hpp"

#include "tests/unit/transport/http/fake_origin.hpp"
#include "tests/unit/transport/http/gzip.hpp"

#include <gmock/gmock.h>

namespace mailferry::http {
namespace {

using std::chrono::milliseconds;
using test::Line;
using test::ok;
using testing::HasSubstr;
using testing::Not;

class ClientFailureTest : public test::ClientFixture {
protected:
    ClientFailureTest() { request = get("/path?authtoken=hidden"); }

    /// The error of one request to a fresh line; "200" and the like if there is none.
    std::string outcome(Line line) {
        origin.lines.push_back(std::move(line));
        return outcome();
    }
    std::string outcome() {
        std::string text;
        run([&]() -> awaitable<void> {
            TextSink sink(1 << 20);
            auto const head = co_await client().send(request, sink, &progress);
            text = head ? std::to_string(head->status) : head.error().describe();
        });
        EXPECT_THAT(text, Not(HasSubstr("hidden")));
        return text;
    }
    Request request;
    Progress progress;
};

TEST_F(ClientFailureTest, ATruncatedBodyIsNoAnswer) {
    auto const text = outcome({{{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", true}}});
    EXPECT_THAT(text, HasSubstr("connection_lost"));
    EXPECT_THAT(text, HasSubstr("truncated"));
    EXPECT_THAT(text, HasSubstr("GET https://origin.example/path"));
    EXPECT_TRUE(progress.response_begun);
}

TEST_F(ClientFailureTest, ATruncatedGzipIsNoAnswer) {
    auto const packed = test::gzip("hello hello");
    EXPECT_THAT(
        outcome({{{ok(packed.substr(0, packed.size() - 1), "Content-Encoding: gzip\r\n")}}}),
        HasSubstr("truncated"));
}

TEST_F(ClientFailureTest, ABombIsRefused) {
    request.response_bytes_max = UINT64_MAX;
    auto const packed = test::gzip(std::string(20 << 20, '\0'));
    EXPECT_THAT(outcome({{{ok(packed, "Content-Encoding: gzip\r\n")}}}),
                HasSubstr("protocol_error"));
}

TEST_F(ClientFailureTest, TheLimitIsOnTheUnpackedBody) {
    request.response_bytes_max = 999;
    auto const packed = test::gzip(std::string(1'000, 'x'));
    EXPECT_THAT(outcome({{{ok(packed, "Content-Encoding: gzip\r\n")}}}),
                HasSubstr("item_too_large"));
    EXPECT_THAT(outcome({{{ok(std::string(1'000, 'x'))}}}), HasSubstr("item_too_large"));
    request.response_bytes_max = 1'000;
    EXPECT_EQ(outcome({{{ok(std::string(1'000, 'x'))}}}), "200");
}

TEST_F(ClientFailureTest, AnEncodingThatNobodyAskedFor) {
    EXPECT_THAT(outcome({{{ok("x", "Content-Encoding: br\r\n")}}}), HasSubstr("unsupported"));
}

TEST_F(ClientFailureTest, RedirectsArentFollowed) {
    auto const text =
        outcome({{{"HTTP/1.1 302 Found\r\nLocation: https://evil.example/?hidden\r\n"
                   "Content-Length: 0\r\n\r\n"}}});
    EXPECT_THAT(text, HasSubstr("unavailable"));
    EXPECT_THAT(text, HasSubstr("302"));
    EXPECT_EQ(origin.dials, 1);
}

TEST_F(ClientFailureTest, OtherHostsArentContacted) {
    request.url = *parse_url("https://evil.example/?hidden");
    EXPECT_THAT(outcome(), HasSubstr("invalid_config"));
    EXPECT_EQ(origin.dials, 0);
}

TEST_F(ClientFailureTest, PlainHttpOnlyTowardsLoopbackAndOnlyIfAllowed) {
    settings.hosts = {"origin.example", "127.0.0.1"};
    request.url = *parse_url("http://origin.example/");
    EXPECT_THAT(outcome(), HasSubstr("invalid_config"));
    request.url = *parse_url("http://127.0.0.1/");
    EXPECT_THAT(outcome(), HasSubstr("invalid_config"));
    reset_client();
    settings.plain_loopback = true;
    EXPECT_EQ(outcome({{{ok("")}}}), "200");
    request.url = *parse_url("http://origin.example/");
    EXPECT_THAT(outcome(), HasSubstr("invalid_config"));
}

TEST_F(ClientFailureTest, NoLineEndsGetIntoARequest) {
    auto const good = request;
    for (auto const& header :
         {Header{"A", "b\r\nC: d"}, Header{"A\r\nB", "c"}, Header{"A", std::string("b\0", 2)},
          Header{"", "b"}, Header{"A:", "b"}}) {
        request = good;
        request.headers.push_back(header);
        EXPECT_THAT(outcome(), HasSubstr("protocol_error"));
    }
    request = good;
    request.method = "GET /x HTTP/1.1\r\nA:";
    EXPECT_THAT(outcome(), HasSubstr("protocol_error"));
    request = good;
    request.url.target = "/a b";
    EXPECT_THAT(outcome(), HasSubstr("protocol_error"));
    request = good;
    request.bearer = std::make_shared<Secret const>("hidden\r\n");
    EXPECT_THAT(outcome(), HasSubstr("protocol_error"));
    EXPECT_EQ(origin.dials, 0);
}

TEST_F(ClientFailureTest, NoAnswerInTime) {
    request.first_byte_limit = milliseconds(20);
    auto const text = outcome(Line{});
    EXPECT_THAT(text, HasSubstr("timed_out"));
    EXPECT_THAT(text, HasSubstr("no answer for 20 ms"));
    EXPECT_EQ(origin.dials, 1) << "a slow server isn't asked again by itself";
}

TEST_F(ClientFailureTest, SilenceWithinTheAnswer) {
    request.idle_limit = milliseconds(20);
    EXPECT_THAT(outcome({{{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel"}}}),
                HasSubstr("timed_out"));
}

TEST_F(ClientFailureTest, AServerThatTakesNothing) {
    request.idle_limit = milliseconds(20);
    TextBody body(std::string(1'000'000, 'x'));
    request.method = "POST";
    request.body = &body;
    Line line;
    line.takes = 100'000;
    auto const text = outcome(std::move(line));
    EXPECT_THAT(text, HasSubstr("timed_out"));
    EXPECT_THAT(text, HasSubstr("takes nothing"));
    EXPECT_FALSE(progress.request_sent);
}

TEST_F(ClientFailureTest, TheWholeHasALimitToo) {
    request.total_limit = milliseconds(30);
    request.first_byte_limit = milliseconds(0);
    EXPECT_THAT(outcome(Line{}), HasSubstr("not done within 30 ms"));
}

TEST_F(ClientFailureTest, OurOwnWaitingDoesntCount) {
    class SlowSink final : public BodySink {
    public:
        explicit SlowSink(asio::io_context& context) : context_(context) {}
        awaitable<Result<void>> piece(std::span<std::byte const>) override {
            asio::steady_timer pause(context_, milliseconds(60));
            co_await pause.async_wait(asio::use_awaitable);
            co_return Result<void>{};
        }

    private:
        asio::io_context& context_;
    };
    request.idle_limit = request.first_byte_limit = milliseconds(20);
    origin.lines.push_back({{{ok("x")}}});
    run([&]() -> awaitable<void> {
        SlowSink sink(context);
        auto const head = co_await client().send(request, sink);
        EXPECT_TRUE(head.has_value());
    });
}

TEST_F(ClientFailureTest, TheBodysOwnErrorCutsTheRequestShort) {
    class Source final : public BodySource {
    public:
        explicit Source(std::uint64_t size) : size_(size) {}
        std::uint64_t size() const override { return size_; }
        awaitable<Result<std::span<std::byte const>>> next() override {
            if (calls++ > 0) co_return Error{Errc::disk_full, "no intent"};
            co_return std::as_bytes(std::span("x", 1));
        }
        void rewind() override {}
        int calls = 0;

    private:
        std::uint64_t size_;
    };
    for (std::uint64_t const size : {2u, 1'000'000u}) {
        Source source(size);
        request.method = "POST";
        request.body = &source;
        EXPECT_THAT(outcome(Line{}), HasSubstr("disk_full"));
        EXPECT_FALSE(progress.request_sent);
        EXPECT_EQ(progress.body_bytes_sent, 1u);
        EXPECT_EQ(origin.open, 0);
    }
}

TEST_F(ClientFailureTest, TheSinksErrorIsTheAnswer) {
    class Sink final : public BodySink {
    public:
        explicit Sink(std::string_view fails_at) : fails_at_(fails_at) {}
        awaitable<Result<void>> head(ResponseHead const&) override { return at("head"); }
        awaitable<Result<void>> piece(std::span<std::byte const>) override { return at("piece"); }
        awaitable<Result<void>> end() override { return at("end"); }

    private:
        awaitable<Result<void>> at(std::string_view place) {
            if (place == fails_at_) co_return Error{Errc::disk_full, "no room"};
            co_return Result<void>{};
        }
        std::string_view fails_at_;
    };
    for (auto const* const place : {"head", "piece", "end"}) {
        origin.lines.push_back({{{ok("x")}}});
        run([&]() -> awaitable<void> {
            Sink sink(place);
            auto const head = co_await client().send(request, sink);
            EXPECT_EQ(head.error().code, Errc::disk_full) << place;
        });
        EXPECT_EQ(origin.open, 0) << place;
    }
}

TEST_F(ClientFailureTest, AResetWithoutAnAnswerIsTheFirstFailure) {
    request.idle_limit = milliseconds(20);
    TextBody body(std::string(1'000'000, 'x'));
    request.method = "POST";
    request.body = &body;
    Line line;
    line.takes = 100'000;
    line.resets = true;
    auto const text = outcome(std::move(line));
    EXPECT_THAT(text, HasSubstr("connection_lost"));
    EXPECT_THAT(text, HasSubstr("reset"));
}

TEST_F(ClientFailureTest, NobodyListens) { EXPECT_THAT(outcome(), HasSubstr("unreachable")); }

}  // namespace
}  // namespace mailferry::http
