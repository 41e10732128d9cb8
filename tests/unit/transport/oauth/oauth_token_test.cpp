#include "transport/auth/oauth_token.hpp"

#include "async/task_group.hpp"
#include "tests/support/certificates.hpp"
#include "tests/unit/transport/http/fake_origin.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <gmock/gmock.h>

namespace mailferry::oauth {
namespace {

using http::test::Line;
using http::test::ok;
using http::test::Reply;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class FakeClock final : public Clock {
public:
    std::chrono::system_clock::time_point now() const override {
        return std::chrono::system_clock::time_point(seconds(1'800'000'000)) + passed;
    }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point(seconds(1'000)) + passed;
    }
    milliseconds passed{0};
};

std::string granted(std::string const& token, int life_s) {
    return ok(R"({"token_type":"Bearer","expires_in":)" + std::to_string(life_s) +
              R"(,"access_token":")" + token + R"("})");
}

std::string refused(int status, std::string const& code, std::string const& headers = {}) {
    auto const body =
        R"({"error":"invalid_client","error_description":"AADSTS)" + code + R"(: no"})";
    return "HTTP/1.1 " + std::to_string(status) + " No\r\nContent-Type: application/json\r\n" +
           headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr auto scope = "https://graph.microsoft.com/.default";

class OauthTokenTest : public http::test::ClientFixture {
protected:
    OauthTokenTest() {
        app.authority = "https://origin.example/";
        app.tenant_id = "tenant-guid";
        app.client_id = "client-guid";
        app.secret = std::make_shared<Secret const>("s3cret&+ ~");
        limits.back_off_first = milliseconds(1);
        limits.back_off_max = milliseconds(4);
        limits.wait_max = milliseconds(200);
    }
    TokenSource& source() {
        if (!source_) source_.emplace(context.get_executor(), clock, shared_client(), app, limits);
        return *source_;
    }
    /// The token, or the error; never with the secret in it.
    awaitable<std::string> token(std::string of_scope = scope) {
        auto const result = co_await source().token(std::move(of_scope));
        if (result) {
            last = *result;
            co_return std::string(last->reveal());
        }
        last_error = result.error();
        EXPECT_THAT(last_error->describe(), Not(HasSubstr("s3cret")));
        co_return std::string(to_string(last_error->code));
    }
    /// Lets a renewal in the background end.
    awaitable<void> settle() {
        asio::steady_timer pause(context, milliseconds(5));
        co_await pause.async_wait(asio::use_awaitable);
    }
    void answers(std::vector<std::string> replies) {
        Line line;
        for (auto& reply : replies) line.replies.push_back({std::move(reply)});
        origin.lines.push_back(std::move(line));
    }
    std::size_t requests() const { return origin.requests.size(); }

    FakeClock clock;
    AppRegistration app;
    TokenLimits limits;
    std::shared_ptr<Secret const> last;
    std::optional<Error> last_error;
    std::optional<TokenSource> source_;
};

TEST_F(OauthTokenTest, TheRequestAsTheServiceSeesIt) {
    answers({granted("t1", 3'600)});
    run([&]() -> awaitable<void> { EXPECT_EQ(co_await token(), "t1"); });
    ASSERT_EQ(requests(), 1u);
    EXPECT_THAT(origin.requests[0], HasSubstr("POST /tenant-guid/oauth2/v2.0/token HTTP/1.1\r\n"));
    EXPECT_THAT(origin.requests[0],
                HasSubstr("Content-Type: application/x-www-form-urlencoded\r\n"));
    EXPECT_TRUE(origin.requests[0].ends_with(
        "\r\n\r\ngrant_type=client_credentials&client_id=client-guid&"
        "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_secret=s3cret%26%2B%20~"))
        << origin.requests[0];
}

TEST_F(OauthTokenTest, ACertificateInsteadOfASecret) {
    auto const pair = make_certificate(make_rsa_key(2'048), "DNS:app", -60, 40L * 365 * 86'400);
    app.secret = nullptr;
    app.certificate = *AppCertificate::load(pair.certificate, Secret(pair.key));
    answers({granted("t1", 3'600)});
    run([&]() -> awaitable<void> { EXPECT_EQ(co_await token(), "t1"); });
    EXPECT_THAT(origin.requests[0],
                HasSubstr("&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
                          "client-assertion-type%3Ajwt-bearer&client_assertion=eyJ"));
    EXPECT_THAT(origin.requests[0], Not(HasSubstr("client_secret")));
}

TEST_F(OauthTokenTest, AnExpiredCertificateIsNamedWithoutARequest) {
    auto const pair = make_certificate(make_rsa_key(2'048), "DNS:app", -60, 3'600);
    app.secret = nullptr;
    app.certificate = *AppCertificate::load(pair.certificate, Secret(pair.key));
    clock.passed = std::chrono::hours(24 * 365 * 20);
    run([&]() -> awaitable<void> { EXPECT_EQ(co_await token(), "login_refused"); });
    EXPECT_THAT(last_error->context, HasSubstr(app.certificate->thumbprint()));
    EXPECT_THAT(last_error->context, HasSubstr("client_id=client-guid"));
    EXPECT_EQ(requests(), 0u);
}

TEST_F(OauthTokenTest, OneTokenServesAllAndOneRequestGetsIt) {
    answers({granted("t1", 3'600), granted("t2", 3'600)});
    run([&]() -> awaitable<void> {
        TaskGroup group(context.get_executor());
        int good = 0;
        auto const one = [&]() -> awaitable<void> { good += co_await token() == "t1"; };
        for (int i = 0; i < 10; ++i) group.spawn(one());
        co_await group.join();
        EXPECT_EQ(good, 10);
        EXPECT_EQ(requests(), 1u);
        EXPECT_EQ(co_await token("https://outlook.office365.com/.default"), "t2");
        EXPECT_EQ(co_await token(), "t1");
        EXPECT_EQ(requests(), 2u);
    });
}

struct LifeCase {
    int life_s;
    int fresh_until_s;  ///< The last second without a renewal.
};

class OauthLifeTest : public OauthTokenTest, public testing::WithParamInterface<LifeCase> {};

// Goal: renewed ahead of its end, at 80 % of a short life and five minutes before the end of a
// long one, and the old one is handed out meanwhile.
TEST_P(OauthLifeTest, RenewedAheadOfItsEnd) {
    auto const& c = GetParam();
    answers({granted("t1", c.life_s), granted("t2", c.life_s)});
    run([&]() -> awaitable<void> {
        EXPECT_EQ(co_await token(), "t1");
        clock.passed = seconds(c.fresh_until_s);
        EXPECT_EQ(co_await token(), "t1");
        co_await settle();
        EXPECT_EQ(requests(), 1u);
        clock.passed += seconds(1);
        EXPECT_EQ(co_await token(), "t1");
        co_await settle();
        EXPECT_EQ(requests(), 2u);
        EXPECT_EQ(co_await token(), "t2");
    });
}

INSTANTIATE_TEST_SUITE_P(Oauth, OauthLifeTest,
                         testing::Values(LifeCase{30, 23}, LifeCase{3'600, 3'299},
                                         LifeCase{1'000, 799}));

TEST_F(OauthTokenTest, AfterItsEndItIsntHandedOut) {
    answers({granted("t1", 30), granted("t2", 30)});
    run([&]() -> awaitable<void> {
        EXPECT_EQ(co_await token(), "t1");
        clock.passed = seconds(30);
        EXPECT_EQ(co_await token(), "t2");
    });
}

TEST_F(OauthTokenTest, ARejectedTokenIsReplacedOnce) {
    answers({granted("t1", 3'600), granted("t2", 3'600)});
    run([&]() -> awaitable<void> {
        EXPECT_EQ(co_await token(), "t1");
        auto const first = last;
        source().reject(first);
        EXPECT_EQ(co_await token(), "t2");
        source().reject(first);
        EXPECT_EQ(co_await token(), "t2");
        EXPECT_EQ(requests(), 2u);
    });
}

TEST_F(OauthTokenTest, TransientFailuresAreWaitedOut) {
    answers({refused(503, "90033"), refused(429, "50196", "Retry-After: 0.02\r\n"),
             "HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
             granted("t1", 30)});
    auto const begin = std::chrono::steady_clock::now();
    run([&]() -> awaitable<void> { EXPECT_EQ(co_await token(), "t1"); });
    EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(20));
    EXPECT_EQ(requests(), 4u);
}

TEST_F(OauthTokenTest, NotForever) {
    answers(std::vector<std::string>(10, refused(503, "90033")));
    run([&]() -> awaitable<void> { EXPECT_EQ(co_await token(), "unavailable"); });
    EXPECT_EQ(requests(), 5u);
}

TEST_F(OauthTokenTest, ALongRetryAfterIsTheCallersAffairAndIsKept) {
    answers({refused(429, "50196", "Retry-After: 100\r\n"), granted("t1", 30)});
    run([&]() -> awaitable<void> {
        EXPECT_EQ(co_await token(), "throttled");
        EXPECT_EQ(last_error->retry_after, milliseconds(100'000));
        clock.passed = seconds(40);
        EXPECT_EQ(co_await token(), "throttled");
        EXPECT_EQ(last_error->retry_after, milliseconds(60'000));
        EXPECT_EQ(requests(), 1u);
        clock.passed = seconds(100);
        EXPECT_EQ(co_await token(), "t1");
    });
}

TEST_F(OauthTokenTest, AFinalRefusalNamesTheAppAndIsKeptForAWhile) {
    answers({refused(401, "7000222"), granted("t1", 30)});
    run([&]() -> awaitable<void> {
        for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await token(), "login_refused");
        EXPECT_THAT(last_error->context, HasSubstr("client_id=client-guid"));
        EXPECT_THAT(last_error->context, HasSubstr("tenant_id=tenant-guid"));
        EXPECT_THAT(last_error->context, HasSubstr("expired"));
        EXPECT_EQ(requests(), 1u);
        clock.passed = limits.refusal_kept;
        EXPECT_EQ(co_await token(), "t1");
    });
}

TEST_F(OauthTokenTest, AFailedRenewalDoesntTakeTheOldTokenAway) {
    answers({granted("t1", 30), refused(401, "7000222")});
    run([&]() -> awaitable<void> {
        EXPECT_EQ(co_await token(), "t1");
        clock.passed = seconds(25);
        EXPECT_EQ(co_await token(), "t1");
        co_await settle();
        EXPECT_EQ(co_await token(), "t1");
        EXPECT_EQ(requests(), 2u);
        clock.passed = seconds(31);
        EXPECT_EQ(co_await token(), "login_refused");
    });
}

TEST_F(OauthTokenTest, AWrongClockIsSetByTheServicesOwn) {
    auto const pair = make_certificate(make_rsa_key(2'048), "DNS:app", -60, 40L * 365 * 86'400);
    app.secret = nullptr;
    app.certificate = *AppCertificate::load(pair.certificate, Secret(pair.key));
    // The fake clock says 15 Jan 2027 08:00:00.
    auto const no = refused(401, "700024", "Date: Fri, 15 Jan 2027 10:00:00 GMT\r\n");
    answers({no, granted("t1", 30), no, no, granted("never", 30)});
    run([&]() -> awaitable<void> {
        EXPECT_EQ(co_await token(), "t1");
        EXPECT_EQ(requests(), 2u);
        clock.passed = seconds(40);
        EXPECT_EQ(co_await token(), "login_refused");
        EXPECT_EQ(requests(), 4u);
        EXPECT_THAT(last_error->context, HasSubstr("clock"));
    });
}

TEST_F(OauthTokenTest, CancellingACallerLeavesTheRenewalToTheOthers) {
    answers({refused(429, "50196", "Retry-After: 0.03\r\n"), granted("t1", 30)});
    run([&]() -> awaitable<void> {
        asio::cancellation_signal signal;
        bool aborted = false;
        asio::co_spawn(context, token(),
                       asio::bind_cancellation_slot(signal.slot(),
                                                    [&](std::exception_ptr e, std::string const&) {
                                                        aborted = e != nullptr;
                                                    }));
        co_await settle();
        signal.emit(asio::cancellation_type::terminal);
        EXPECT_EQ(co_await token(), "t1");
        EXPECT_TRUE(aborted);
    });
    EXPECT_EQ(requests(), 2u);
}

TEST_F(OauthTokenTest, ItsEndStopsABackOff) {
    limits.back_off_first = milliseconds(100'000);
    limits.wait_max = milliseconds(200'000);
    answers({refused(503, "90033")});
    run([&]() -> awaitable<void> {
        asio::co_spawn(context, token(), [](std::exception_ptr, std::string const&) {});
        co_await settle();
        source_.reset();
        co_await settle();
        EXPECT_EQ(last_error->code, Errc::unavailable);
    });
}

TEST_F(OauthTokenTest, AnAuthorityOutsideOfTheHostsIsntAsked) {
    app.authority = "https://elsewhere.example";
    run([&]() -> awaitable<void> { EXPECT_EQ(co_await token(), "invalid_config"); });
    EXPECT_EQ(origin.dials, 0);
}

}  // namespace
}  // namespace mailferry::oauth
