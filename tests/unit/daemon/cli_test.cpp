#include "daemon/cli/run.hpp"

#include "daemon/control_api.hpp"
#include "fake_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace mailferry::daemon::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::variant<Options, Exited> parse(std::vector<char const*> words) {
    words.insert(words.begin(), "mailferry");
    return parse_options(static_cast<int>(words.size()), words.data());
}

/// Answers by the API itself, without a socket.
class DirectClient final : public Client {
public:
    Result<Reply> request(std::string_view method, std::string_view target) override {
        if (!reachable) return Error{Errc::unreachable, "/run/x: No such file or directory"};
        asio::io_context context;
        Reply reply;
        auto ask = [&]() -> awaitable<void> {
            ControlRequest request{std::string(method), std::string(target), access, "test"};
            auto const response = co_await api.handle(std::move(request));
            reply = {response.status, response.body, response.exit_status};
        };
        asio::co_spawn(context, ask(), asio::detached);
        context.run();
        return reply;
    }

    FakeEngine engine;
    Report report;
    Access access = Access::act;
    bool reachable = true;
    ControlApi api{engine, [this]() -> awaitable<Result<Report>> { co_return report; }};
};

class VerbTest : public testing::Test {
protected:
    int run(std::vector<char const*> words) {
        out.str({});
        err.str({});
        auto const parsed = parse(std::move(words));
        auto const* const options = std::get_if<Options>(&parsed);
        if (options == nullptr) return std::get<Exited>(parsed).status;
        return run_verb({*options, client, out, err});
    }

    DirectClient client;
    std::ostringstream out, err;
};

TEST_F(VerbTest, StatusIsReadable) {
    client.engine.shown = busy_status();
    client.engine.shown.warnings = {"disk full: \x1b[2J/var"};
    EXPECT_EQ(run({"status"}), 0);
    EXPECT_THAT(out.str(),
                HasSubstr("mailferryd is running, for 2m 5s\n! disk full: \\x1b[2J/var"));
    EXPECT_THAT(out.str(),
                HasSubstr("Items   1,600 stored of 6,400 planned, 0 unchanged, 2 failed"));
    EXPECT_THAT(out.str(), HasSubstr("12 of 64 mailboxes done, 8 running, 1 failed"));
    EXPECT_THAT(out.str(), HasSubstr("login refused"));
}

TEST_F(VerbTest, EveryReadingVerbHasJson) {
    client.engine.shown = busy_status();
    client.engine.rows = {running_mailbox(1)};
    for (auto words : std::vector<std::vector<char const*>>{{"status"},
                                                            {"passes"},
                                                            {"limits"},
                                                            {"mailboxes"},
                                                            {"mailbox", "user1@fabrikam.example"},
                                                            {"items", "--failed"},
                                                            {"report"}}) {
        words.push_back("--json");
        SCOPED_TRACE(words[0]);
        EXPECT_EQ(run(words), 0);
        EXPECT_TRUE(out.str().starts_with("{")) << out.str();
    }
}

TEST_F(VerbTest, ListsAreTables) {
    client.engine.rows = {running_mailbox(1), running_mailbox(2)};
    client.engine.rows[1].error = "over_quota: 10 MiB";
    EXPECT_EQ(run({"mailboxes", "--limit", "1"}), 0);
    EXPECT_THAT(out.str(), HasSubstr("user1@fabrikam.example"));
    EXPECT_THAT(out.str(), HasSubstr("go on with --offset 1"));
    EXPECT_EQ(run({"mailbox", "user2@contoso.example"}), 0);
    EXPECT_THAT(out.str(), HasSubstr("Next      Raise the target mailbox's quota"));
    EXPECT_EQ(run({"mailboxes", "--state", "done"}), 0);
    EXPECT_EQ(out.str(), "No mailboxes match.\n");
    EXPECT_EQ(run({"items", "--failed"}), 0);
    EXPECT_EQ(out.str(), "No item has failed.\n");
}

