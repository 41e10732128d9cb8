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

/// Opens one more session of `maker` and tells how it ended.
awaitable<std::string> opened(Connector& maker, std::string mailbox) {
    auto const session = co_await maker.connect_source();
    if (!session) co_return "unconnected";
    transport::OpenMailbox request;
    request.mailbox = std::move(mailbox);
    auto const done = co_await (*session)->open(request);
    co_return done ? "ok" : std::string(to_string(done.error().code));
}

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
    std::string text;
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        text = session ? "ok" : session.error().describe();
    });
    // The script takes the empty line for a command that it doesn't know and says BAD.
    EXPECT_TRUE(server.received.ends_with("\r\n\r\n"));
    EXPECT_TRUE(starts(text, "mailbox_refused")) << text;
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

/// A connection that meets a refusal.
std::vector<Exchange> refused(std::string const& answer) {
    return {{"", greeting}, {"AUTHENTICATE", "$ " + answer + "\r\n"}};
}

struct RefusalCase {
    std::string_view name, answer;
    std::string_view first, second;  ///< What the refusals of two mailboxes are taken for.
};

// Goal: one wrong password, one failed login, where the server speaks RFC 5530; elsewhere an
// unknown mailbox in the first row doesn't stop the admin.
TEST_F(LoginTest, OfANewAdminOneRefusalIsEnoughIfItsWordsAreClear) {
    constexpr RefusalCase cases[] = {
        {"password", "NO [AUTHENTICATIONFAILED] no", "login_refused", "login_refused"},
        {"expired", "NO [EXPIRED] change your password", "login_refused", "login_refused"},
        {"mailbox", "NO [AUTHORIZATIONFAILED] no", "mailbox_refused", "mailbox_refused"},
        {"unclear", "NO AUTHENTICATE failed.", "mailbox_refused", "login_refused"},
        {"later", "NO [UNAVAILABLE] not now", "unavailable", "unavailable"},
    };
    for (auto const& c : cases) {
        SCOPED_TRACE(std::string(c.name));
        auto const before = dialled;
        auto& first = script(refused(std::string(c.answer)));
        auto& second = script(refused(std::string(c.answer)));
        run([&]() -> awaitable<void> {
            auto maker = connector();
            EXPECT_EQ(co_await opened(maker, "one@example.org"), c.first);
            EXPECT_EQ(co_await opened(maker, "two@example.org"), c.second);
        });
        EXPECT_EQ(first.unexpected + second.unexpected, "");
        EXPECT_EQ(dialled, before + 2) << "a login to find out";
    }
}

TEST_F(LoginTest, CyrusRefusesNobodyForTheMailboxsSake) {
    script({{"", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] vm Cyrus IMAP 3.6.1 ready\r\n"},
            {"AUTHENTICATE", "$ NO authentication failure\r\n"}});
    run([&]() -> awaitable<void> {
        auto maker = connector();
        EXPECT_EQ(co_await opened(maker, "one@example.org"), "login_refused");
    });
}

// Goal: an unknown mailbox isn't taken for a wrong password later on, nor the other way round.
TEST_F(LoginTest, OfAnAdminThatHasWorkedAGoodMailboxTells) {
    auto const open_twice = [&](std::string second) -> awaitable<void> {
        auto maker = connector();
        EXPECT_EQ(co_await opened(maker, "m@example.org"), "ok");
        EXPECT_EQ(co_await opened(maker, "nobody@example.org"), second);
    };
    std::string const clear = "NO [AUTHENTICATIONFAILED] no";
    std::vector<ImapScript*> scripts_run{
        // It has just opened one: words that leave it open are about the mailbox.
        &script(signed_in({})), &script(refused("NO LOGIN failed.")),
        // Clear words: the good one is opened again.
        &script(signed_in({})), &script(refused(clear)),
        &script(signed_in({{"LOGOUT", "* BYE bye\r\n$ OK\r\n"}})),
        // It isn't opened any more.
        &script(signed_in({})), &script(refused(clear)), &script(refused(clear))};
    for (std::string const meaning : {"mailbox_refused", "mailbox_refused", "login_refused"})
        run([&]() -> awaitable<void> { return open_twice(meaning); });
    EXPECT_EQ(dialled, scripts_run.size());
}

// Goal: whoever looks twice doesn't send a wrong password twice; a corrected one goes out at once.
TEST_F(LoginTest, APasswordThatWasRefusedIsNotSentAgainSoon) {
    admin.auth = config::Auth::user;
    Secret const wrong("wrong"), right("right");
    auto const open_with = [&](Connector& maker, Secret const& password) -> awaitable<std::string> {
        auto const session = co_await maker.connect_source();
        transport::OpenMailbox request;
        request.mailbox = "m@example.org";
        request.own_password = &password;
        auto const done = co_await (*session)->open(request);
        co_return done ? "ok" : std::string(to_string(done.error().code));
    };
    script(refused("NO [AUTHENTICATIONFAILED] no"));
    auto& second = script(refused("NO [AUTHENTICATIONFAILED] no"));
    script(signed_in({}));
    run([&]() -> awaitable<void> {
        auto maker = connector();
        EXPECT_EQ(co_await open_with(maker, wrong), "login_refused");
        EXPECT_EQ(co_await open_with(maker, wrong), "login_refused");
        EXPECT_EQ(co_await open_with(maker, right), "ok");
    });
    EXPECT_EQ(second.received, "");
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
