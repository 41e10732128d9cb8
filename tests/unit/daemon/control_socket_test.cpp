#include "daemon/control_socket.hpp"

#include "daemon/cli/client.hpp"
#include "fake_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace mailferry::daemon {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Protocol = asio::local::stream_protocol;

class ControlSocketTest : public testing::Test {
protected:
    ControlSocketTest() {
        std::string pattern = testing::TempDir() + "mailferry-XXXXXX";
        folder = ::mkdtemp(pattern.data());
        options.path = folder / "control.sock";
        // Groups of the test machine must not decide.
        options.admin_group = options.view_group = "no such group";
    }
    ~ControlSocketTest() override {
        stop();
        std::filesystem::remove_all(folder);
    }

    void start() {
        auto opened = ControlSocket::open(
            context.get_executor(), options,
            [this](ControlRequest request) { return handle(std::move(request)); });
        ASSERT_TRUE(opened) << opened.error().describe();
        server = std::move(*opened);
        asio::co_spawn(context, server->run(), asio::detached);
        loop = std::thread([this] { context.run(); });
    }
    void stop() {
        if (!loop.joinable()) return;
        asio::post(context, [this] { server->stop(); });
        loop.join();
        server.reset();
    }
    awaitable<ControlResponse> handle(ControlRequest request) {
        if (request.target == "/large") {
            ControlResponse response;
            response.body = std::string(8 << 20, 'x');
            co_return response;
        }
        auto api_response = co_await api.handle(std::move(request));
        co_return api_response;
    }
    Result<cli::Reply> ask(std::string_view method, std::string_view target) {
        return cli::SocketClient(options.path, 10s).request(method, target);
    }
    /// Sends raw bytes and reads until the server closes.
    std::string exchange(std::string_view bytes) {
        asio::io_context own;
        Protocol::socket socket(own);
        socket.connect(Protocol::endpoint(options.path.string()));
        boost::system::error_code error;
        asio::write(socket, asio::buffer(bytes.data(), bytes.size()), error);
        std::string reply;
        asio::read(socket, asio::dynamic_buffer(reply), error);
        return reply;
    }

    std::filesystem::path folder;
    ControlSocketOptions options;
    asio::io_context context{1};
    FakeEngine engine;
    ControlApi api{engine, []() -> awaitable<Result<Report>> { co_return Report{}; }};
    std::unique_ptr<ControlSocket> server;
    std::thread loop;
};

TEST_F(ControlSocketTest, ServesTheApi) {
    engine.shown = busy_status();
    start();
    auto const reply = ask("GET", "/v1/status");
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_EQ(reply->status, 200u);
    EXPECT_THAT(reply->body, HasSubstr("\"state\":\"running\""));
    auto const done = ask("POST", "/v1/passes/first/pause");
    ASSERT_TRUE(done);
    EXPECT_EQ(done->status, 200u);
    EXPECT_THAT(engine.told, testing::ElementsAre("pause first"));
    auto const report = ask("GET", "/v1/report");
    ASSERT_TRUE(report);
    EXPECT_EQ(report->exit_status, 0);
}

TEST_F(ControlSocketTest, KeepsTheConnectionForFurtherRequests) {
    start();
    auto const reply = exchange(
        "GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/passes HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /v1/limits HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    std::size_t answers = 0;
    for (std::size_t at = 0; (at = reply.find("HTTP/1.1 200", at)) != reply.npos; ++at) ++answers;
    EXPECT_EQ(answers, 3u) << reply;
}

TEST_F(ControlSocketTest, FileHasModeAndGoesAtTheEnd) {
    start();
    struct stat file {};
    ASSERT_EQ(::lstat(options.path.c_str(), &file), 0);
    EXPECT_TRUE(S_ISSOCK(file.st_mode));
    EXPECT_EQ(file.st_mode & 0777, 0660u);
    stop();
    EXPECT_FALSE(std::filesystem::exists(options.path));
}

TEST_F(ControlSocketTest, ReplacesAStaleSocketAndRefusesALiveOne) {
    {
        asio::io_context own;
        Protocol::acceptor dead(own, Protocol::endpoint(options.path.string()));
    }
    ASSERT_TRUE(std::filesystem::exists(options.path));
    start();
    asio::io_context own;
    auto const second = ControlSocket::open(own.get_executor(), options, nullptr);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::invalid_config);
    EXPECT_THAT(second.error().context, HasSubstr("another mailferryd"));
    EXPECT_TRUE(ask("GET", "/v1/status"));
}