TEST_F(VerbTest, CommandsReachTheEngine) {
    EXPECT_EQ(run({"pause", "first"}), 0);
    EXPECT_EQ(out.str(), "pause first: done.\n");
    EXPECT_EQ(run({"retry"}), 0);
    EXPECT_EQ(run({"reload"}), 0);
    EXPECT_EQ(run({"shutdown"}), 0);
    EXPECT_THAT(client.engine.told,
                testing::ElementsAre("pause first", "retry", "reload", "shutdown"));
}

TEST_F(VerbTest, ExitStatusIsThatOfTheContract) {
    EXPECT_EQ(run({"start", "nothing"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("no pass of this name"));
    EXPECT_THAT(err.str(), HasSubstr("mailferry passes lists"));
    EXPECT_EQ(run({"mailbox", "nobody@x"}), 2);
    client.engine.problems = {{"m.toml", 3, "unknown key", false}};
    EXPECT_EQ(run({"reload"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("m.toml:3: unknown key"));
    client.report.exit_status = 1;
    EXPECT_EQ(run({"report"}), 1);
    client.report.exit_status = 4;
    EXPECT_EQ(run({"report", "--format", "csv"}), 4);
    client.access = Access::view;
    EXPECT_EQ(run({"shutdown"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("mailferry-admin"));
    client.reachable = false;
    EXPECT_EQ(run({"status"}), 3);
    EXPECT_THAT(err.str(), HasSubstr("systemctl start mailferry"));
}

TEST(OptionsTest, CommandLines) {
    auto const copy = parse({"copy", "--config", "m.toml", "--json"});
    ASSERT_TRUE(std::holds_alternative<Options>(copy));
    EXPECT_EQ(std::get<Options>(copy).config, "m.toml");
    EXPECT_TRUE(std::get<Options>(copy).json);
    auto const before = parse({"--socket", "/s", "start", "first"});
    ASSERT_TRUE(std::holds_alternative<Options>(before));
    EXPECT_EQ(std::get<Options>(before).verb, "start");
    EXPECT_EQ(std::get<Options>(before).pass, "first");
    EXPECT_EQ(std::get<Options>(before).socket, "/s");
}

TEST(OptionsTest, WrongCommandLinesEndWithTwo) {
    testing::internal::CaptureStderr();
    for (auto const& words : std::vector<std::vector<char const*>>{{},
                                                                   {"nonsense"},
                                                                   {"copy"},
                                                                   {"start"},
                                                                   {"items"},
                                                                   {"mailboxes", "--state", "lost"},
                                                                   {"mailboxes", "--limit", "0"},
                                                                   {"report", "--format", "pdf"},
                                                                   {"top"},
                                                                   {"estimate"},
                                                                   {"status", "extra"},
                                                                   {"--bad"}}) {
        auto const parsed = parse(words);
        auto const* const exited = std::get_if<Exited>(&parsed);
        ASSERT_NE(exited, nullptr) << (words.empty() ? "" : words[0]);
        EXPECT_EQ(exited->status, 2) << (words.empty() ? "" : words[0]);
    }
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("--help"));
}

TEST(OptionsTest, HelpOffersWhatThereIs) {
    testing::internal::CaptureStdout();
    auto const parsed = parse({"--help"});
    auto const help = testing::internal::GetCapturedStdout();
    ASSERT_TRUE(std::holds_alternative<Exited>(parsed));
    EXPECT_EQ(std::get<Exited>(parsed).status, 0);
    for (auto const* const verb :
         {"copy", "status", "passes", "start", "pause", "resume", "cancel", "mailboxes", "mailbox",
          "items", "retry", "report", "limits", "reload", "shutdown"})
        EXPECT_THAT(help, HasSubstr(std::string("\n  ") + verb + " "));
    for (auto const* const absent : {"\n  top", "estimate", "verify", "\n  events"})
        EXPECT_THAT(help, Not(HasSubstr(absent)));
}

TEST(SocketClientTest, NobodyThereIsUnreachable) {
    auto const reply = SocketClient("/nonexistent/control.sock").request("GET", "/v1/status");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::unreachable);
}

}  // namespace
}  // namespace mailferry::daemon::cli
