#include "tests/unit/transport/session/session_fixture.hpp"
#include "transport/auth/sasl.hpp"

namespace mailferry::imap {
namespace {

class LoginTest : public SessionTest {
protected:
    /// Opens a source session with one script and tells how it ended.
    std::string outcome(ImapScript& server) {
        std::string text = "ok";
        run([&]() -> awaitable<void> {
            auto const session = co_await open_source();
            if (!session) text = session.error().describe();
        });
        EXPECT_EQ(server.unexpected, "");
        return text;
    }
};

bool starts(std::string const& text, std::string_view with) { return text.starts_with(with); }

TEST_F(LoginTest, PlainCarriesTheMailboxAsAuthorizationIdentity) {
    auto& server = script(signed_in({}));
    EXPECT_EQ(outcome(server), "ok");
    EXPECT_EQ(
        server.commands.at(0),
        "AUTHENTICATE PLAIN " + transport::sasl_plain("m@example.org", "boss", "secret").value());
}

TEST_F(LoginTest, WithoutSaslIrTheMessageWaitsForTheServer) {
    auto& server = script({{"", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"},
                           {"AUTHENTICATE PLAIN", "+ \r\n"},
                           {"bUBleGFt", "$ OK [CAPABILITY IMAP4rev1] in\r\n"}});
    EXPECT_EQ(outcome(server), "ok");
}

TEST_F(LoginTest, CapabilitiesAreAskedForWhereNobodyTellsThem) {
    auto& server = script({{"", "* OK hi\r\n"},
                           {"CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n$ OK\r\n"},
                           {"AUTHENTICATE PLAIN", "$ OK in\r\n"},
                           {"CAPABILITY", "* CAPABILITY IMAP4rev1 NAMESPACE ID\r\n$ OK\r\n"},
                           {"ID ", "* ID (\"name\" \"Dovecot\")\r\n$ OK\r\n"},
                           {"NAMESPACE", "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n$ OK\r\n"}});
    EXPECT_EQ(outcome(server), "ok");
    EXPECT_EQ(server.steps_left(), 0u);
}

TEST_F(LoginTest, MasterLoginFallsBackToLoginWithQuotedStrings) {
    admin.auth = config::Auth::login_master;
    auto& server =
        script({{"", "* OK [CAPABILITY IMAP4rev1] hi\r\n"},
                {"LOGIN \"m@example.org*boss\" \"secret\"", "$ OK [CAPABILITY IMAP4rev1] in\r\n"}});
    EXPECT_EQ(outcome(server), "ok");
}

TEST_F(LoginTest, AMechanismThatIsNotOfferedIsSaid) {
    auto& server = script({{"", "* OK [CAPABILITY IMAP4rev1] hi\r\n"}});
    EXPECT_TRUE(starts(outcome(server), "login_refused"));
    EXPECT_EQ(server.received, "");
}

TEST_F(LoginTest, Xoauth2AnswersTheErrorChallengeWithAnEmptyLine) {
    admin.auth = config::Auth::xoauth2;
    auto& server = script({{"", "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hi\r\n"},
                           {"AUTHENTICATE XOAUTH2", "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"}});
    server.say("");
    std::string text;
    run([&]() -> awaitable<void> {
        asio::co_spawn(
            context,
            [&]() -> awaitable<void> {
                // The empty line is no command: the script sees it in what was received.
                while (!server.received.ends_with("\r\n\r\n"))
                    co_await asio::post(asio::use_awaitable);
                server.say("a1 NO [AUTHENTICATIONFAILED] bad token\r\n");
            },
            asio::detached);
        auto const session = co_await open_source();
        text = session ? "ok" : session.error().describe();
    });
    EXPECT_TRUE(starts(text, "login_refused")) << text;
}

TEST_F(LoginTest, PreauthIsRefused) {
    EXPECT_TRUE(starts(outcome(script({{"", "* PREAUTH welcome\r\n"}})), "login_refused"));
}

TEST_F(LoginTest, AGreetingThatTurnsAwayIsAPause) {
    EXPECT_TRUE(starts(outcome(script({{"", "* BYE Too many connections\r\n"}})), "throttled"));
}

struct PlainPhaseCase {
    std::string_view name, greeting, answer, outcome;
};

// Goal: nothing an attacker says before TLS is believed, and no credential leaves before it.
TEST_F(LoginTest, TheHolesOfStartTlsAreShut) {
    constexpr PlainPhaseCase cases[] = {
        {"injected_behind_ok", "* OK hi\r\n", "s1 OK go\r\n* CAPABILITY AUTH=PLAIN\r\n",
         "tls_failed"},
        {"half_a_line_behind_ok", "* OK hi\r\n", "s1 OK go\r\n*", "tls_failed"},
        {"preauth", "* PREAUTH in already\r\n", "", "tls_failed"},
        {"refused", "* OK hi\r\n", "s1 BAD no such thing\r\n", "tls_failed"},
        {"bye", "* BYE Suggested Backoff Time: 9 milliseconds\r\n", "", "unavailable"},
    };
    tenant.tls = config::Tls::starttls;
    for (auto const& c : cases) {
        SCOPED_TRACE(std::string(c.name));
        auto& server =
            script({{"", std::string(c.greeting)}, {"s1 STARTTLS", std::string(c.answer)}});
        auto const text = outcome(server);
        EXPECT_TRUE(starts(text, c.outcome)) << text;
        EXPECT_EQ(server.tls_handshakes, 0);
        EXPECT_EQ(server.received.find("AUTH"), std::string::npos);
    }
}

TEST_F(LoginTest, AfterStartTlsCapabilitiesAreAskedAnew) {
    tenant.tls = config::Tls::starttls;
    auto& server = script({{"", "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n"},
                           {"s1 STARTTLS", "s1 OK go\r\n"},
                           {"CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n$ OK\r\n"},
                           {"AUTHENTICATE PLAIN", "$ OK [CAPABILITY IMAP4rev1] in\r\n"}});
    EXPECT_EQ(outcome(server), "ok");
    EXPECT_EQ(server.tls_handshakes, 1);
}

// Goal: an unknown mailbox isn't taken for a wrong password. Method: the admin has just opened
// another one; then, long ago is played by a connector that has not opened any.
TEST_F(LoginTest, AMailboxTheAdminCantOpenIsToldFromAWrongPassword) {
    script(signed_in({}));
    script({{"", greeting}, {"AUTHENTICATE", "$ NO [AUTHENTICATIONFAILED] no\r\n"}});
    auto& first_refused =
        script({{"", greeting}, {"AUTHENTICATE", "$ NO [AUTHENTICATIONFAILED] no\r\n"}});
    auto& probe = script({{"", greeting},
                          {"AUTHENTICATE", "$ NO [AUTHENTICATIONFAILED] no\r\n"},
                          {"LOGOUT", "* BYE bye\r\n$ OK\r\n"}});
    run([&]() -> awaitable<void> {
        auto maker = connector();
        transport::OpenMailbox request;
        request.mailbox = "m@example.org";
        auto const good = co_await maker.connect_source();
        EXPECT_TRUE((co_await (*good)->open(request)).has_value());
        auto const second = co_await maker.connect_source();
        request.mailbox = "nobody@example.org";
        auto const opened = co_await (*second)->open(request);
        EXPECT_EQ(opened.error().code, Errc::mailbox_refused);

        auto fresh_maker = connector();
        auto const third = co_await fresh_maker.connect_source();
        auto const refused = co_await (*third)->open(request);
        EXPECT_EQ(refused.error().code, Errc::login_refused);
    });
    EXPECT_EQ(first_refused.unexpected + probe.unexpected, "");
    EXPECT_EQ(dialled, 4u);
}

TEST_F(LoginTest, AnotherMailboxIsOpenedOnANewConnection) {
    auto& first = script(signed_in({{"LOGOUT", "* BYE bye\r\n$ OK\r\n"}}));
    auto& second = script(signed_in({}));
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        transport::OpenMailbox request;
        request.mailbox = "other@example.org";
        auto const opened = co_await (*session)->open(request);
        EXPECT_TRUE(opened.has_value());
        EXPECT_TRUE((*session)->alive());
    });
    EXPECT_EQ(first.unexpected + second.unexpected, "");
    EXPECT_EQ(second.commands.at(0),
              "AUTHENTICATE PLAIN " +
                  transport::sasl_plain("other@example.org", "boss", "secret").value());
}

TEST_F(LoginTest, UnauthenticateKeepsTheConnection) {
    auto& server =
        script(signed_in({{"UNAUTHENTICATE", "$ OK\r\n"},
                          {"CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n$ OK\r\n"},
                          {"AUTHENTICATE PLAIN", "$ OK [CAPABILITY IMAP4rev1] in\r\n"}},
                         "IMAP4rev1 UNAUTHENTICATE"));
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        transport::OpenMailbox request;
        request.mailbox = "other@example.org";
        EXPECT_TRUE((co_await (*session)->open(request)).has_value());
    });
    EXPECT_EQ(server.unexpected, "");
    EXPECT_EQ(dialled, 1u);
}

}  // namespace
}  // namespace mailferry::imap
