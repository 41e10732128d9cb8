#include "tests/support/temporary_folder.hpp"
#include "tests/unit/transport/session/session_fixture.hpp"
#include "transport/auth/sasl.hpp"
#include "transport/imap/access_token.hpp"

#include <filesystem>
#include <fstream>

namespace mailferry::imap {
namespace {

std::string jwt(std::string const& claims) {
    auto text = transport::base64_encode(claims);
    while (text.ends_with('=')) text.pop_back();
    return "e30." + text + ".c2ln";
}

class TokenTest : public SessionTest {
protected:
    TokenTest() {
        admin.auth = config::Auth::xoauth2;
        admin.password.file = folder.path() / "token";
        write_token("first");
    }

    void write_token(std::string const& token) {
        std::ofstream(admin.password.file) << token << "\n";
        std::filesystem::permissions(admin.password.file, std::filesystem::perms::owner_read |
                                                              std::filesystem::perms::owner_write);
    }

    ImapScript& answer(std::string const& with) {
        return script({{"", "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hi\r\n"},
                       {"AUTHENTICATE XOAUTH2", "$ " + with + "\r\n"}});
    }

    awaitable<Result<void>> open(Connector& maker, std::string mailbox) {
        auto const session = co_await maker.connect_source();
        if (!session) co_return session.error();
        transport::OpenMailbox request;
        request.mailbox = std::move(mailbox);
        co_return co_await (*session)->open(request);
    }

    std::string sent(std::string const& token) {
        return "AUTHENTICATE XOAUTH2 " + transport::sasl_xoauth2("m@example.org", token).value();
    }

    test::TemporaryFolder folder;
    std::string const in = "OK [CAPABILITY IMAP4rev1] in";
    std::string const refused = "NO [AUTHENTICATIONFAILED] no";
};

// Goal: a token that somebody renews in the very moment of its end costs nothing.
TEST_F(TokenTest, TheFileIsReadAgainWhenTheServerRefuses) {
    auto maker_admin = admin;
    auto& first = answer(refused);
    auto& second = answer(in);
    Connector maker(context.get_executor(), tenant, maker_admin, Secret("first"),
                    [&]() -> awaitable<Result<std::unique_ptr<transport::Stream>>> {
                        co_return scripts[dialled++]->stream();
                    });
    run([&]() -> awaitable<void> {
        auto const session = co_await maker.connect_source();
        // Between the reading of the file and the answer.
        asio::co_spawn(
            context,
            [&]() -> awaitable<void> {
                while (first.commands.empty()) co_await asio::post(asio::use_awaitable);
                write_token("second");
            },
            asio::detached);
        transport::OpenMailbox request;
        request.mailbox = "m@example.org";
        EXPECT_TRUE((co_await (*session)->open(request)).has_value());
    });
    EXPECT_EQ(first.commands.at(0), sent("first"));
    EXPECT_EQ(second.commands.at(0), sent("second"));
}

TEST_F(TokenTest, EachSignInReadsTheFile) {
    answer(in);
    auto& second = answer(in);
    run([&]() -> awaitable<void> {
        auto maker = connector();
        EXPECT_TRUE((co_await open(maker, "m@example.org")).has_value());
        write_token("second");
        EXPECT_TRUE((co_await open(maker, "m@example.org")).has_value());
    });
    EXPECT_EQ(second.commands.at(0), sent("second"));
}

// Goal: a token that has worked and ends is waited for, and not sent a second time meanwhile.
TEST_F(TokenTest, AnEndedTokenIsNotSentAgainAndAFreshOneIs) {
    answer(in);
    answer(refused);
    answer(refused);  // The mailbox that the token has opened before: no longer.
    auto& silent = answer(in);
    auto& renewed = answer(in);
    run([&]() -> awaitable<void> {
        auto maker = connector();
        EXPECT_TRUE((co_await open(maker, "m@example.org")).has_value());
        auto const ended = co_await open(maker, "n@example.org");
        EXPECT_EQ(ended.error().code, Errc::unavailable);
        EXPECT_TRUE(ended.error().retry_after.has_value());
        EXPECT_NE(ended.error().context.find(admin.password.file.string()), std::string::npos);
        auto const again = co_await open(maker, "n@example.org");
        EXPECT_EQ(again.error().code, Errc::unavailable);
        write_token("second");
        EXPECT_TRUE((co_await open(maker, "m@example.org")).has_value());
    });
    EXPECT_EQ(silent.received, "");
    EXPECT_EQ(renewed.commands.at(0), sent("second"));
}

TEST_F(TokenTest, ATokenThatHasEndedByItsOwnWordIsRefusedOnceForAllMailboxes) {
    write_token(jwt(R"({"sub":"app","exp":1700000000})"));
    answer(refused);
    auto& second = answer(in);
    run([&]() -> awaitable<void> {
        auto maker = connector();
        auto const first = co_await open(maker, "m@example.org");
        EXPECT_EQ(first.error().code, Errc::login_refused);
        EXPECT_NE(first.error().context.find("expired "), std::string::npos)
            << first.error().context;
        EXPECT_EQ((co_await open(maker, "n@example.org")).error().code, Errc::login_refused);
    });
    EXPECT_EQ(second.received, "");
}

TEST_F(TokenTest, AFileThatOthersMayReadIsRefused) {
    std::filesystem::permissions(admin.password.file, std::filesystem::perms::all);
    auto& server = answer(in);
    run([&]() -> awaitable<void> {
        auto maker = connector();
        EXPECT_EQ((co_await open(maker, "m@example.org")).error().code, Errc::invalid_config);
    });
    EXPECT_EQ(server.received, "");
}

TEST(AccessTokenTest, TheEndIsReadFromAJwtAndFromNothingElse) {
    using std::chrono::seconds;
    using std::chrono::sys_seconds;
    EXPECT_EQ(token_expiry(jwt(R"({"exp":1700000000})")), sys_seconds(seconds(1'700'000'000)));
    for (std::string const claims :
         {"{}", "[]", "{\"exp\":\"soon\"}", "{\"exp\":-1}", "{\"exp\":1e300}",
          "{\"exp\":", "{\"exp\":9223372036854775807}", ""})
        EXPECT_EQ(token_expiry(jwt(claims)), std::nullopt) << claims;
    for (auto const* const opaque : {"", "ya29.a0AfH6", "a.b.c", "..", "not a token"})
        EXPECT_EQ(token_expiry(opaque), std::nullopt) << opaque;
}

}  // namespace
}  // namespace mailferry::imap
