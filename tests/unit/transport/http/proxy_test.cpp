#include "transport/http/bodies.hpp"
#include "transport/http/client.hpp"

#include "tests/support/certificates.hpp"
#include "tests/unit/transport/http/fake_origin.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <gmock/gmock.h>

#include <unistd.h>
#include <filesystem>
#include <fstream>

namespace mailferry::http {
namespace {

namespace ssl = asio::ssl;
using asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;

/// A proxy that answers CONNECT with `answer` and, after a good one, plays the origin itself.
class ProxyTest : public testing::Test {
protected:
    ProxyTest() : acceptor_(context_, {asio::ip::address_v4::loopback(), 0}) {
        certificate_ = make_certificate(make_elliptic_key(), "DNS:origin.example");
        ca_file_ = std::filesystem::temp_directory_path() /
                   ("mailferry-proxy-" + std::to_string(::getpid()) + ".pem");
        std::ofstream(ca_file_) << certificate_.certificate;
        settings_.tls = *transport::TlsContext::make(ca_file_);
        settings_.hosts = {"origin.example", "127.0.0.1"};
        settings_.connect_limit = std::chrono::milliseconds(5'000);
        settings_.proxy = Proxy{"127.0.0.1", acceptor_.local_endpoint().port(), nullptr};
    }
    ~ProxyTest() override { std::filesystem::remove(ca_file_); }

    template <class Peer>
    awaitable<void> play_origin(Peer& peer) {
        std::string request;
        co_await asio::async_read_until(peer, asio::dynamic_buffer(request), "\r\n\r\n",
                                        asio::use_awaitable);
        request_ = request;
        auto const reply = test::ok("{}");
        co_await asio::async_write(peer, asio::buffer(reply), asio::use_awaitable);
        co_await asio::async_read_until(peer, asio::dynamic_buffer(request), "never",
                                        asio::use_awaitable);
    }
    awaitable<void> play(std::string answer) {
        auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
        co_await asio::async_read_until(socket, asio::dynamic_buffer(connect_), "\r\n\r\n",
                                        asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
        ssl::context server(ssl::context::tls_server);
        server.use_certificate(asio::buffer(certificate_.certificate), ssl::context::pem);
        server.use_private_key(asio::buffer(certificate_.key), ssl::context::pem);
        ssl::stream<tcp::socket> stream(std::move(socket), server);
        co_await stream.async_handshake(ssl::stream_base::server, asio::use_awaitable);
        co_await play_origin(stream);
    }

    std::string outcome(std::string answer, std::string url = "https://origin.example/x?hidden") {
        if (!answer.empty()) asio::co_spawn(context_, play(std::move(answer)), asio::detached);
        std::string text;
        asio::co_spawn(
            context_,
            [&]() -> awaitable<void> {
                Client client(context_.get_executor(), settings_);
                Request request;
                request.url = *parse_url(url);
                request.bearer = std::make_shared<Secret const>("hidden");
                TextSink sink(100);
                auto const head = co_await client.send(std::move(request), sink);
                text =
                    head ? std::to_string(head->status) + " " + sink.text : head.error().describe();
                context_.stop();
            },
            asio::detached);
        context_.run_for(std::chrono::seconds(10));
        EXPECT_THAT(text, Not(HasSubstr("hidden")));
        return text;
    }

    asio::io_context context_{1};
    tcp::acceptor acceptor_;
    TestCertificate certificate_;
    std::filesystem::path ca_file_;
    ClientSettings settings_;
    std::string connect_, request_;
};

TEST_F(ProxyTest, TlsGoesThroughToTheOrigin) {
    settings_.proxy->credential = std::make_shared<Secret const>("user:password");
    EXPECT_EQ(outcome("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"), "200 {}");
    EXPECT_EQ(connect_,
              "CONNECT origin.example:443 HTTP/1.1\r\nHost: origin.example:443\r\n"
              "Proxy-Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n\r\n");
    EXPECT_THAT(request_, HasSubstr("GET /x?hidden HTTP/1.1\r\nHost: origin.example\r\n"));
    EXPECT_THAT(request_, HasSubstr("Authorization: Bearer hidden"));
}

TEST_F(ProxyTest, TheOriginsNameIsCheckedAndNotTheProxys) {
    EXPECT_THAT(outcome("HTTP/1.1 200 OK\r\n\r\n", "https://127.0.0.1:9/"),
                HasSubstr("tls_failed"));
}

TEST_F(ProxyTest, ARefusalNamesTheProxy) {
    auto const text = outcome("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    EXPECT_THAT(text, HasSubstr("unreachable"));
    EXPECT_THAT(text, HasSubstr("proxy 127.0.0.1:"));
    EXPECT_THAT(text, HasSubstr("502"));
}

TEST_F(ProxyTest, AMissingCredentialIsAConfigurationError) {
    auto const text = outcome("HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n\r\n");
    EXPECT_THAT(text, HasSubstr("invalid_config"));
    EXPECT_THAT(text, HasSubstr("it wants a credential"));
}

TEST_F(ProxyTest, NobodySpeaksBeforeTheHandshake) {
    EXPECT_THAT(outcome("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
                HasSubstr("the proxy speaks before the origin"));
}

TEST_F(ProxyTest, NoProxyIsThere) {
    acceptor_.close();
    auto const text = outcome("");
    EXPECT_THAT(text, HasSubstr("unreachable"));
    EXPECT_THAT(text, HasSubstr("proxy 127.0.0.1:"));
}

// Without a proxy, as most tenants have it, and in plain text towards loopback.
TEST_F(ProxyTest, DirectlyToo) {
    settings_.plain_loopback = true;
    asio::co_spawn(
        context_,
        [this]() -> awaitable<void> {
            auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
            co_await play_origin(socket);
        },
        asio::detached);
    auto const port = std::to_string(acceptor_.local_endpoint().port());
    EXPECT_EQ(outcome("", "http://127.0.0.1:" + port + "/"), "200 {}");
    EXPECT_THAT(request_, HasSubstr("Host: 127.0.0.1:" + port + "\r\n"));
}

}  // namespace
}  // namespace mailferry::http
