#include "daemon/control_api.hpp"

#include "daemon/control_target.hpp"
#include "fake_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <fstream>
#include <set>

namespace mailferry::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ControlApiTest : public testing::Test {
protected:
    ControlResponse call(std::string method, std::string target, Access access = Access::act) {
        asio::io_context context;
        ControlResponse response;
        auto answer = [&]() -> awaitable<void> {
            ControlRequest request{method, target, access, "uid=0 pid=1"};
            response = co_await api.handle(std::move(request));
        };
        asio::co_spawn(context, answer(), asio::detached);
        context.run();
        return response;
    }
    boost::json::value json(std::string target, unsigned status = 200) {
        auto const response = call("GET", std::move(target));
        EXPECT_EQ(response.status, status) << response.body;
        return boost::json::parse(response.body);
    }

    FakeEngine engine;
    Report report;
    ControlApi api{engine, [this]() -> awaitable<Result<Report>> { co_return report; }};
};

TEST_F(ControlApiTest, StatusShowsTheEngine) {
    engine.shown = busy_status();
    auto const status = json("/v1/status");
    EXPECT_EQ(status.at("state").as_string(), "running");
    EXPECT_EQ(status.at("totals").at("items_stored").to_number<int>(), 1'600);
    EXPECT_EQ(status.at("spool").at("max_bytes").to_number<std::uint64_t>(), 20ULL << 30);
    EXPECT_EQ(status.at("admins").at(1).at("waits_for").as_string(), "login refused");
    EXPECT_EQ(status.at("passes").at(0).at("name").as_string(), "first");
    EXPECT_EQ(json("/v1/passes").at("passes").as_array().size(), 1u);
    EXPECT_EQ(json("/v1/limits").at("admins").as_array().size(), 2u);
}

TEST_F(ControlApiTest, MailboxesArePagedAndFiltered) {
    for (int i = 0; i < 5; ++i) engine.rows.push_back(running_mailbox(i));
    engine.rows[3].state = store::PassState::failed;
    auto const page = json("/v1/mailboxes?offset=1&limit=2");
    EXPECT_EQ(page.at("mailboxes").as_array().size(), 2u);
    EXPECT_EQ(page.at("mailboxes").at(0).at("source").as_string(), "user1@fabrikam.example");
    EXPECT_TRUE(page.at("more").as_bool());
    EXPECT_FALSE(json("/v1/mailboxes?offset=3&limit=2").at("more").as_bool());
    auto const failed = json("/v1/mailboxes?state=failed");
    EXPECT_EQ(failed.at("mailboxes").as_array().size(), 1u);
}

TEST_F(ControlApiTest, MailboxIsFoundByItsEncodedAddress) {
    engine.rows.push_back(running_mailbox(1));
    engine.rows[0].source = "a/b c@fabrikam.example";
    auto const found = json("/v1/mailbox/" + encode_segment("a/b c@fabrikam.example"));
    EXPECT_EQ(found.at("mailboxes").as_array().size(), 1u);
    json("/v1/mailbox/nobody@fabrikam.example", 404);
}

struct WrongCase {
    std::string_view method, target;
    unsigned status;
};

TEST_F(ControlApiTest, WrongRequestsAreNamedWithACure) {
    constexpr WrongCase cases[] = {
        {"GET", "/", 404},
        {"GET", "/v2/status", 404},
        {"GET", "v1/status", 400},
        {"GET", "/v1/status%", 400},
        {"GET", "/v1/status?x=1", 400},
        {"POST", "/v1/status", 405},
        {"GET", "/v1/retry", 405},
        {"HEAD", "/v1/status", 405},
        {"GET", "/v1/mailboxes?state=lost", 400},
        {"GET", "/v1/mailboxes?limit=1001", 400},
        {"GET", "/v1/mailboxes?offset=-1", 400},
        {"GET", "/v1/mailboxes?limit=1&limit=2", 400},
        {"GET", "/v1/items", 400},
        {"GET", "/v1/report?format=pdf", 400},
        {"POST", "/v1/passes/first/explode", 404},
        {"POST", "/v1/passes/other/start", 409},
        {"POST", "/v1/passes/a%00b/start", 400},
    };
    for (auto const& c : cases) {
        SCOPED_TRACE(testing::Message() << c.method << " " << c.target);
        auto const response = call(std::string(c.method), std::string(c.target));
        EXPECT_EQ(response.status, c.status);
        auto const error = boost::json::parse(response.body).at("error");
        EXPECT_FALSE(error.at("message").as_string().empty());
        EXPECT_FALSE(error.at("cure").as_string().empty());
    }
    EXPECT_THAT(engine.told, IsEmpty());
}

TEST_F(ControlApiTest, CommandsReachTheEngine) {
    for (auto const* const target :
         {"/v1/passes/first/start", "/v1/passes/first/pause", "/v1/passes/first/resume",
          "/v1/passes/first/cancel", "/v1/retry", "/v1/reload", "/v1/shutdown"})
        EXPECT_EQ(call("POST", target).status, 200u) << target;
    EXPECT_THAT(engine.told, ElementsAre("start first", "pause first", "resume first",
                                         "cancel first", "retry", "reload", "shutdown"));
}

TEST_F(ControlApiTest, ViewersMayLookAndNotAct) {
    for (auto const& route : ControlApi::routes()) {
        auto const target = route.path == "/v1/mailbox/{address}"         ? "/v1/mailbox/a"
                            : route.path == "/v1/passes/{name}/{command}" ? "/v1/passes/first/start"
                            : route.path == "/v1/items"                   ? "/v1/items?failed=1"
                                                                          : route.path;
        SCOPED_TRACE(target);
        auto const method = std::string(route.method);
        EXPECT_EQ(call(method, std::string(target), Access::none).status, 403u);
        EXPECT_EQ(call(method, std::string(target), Access::view).status == 403, method == "POST");
    }
    EXPECT_THAT(engine.told, IsEmpty());
}

TEST_F(ControlApiTest, RefusedReloadListsTheProblems) {
    engine.problems = {{"m.toml", 3, "unknown key", false}, {"m.csv", 9, "blank trimmed", true}};
    auto const response = call("POST", "/v1/reload");
    EXPECT_EQ(response.status, 422u);
    auto const body = boost::json::parse(response.body);
    EXPECT_FALSE(body.at("reloaded").as_bool());
    EXPECT_EQ(body.at("problems").as_array().size(), 2u);
    engine.problems.erase(engine.problems.begin());
    EXPECT_EQ(call("POST", "/v1/reload").status, 200u);
}

TEST_F(ControlApiTest, ReportComesInEachFormWithItsExitStatus) {
    report.exit_status = 1;
    EXPECT_EQ(call("GET", "/v1/report").content_type, "application/json");
    EXPECT_EQ(call("GET", "/v1/report?format=csv").content_type, "text/csv; charset=utf-8");
    EXPECT_THAT(call("GET", "/v1/report?format=html").body, HasSubstr("<!DOCTYPE html>"));
    EXPECT_EQ(call("GET", "/v1/report?format=text").exit_status, 1);
}

TEST_F(ControlApiTest, FailedItemsCarryReasonAndNextStep) {
    store::FailedItem failed;
    failed.source_mailbox = "a@fabrikam.example";
    failed.folder_path = "INBOX";
    failed.item.number = 7;
    failed.item.reason = "item_refused";
    engine.failed = {failed, failed};
    auto const items = json("/v1/items?failed=1&limit=1");
    EXPECT_TRUE(items.at("more").as_bool());
    EXPECT_EQ(items.at("items").at(0).at("item").to_number<int>(), 7);
    EXPECT_FALSE(items.at("items").at(0).at("next_step").as_string().empty());
}

// Goal: the document names exactly the routes that there are.
TEST_F(ControlApiTest, DocumentListsEveryRoute) {
    std::ifstream file(MAILFERRY_DOCS_FOLDER "/openapi.yaml");
    std::set<std::string> documented;
    std::string path;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("  /v1/")) path = line.substr(2, line.size() - 3);
        if (line == "    get:") documented.insert("GET " + path);
        if (line == "    post:") documented.insert("POST " + path);
    }
    std::set<std::string> known;
    for (auto const& route : ControlApi::routes())
        known.insert(std::string(route.method) + " " + std::string(route.path));
    EXPECT_EQ(documented, known);
}

}  // namespace
}  // namespace mailferry::daemon
