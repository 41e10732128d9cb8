#include "daemon/cli/run.hpp"

#include "config/load.hpp"
#include "daemon/cli/init.hpp"
#include "daemon/cli/init_plan.hpp"
#include "daemon/control_api.hpp"
#include "fake_engine.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
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
         {"init", "copy", "estimate", "status", "passes", "start", "pause", "resume", "cancel", "mailboxes",
          "mailbox", "items", "retry", "report", "limits", "reload", "shutdown"})
        EXPECT_THAT(help, HasSubstr(std::string("\n  ") + verb + " "));
    for (auto const* const absent : {"\n  top", "verify", "\n  events"})
        EXPECT_THAT(help, Not(HasSubstr(absent)));
}

constexpr std::chrono::sys_seconds today{std::chrono::seconds(1'780'000'000)};  // May 2026

std::string pass_names(InitPlan const& plan) {
    std::string names;
    for (auto const& pass : passes_for(plan))
        names += (names.empty() ? "" : " ") + pass.name +
                 (pass.mail_since.empty() ? "" : "=" + pass.mail_since);
    return names;
}

struct PassesCase {
    std::uint64_t mailboxes;
    std::string_view since, passes;
};

TEST(InitPlanTest, PassesFitSizeAndDates) {
    for (auto const& c : std::initializer_list<PassesCase>{
             {1, "180d", "all=180d"},
             {500, "all", "all"},
             {500, "2026-01-31", "all=2026-01-31"},
             {501, "all", "first=7d month=30d half-year=180d older final"},
             {501, "2y", "nothing"},
             {501, "104w", "first=7d month=30d half-year=180d older=104w final=104w"},
             {501, "180d", "first=7d month=30d older=180d final=180d"},
             {501, "2025-06-01",
              "first=7d month=30d half-year=180d older=2025-06-01 final=2025-06-01"},
             {501, "30d", "first=7d older=30d final=30d"},
             {501, "7d", "first=7d final=7d"},
             {501, "2d", "first=2d final=2d"}}) {
        SCOPED_TRACE(c.since);
        auto oldest = parse_oldest_mail(c.since, today);
        if (!oldest) {
            EXPECT_EQ(c.passes, "nothing");
            EXPECT_THAT(oldest.error().context, HasSubstr("can't be used; accepted are"));
            continue;
        }
        EXPECT_EQ(pass_names({config::Protocol::graph, c.mailboxes, *oldest, "m"}), c.passes);
    }
    for (auto const* const bad : {"", "0d", "2027-01-01", "180"})
        EXPECT_FALSE(parse_oldest_mail(bad, today)) << bad;
}

// Goal: whatever is chosen, the result is a configuration without a problem of syntax or spelling.
TEST(InitPlanTest, EveryTextLoads) {
    for (auto const protocol : {config::Protocol::imap, config::Protocol::graph}) {
        for (std::uint64_t const mailboxes : {1, 101, 500, 501, 100'000}) {
            InitPlan const plan{protocol, mailboxes, {}, "merger-2"};
            auto const loaded = config::parse_config(config_text(plan), "m.toml");
            for (auto const& problem : loaded.problems) ADD_FAILURE() << problem.describe();
            ASSERT_EQ(loaded.config.tenants.size(), 2u);
            ASSERT_EQ(loaded.config.migrations.size(), 1u);
            auto const& migration = loaded.config.migrations[0];
            EXPECT_EQ(migration.name, "merger-2");
            EXPECT_EQ(migration.passes.size(), mailboxes <= 500 ? 1u : 5u);
            std::size_t admins = 0;
            for (auto const& tenant : loaded.config.tenants) admins += tenant.admins.size();
            EXPECT_EQ(admins, secret_files_for(plan).size());
            EXPECT_THAT(config_text(plan), Not(HasSubstr("@side")));
        }
    }
}

class InitTest : public testing::Test {
protected:
    int run(InitOptions options, char const* answers = nullptr) {
        std::istringstream in(answers != nullptr ? answers : "");
        out.str({});
        err.str({});
        return run_init(options, answers != nullptr ? &in : nullptr, out, err, today);
    }

    static std::string contents(std::filesystem::path const& file) {
        std::ifstream stream(file);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

    test::TemporaryFolder folder;
    std::ostringstream out, err;
};

TEST_F(InitTest, DefaultsNeedTheSizeOnly) {
    InitOptions options;
    options.output = folder.path() / "new" / "folder";
    options.yes = true;
    EXPECT_EQ(run(options), 2);
    EXPECT_EQ(err.str(), "mailferry: --mailboxes is missing\n");
    options.mailboxes = "40";
    EXPECT_EQ(run(options), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("install -m 600 /dev/null"));
    auto const config = contents(options.output / "mailferry.toml");
    EXPECT_THAT(config, HasSubstr("protocol  = \"graph\""));
    EXPECT_THAT(config, HasSubstr("mail_since = \"180d\""));
    EXPECT_THAT(contents(options.output / "merger.csv"), HasSubstr("@new.onmicrosoft.com"));
}

TEST_F(InitTest, NothingIsOverwritten) {
    InitOptions options;
    options.output = folder.path();
    options.mailboxes = "4000";
    options.yes = true;
    for (auto const* const taken : {"merger.csv", "mailferry.toml"}) {
        std::ofstream(folder.path() / taken) << "mine";
        EXPECT_EQ(run(options), 2);
        EXPECT_THAT(err.str(), HasSubstr(std::string(taken) + " is there already"));
        EXPECT_EQ(contents(folder.path() / taken), "mine");
        std::filesystem::remove(folder.path() / taken);
        EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "half of it was written";
    }
}

TEST_F(InitTest, AsksOnATerminalUntilTheAnswerFits) {
    InitOptions options;
    options.output = folder.path();
    EXPECT_EQ(run(options, "pop3\nimap\n\n-1\n600\nsoon\n\nmy job\nours\n"), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("Target: imap or graph [imap]: "));
    EXPECT_THAT(out.str(), HasSubstr("expected is a number from 1 to 1000000"));
    EXPECT_THAT(out.str(), HasSubstr("\"soon\" can't be used"));
    auto const config = contents(folder.path() / "mailferry.toml");
    EXPECT_THAT(config, HasSubstr("[migration.ours]"));
    EXPECT_THAT(config, HasSubstr("migrate4@old.example"));
}

TEST_F(InitTest, WrongAndMissingAnswersWriteNothing) {
    InitOptions options;
    options.output = folder.path();
    EXPECT_EQ(run(options, "imap\n"), 2);
    EXPECT_THAT(err.str(), HasSubstr("no answer; nothing was written"));
    EXPECT_EQ(run(options), 2);
    EXPECT_THAT(err.str(), HasSubstr("--source-protocol is missing, and there is no terminal"));
    options.yes = true;
    options.mailboxes = "5";
    options.target_protocol = "imap";
    EXPECT_EQ(run(options), 2);
    EXPECT_THAT(err.str(), HasSubstr("imap→imap, graph→graph"));
    options.target_protocol.clear();
    options.name = "../x";
    EXPECT_EQ(run(options), 2);
    EXPECT_THAT(err.str(), HasSubstr("--name: a name has"));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    options.name.clear();
    options.output = "/dev/null/x";
    EXPECT_EQ(run(options), 1);
}

TEST(OptionsTest, InitTakesItsAnswers) {
    auto const parsed = parse({"init", "--mailboxes", "12", "--since", "30d", "--yes"});
    ASSERT_TRUE(std::holds_alternative<Options>(parsed));
    auto const& init = std::get<Options>(parsed).init;
    EXPECT_EQ(init.mailboxes, "12");
    EXPECT_EQ(init.since, "30d");
    EXPECT_TRUE(init.yes && init.name.empty());
}

TEST(SocketClientTest, NobodyThereIsUnreachable) {
    auto const reply = SocketClient("/nonexistent/control.sock").request("GET", "/v1/status");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::unreachable);
}

}  // namespace
}  // namespace mailferry::daemon::cli
