#include "transport/stream/tcp_tls.hpp"

#include "tests/support/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>
#include <fstream>

namespace mailferry::transport {
namespace {

namespace ssl = asio::ssl;
using asio::ip::tcp;
using testing::HasSubstr;

TestCertificate certificate_for(char const* names, long from_s, long to_s) {
    return make_certificate(make_elliptic_key(), names, from_s, to_s);
}

class TcpTlsTest : public testing::Test {
protected:
    TcpTlsTest() : acceptor_(context_, {asio::ip::address_v4::loopback(), 0}) {
        options_.host = "localhost";
        options_.port = acceptor_.local_endpoint().port();
        options_.connect_limit = std::chrono::milliseconds(5'000);
        options_.idle_limit = std::chrono::milliseconds(60'000);
    }
    ~TcpTlsTest() override {
        if (!ca_file_.empty()) std::filesystem::remove(ca_file_);
    }

    void run(std::function<awaitable<void>()> body) {
        bool done = false;
        asio::co_spawn(context_, body(), [&](std::exception_ptr e) {
            done = true;
            context_.stop();
            if (e) std::rethrow_exception(e);
        });
        context_.run_for(std::chrono::seconds(20));
        EXPECT_TRUE(done);
    }

    void trust(std::string const& certificate) {
        ca_file_ = std::filesystem::temp_directory_path() /
                   ("mailferry-tls-" + std::to_string(::getpid()) + ".pem");
        std::ofstream(ca_file_) << certificate;
        auto context = TlsContext::make(ca_file_);
        ASSERT_TRUE(context.has_value());
        options_.tls = *context;
    }

    /// Accepts once, speaks TLS and echoes one byte.
    void serve(TestCertificate pair, int version_max = TLS1_3_VERSION) {
        asio::co_spawn(
            context_,
            [this, pair, version_max]() -> awaitable<void> {
                ssl::context server(ssl::context::tls_server);
                server.use_certificate(asio::buffer(pair.certificate), ssl::context::pem);
                server.use_private_key(asio::buffer(pair.key), ssl::context::pem);
                SSL_CTX_set_max_proto_version(server.native_handle(), version_max);
                SSL_CTX_set_min_proto_version(server.native_handle(), TLS1_VERSION);
                ssl::stream<tcp::socket> stream(
                    co_await acceptor_.async_accept(asio::use_awaitable), server);
                co_await stream.async_handshake(ssl::stream_base::server, asio::use_awaitable);
                char byte = 0;
                co_await asio::async_read(stream, asio::buffer(&byte, 1), asio::use_awaitable);
                co_await asio::async_write(stream, asio::buffer(&byte, 1), asio::use_awaitable);
            },
            asio::detached);
    }

    /// "ok" if a byte came back, else the error.
    std::string outcome() {
        std::string text;
        run([&]() -> awaitable<void> {
            auto stream = co_await connect_stream(options_, config::Tls::implicit);
            if (!stream) {
                text = stream.error().describe();
                co_return;
            }
            static_cast<void>(co_await (*stream)->write_all(bytes_of("x")));
            std::array<std::byte, 8> buffer;
            auto const read = co_await (*stream)->read_some(buffer);
            text = read && *read == 1 ? "ok" : "no echo";
        });
        return text;
    }

    asio::io_context context_{1};
    tcp::acceptor acceptor_;
    StreamOptions options_;
    std::filesystem::path ca_file_;
};

constexpr auto here = "DNS:localhost,IP:127.0.0.1";

TEST_F(TcpTlsTest, ATrustedCertificateOfThisHost) {
    auto const pair = certificate_for(here, -60, 3'600);
    trust(pair.certificate);
    serve(pair);
    EXPECT_EQ(outcome(), "ok");
}

TEST_F(TcpTlsTest, AnAddressIsComparedWithTheCertificatesAddresses) {
    auto const pair = certificate_for(here, -60, 3'600);
    trust(pair.certificate);
    options_.host = "127.0.0.1";
    serve(pair);
    EXPECT_EQ(outcome(), "ok");
}

TEST_F(TcpTlsTest, ASelfSignedOneIsRefusedWithTheCure) {
    trust(certificate_for(here, -60, 3'600).certificate);
    serve(certificate_for(here, -60, 3'600));
    auto const text = outcome();
    EXPECT_THAT(text, HasSubstr("tls_failed"));
    EXPECT_THAT(text, HasSubstr("self-signed certificate"));
    EXPECT_THAT(text, HasSubstr("ca_file"));
}

TEST_F(TcpTlsTest, AnotherHostsCertificateNamesThatHost) {
    auto const pair = certificate_for("DNS:elsewhere.example", -60, 3'600);
    trust(pair.certificate);
    serve(pair);
    auto const text = outcome();
    EXPECT_THAT(text, HasSubstr("tls_failed"));
    EXPECT_THAT(text, HasSubstr("hostname mismatch: the certificate is for elsewhere.example"));
}

TEST_F(TcpTlsTest, AnExpiredCertificateSaysSo) {
    auto const pair = certificate_for(here, -7'200, -3'600);
    trust(pair.certificate);
    serve(pair);
    EXPECT_THAT(outcome(), HasSubstr("certificate has expired"));
}

TEST_F(TcpTlsTest, OldVersionsAreRefused) {
    auto const pair = certificate_for(here, -60, 3'600);
    trust(pair.certificate);
    serve(pair, TLS1_1_VERSION);
    EXPECT_THAT(outcome(), HasSubstr("tls_failed"));
}

TEST_F(TcpTlsTest, APlainTextPortIsRecognised) {
    trust(certificate_for(here, -60, 3'600).certificate);
    asio::co_spawn(
        context_,
        [this]() -> awaitable<void> {
            auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
            std::string const hello = "* OK IMAP4rev1 ready\r\n";
            co_await asio::async_write(socket, asio::buffer(hello), asio::use_awaitable);
            char byte = 0;
            for (boost::system::error_code error; !error;)
                co_await socket.async_read_some(asio::buffer(&byte, 1),
                                                asio::redirect_error(asio::use_awaitable, error));
        },
        asio::detached);
    EXPECT_THAT(outcome(), HasSubstr("doesn't speak TLS here"));
}

TEST_F(TcpTlsTest, AClosedPortIsUnreachableByName) {
    acceptor_.close();
    run([&]() -> awaitable<void> {
        auto const stream = co_await connect_stream(options_, config::Tls::none);
        EXPECT_EQ(stream.error().code, Errc::unreachable);
        EXPECT_THAT(stream.error().context,
                    HasSubstr("localhost:" + std::to_string(options_.port)));
    });
}

TEST_F(TcpTlsTest, AnUnreadableCaFileIsAConfigurationError) {
    auto const context = TlsContext::make("/nowhere/ca.pem");
    EXPECT_EQ(context.error().code, Errc::invalid_config);
}

// Goal: silence ends a watched stream, and only a watched one. Method: the peer accepts and never
// says anything; the kernel does so without a server.
TEST_F(TcpTlsTest, SilenceEndsWhatIsWatched) {
    options_.idle_limit = std::chrono::milliseconds(30);
    run([&]() -> awaitable<void> {
        auto const stream = co_await connect_stream(options_, config::Tls::none);
        asio::steady_timer pause(context_, std::chrono::milliseconds(60));
        co_await pause.async_wait(asio::use_awaitable);
        EXPECT_TRUE((co_await (*stream)->write_all(bytes_of("x"))).has_value());
        (*stream)->watch_idle(true);
        std::array<std::byte, 8> buffer;
        auto const read = co_await (*stream)->read_some(buffer);
        EXPECT_EQ(read.error().code, Errc::timed_out);
    });
}

TEST_F(TcpTlsTest, AHandshakeThatHangsIsTimedOut) {
    trust(certificate_for(here, -60, 3'600).certificate);
    options_.connect_limit = std::chrono::milliseconds(50);
    EXPECT_THAT(outcome(), HasSubstr("timed_out"));
}

TEST_F(TcpTlsTest, CutWakesTheReader) {
    run([&]() -> awaitable<void> {
        auto const stream = co_await connect_stream(options_, config::Tls::none);
        asio::post(context_, [&] { (*stream)->cut(); });
        std::array<std::byte, 8> buffer;
        auto const read = co_await (*stream)->read_some(buffer);
        EXPECT_EQ(read.error().code, Errc::connection_lost);
    });
}

}  // namespace
}  // namespace mailferry::transport
