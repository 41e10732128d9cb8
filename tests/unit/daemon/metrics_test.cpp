#include "daemon/metrics.hpp"

#include "daemon/metrics_server.hpp"
#include "fake_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

namespace mailferry::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MetricsTest, TextHasTheEnginesFigures) {
    Metrics metrics;
    metrics.update(busy_status());
    auto const text = metrics.text();
    for (auto const* const line :
         {"# TYPE mailferry_items_stored_total counter\nmailferry_items_stored_total 1600\n",
          "mailferry_items_failed_total 2\n", "mailferry_stored_bytes_total 16777216\n",
          "# HELP mailferry_spool_allocated_bytes Disk space that spool segments take.\n",
          "mailferry_spool_allocated_bytes 67108864\n",
          "mailferry_sessions{admin=\"migrate1\",tenant=\"fabrikam\"} 4\n",
          "mailferry_sessions_ceiling{admin=\"migrate2\",tenant=\"fabrikam\"} 0\n",
          "mailferry_mailboxes{migration=\"merger\",pass=\"first\",state=\"waiting\"} 43\n",
          "mailferry_mailboxes{migration=\"merger\",pass=\"first\",state=\"done\"} 12\n",
          "mailferry_engine_state{state=\"running\"} 1\n",
          "mailferry_engine_state{state=\"idle\"} 0\n"})
        EXPECT_THAT(text, HasSubstr(line));
}

TEST(MetricsTest, CountersNeverFallAndGaugesOfRemovedAdminsGo) {
    Metrics metrics;
    auto status = busy_status();
    metrics.update(status);
    status.totals.items_stored = 1'000;
    status.admins.pop_back();
    metrics.update(status);
    EXPECT_THAT(metrics.text(), HasSubstr("mailferry_items_stored_total 1600\n"));
    EXPECT_THAT(metrics.text(), Not(HasSubstr("migrate2")));
}

TEST(MetricsTest, HostileNamesStayWithinTheirLabel) {
    Metrics metrics;
    auto status = busy_status();
    status.admins[0].admin = "a\"} 1\nforged_total 7\n\xff";
    metrics.update(status);
    EXPECT_THAT(metrics.text(), Not(HasSubstr("\nforged_total")));
}

// Goal: docs/metrics.md says of each metric what the program says of it.
TEST(MetricsTest, DocumentListsEveryMetric) {
    std::ifstream file(MAILFERRY_DOCS_FOLDER "/metrics.md");
    std::ostringstream document;
    document << file.rdbuf();
    auto const text = document.str();
    std::size_t rows = 0;
    for (std::size_t at = 0; (at = text.find("\n| `mailferry_", at)) != text.npos; ++at) ++rows;
    EXPECT_EQ(rows, metric_infos().size());
    for (auto const& info : metric_infos()) {
        std::ostringstream row;
        row << "| `" << info.name << "` | " << info.type << " | " << info.labels << " | "
            << info.help << " |\n";
        EXPECT_THAT(text, HasSubstr(row.str()));
    }
}

class MetricsServerTest : public testing::Test {
protected:
    std::string exchange(std::uint16_t port, std::string_view request) {
        asio::io_context client_context;
        asio::ip::tcp::socket socket(client_context);
        socket.connect({asio::ip::address_v4::loopback(), port});
        asio::write(socket, asio::buffer(request.data(), request.size()));
        std::string reply;
        boost::system::error_code ended;
        asio::read(socket, asio::dynamic_buffer(reply), ended);
        return reply;
    }
};

TEST_F(MetricsServerTest, AnswersMetricsAndNothingElse) {
    asio::io_context context;
    auto server = MetricsServer::open(context.get_executor(), "127.0.0.1:0",
                                      [] { return std::string("one 1\n"); });
    ASSERT_TRUE(server) << server.error().describe();
    asio::co_spawn(context, (*server)->run(), asio::detached);
    std::thread loop([&] { context.run(); });
    auto const port = (*server)->port();
    EXPECT_THAT(exchange(port, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"),
                testing::AllOf(HasSubstr("HTTP/1.1 200"), HasSubstr("version=0.0.4"),
                               HasSubstr("\r\n\r\none 1\n")));
    EXPECT_THAT(exchange(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HasSubstr("HTTP/1.1 404"));
    EXPECT_THAT(exchange(port, "DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n"),
                HasSubstr("HTTP/1.1 405"));
    EXPECT_EQ(exchange(port, "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n"), "");
    asio::post(context, [&] { (*server)->stop(); });
    loop.join();
}

TEST(MetricsListenTest, WrongAddressesAreNamedWithACure) {
    asio::io_context context;
    for (auto const* const listen :
         {"", "9464", ":9464", "127.0.0.1:", "127.0.0.1:99999", "no.such.name:1", "127.0.0.1:1x"}) {
        auto const server =
            MetricsServer::open(context.get_executor(), listen, [] { return std::string(); });
        ASSERT_FALSE(server) << listen;
        EXPECT_EQ(server.error().code, Errc::invalid_config);
        EXPECT_THAT(server.error().context, HasSubstr("metrics_listen"));
    }
}

}  // namespace
}  // namespace mailferry::daemon