TEST_F(ControlSocketTest, RefusesWhatItCannotUse) {
    std::ofstream(options.path) << "precious";
    asio::io_context own;
    auto const file = ControlSocket::open(own.get_executor(), options, nullptr);
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().context, HasSubstr("no socket"));
    EXPECT_TRUE(std::filesystem::exists(options.path));
    options.path = folder / "missing" / "control.sock";
    EXPECT_FALSE(ControlSocket::open(own.get_executor(), options, nullptr));
    options.path = folder / std::string(200, 'x');
    auto const long_path = ControlSocket::open(own.get_executor(), options, nullptr);
    ASSERT_FALSE(long_path);
    EXPECT_THAT(long_path.error().context, HasSubstr("107"));
}

TEST_F(ControlSocketTest, LargeRequestsAreRefused) {
    start();
    auto const header = exchange("GET /" + std::string(200'000, 'a') + " HTTP/1.1\r\n\r\n");
    EXPECT_THAT(header, HasSubstr("413"));
    auto const body =
        exchange("POST /v1/retry HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" +
                 std::string(1'000'000, 'a'));
    EXPECT_THAT(body, HasSubstr("413"));
    EXPECT_THAT(exchange("\x16\x03\x01 no http\r\n\r\n"), HasSubstr("400"));
    EXPECT_TRUE(ask("GET", "/v1/status"));
}

// Goal: clients that send a byte now and then, or read nothing, cost their own connection only.
TEST_F(ControlSocketTest, SlowClientsHurtNobody) {
    options.request_deadline = 300ms;
    options.response_deadline = 300ms;
    start();
    asio::io_context own;
    std::vector<Protocol::socket> slow;
    for (int i = 0; i < 15; ++i) {
        slow.emplace_back(own).connect(Protocol::endpoint(options.path.string()));
        auto const bytes = i % 2 == 0 ? std::string_view("GET /v1/sta")
                                      : std::string_view("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        asio::write(slow.back(), asio::buffer(bytes.data(), bytes.size()));
    }
    auto const before = std::chrono::steady_clock::now();
    EXPECT_TRUE(ask("GET", "/v1/status"));
    EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
    // Each is cut off in the end; half a request gets no answer.
    for (std::size_t i = 0; i < slow.size(); ++i) {
        std::string reply;
        boost::system::error_code error;
        asio::read(slow[i], asio::dynamic_buffer(reply), error);
        EXPECT_TRUE(error);
        EXPECT_EQ(reply.empty(), i % 2 == 0) << reply.substr(0, 200);
    }
}

TEST_F(ControlSocketTest, AFullHouseIsSaidAtOnce) {
    options.clients_max = 2;
    options.places_kept_for_admins = 0;
    start();
    asio::io_context own;
    std::vector<Protocol::socket> idle;
    for (int i = 0; i < 2; ++i) {
        idle.emplace_back(own).connect(Protocol::endpoint(options.path.string()));
        // An answer shows that this client has been let in.
        std::string_view const bytes = "GET /v1/limits HTTP/1.1\r\nHost: a\r\n\r\n";
        asio::write(idle.back(), asio::buffer(bytes.data(), bytes.size()));
        char first = 0;
        asio::read(idle.back(), asio::buffer(&first, 1));
    }
    EXPECT_THAT(exchange(""), HasSubstr("HTTP/1.1 503"));
}

TEST_F(ControlSocketTest, StopCutsIdleClientsOffAndEnds) {
    start();
    asio::io_context own;
    Protocol::socket idle(own);
    idle.connect(Protocol::endpoint(options.path.string()));
    EXPECT_TRUE(ask("GET", "/v1/status"));
    auto const before = std::chrono::steady_clock::now();
    stop();
    EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
}

struct PeerCase {
    std::string_view name;
    PeerIdentity peer;
    ControlGroups groups;
    Access access;
};

TEST(ControlAccessTest, FollowsUserAndGroups) {
    PeerCase const cases[] = {
        {"root", {0, 1, {0}}, {}, Access::act},
        {"own_user", {999, 1, {999}}, {}, Access::act},
        {"stranger", {1'000, 1, {1'000}}, {50, 60}, Access::none},
        {"stranger_without_groups", {1'000, 1, {1'000}}, {}, Access::none},
        {"admin_by_supplementary_group", {1'000, 1, {1'000, 50}}, {50, 60}, Access::act},
        {"viewer", {1'000, 1, {1'000, 60}}, {50, 60}, Access::view},
        {"both", {1'000, 1, {60, 50}}, {50, 60}, Access::act},
        {"root_group_is_nothing", {1'000, 1, {0}}, {}, Access::none},
    };
    for (auto const& c : cases) EXPECT_EQ(access_of(c.peer, 999, c.groups), c.access) << c.name;
}

}  // namespace
}  // namespace mailferry::daemon
