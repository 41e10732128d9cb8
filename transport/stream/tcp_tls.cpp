#include "transport/stream/tcp_tls.hpp"

#include "async/event.hpp"
#include "config/base/assert.hpp"
#include "transport/stream/dial.hpp"
#include "transport/stream/idle_watch.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <optional>

namespace mailferry::transport {

namespace ssl = asio::ssl;
using asio::ip::tcp;
using steady = std::chrono::steady_clock;

struct TlsContext::Impl {
    ssl::context context{ssl::context::tls_client};
};

TlsContext::TlsContext(std::unique_ptr<Impl> impl, std::filesystem::path ca_file)
    : impl_(std::move(impl)), ca_file_(std::move(ca_file)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext const>> TlsContext::make(std::filesystem::path const& ca_file) {
    auto impl = std::make_unique<Impl>();
    auto* const native = impl->context.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    // TLS 1.3 has AEAD suites only; this line is about 1.2.
    SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20");
    impl->context.set_verify_mode(ssl::verify_peer);
    boost::system::error_code error;
    if (ca_file.empty()) {
        impl->context.set_default_verify_paths(error);
    } else {
        impl->context.load_verify_file(ca_file.string(), error);
    }
    if (error)
        return Error{Errc::invalid_config,
                     "ca_file " + ca_file.string() +
                         ": no PEM certificate can be read from it: " + error.message()};
    return std::shared_ptr<TlsContext const>(new TlsContext(std::move(impl), ca_file));
}

namespace {

/// The names a certificate is for, for people: at most five, "a.example, b.example".
std::string names_of(X509* certificate) {
    std::string text;
    auto* const names = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    int listed = 0;
    for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names) && listed < 5; ++i) {
        auto const* const name = sk_GENERAL_NAME_value(names, i);
        std::string one;
        if (name->type == GEN_DNS) {
            one.assign(reinterpret_cast<char const*>(ASN1_STRING_get0_data(name->d.dNSName)),
                       static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
        } else if (name->type == GEN_IPADD) {
            auto const* const bytes = ASN1_STRING_get0_data(name->d.iPAddress);
            auto const length = ASN1_STRING_length(name->d.iPAddress);
            if (length == 4)
                one = asio::ip::make_address_v4(
                          *reinterpret_cast<asio::ip::address_v4::bytes_type const*>(bytes))
                          .to_string();
            else if (length == 16)
                one = asio::ip::make_address_v6(
                          *reinterpret_cast<asio::ip::address_v6::bytes_type const*>(bytes))
                          .to_string();
        }
        if (one.empty()) continue;
        if (++listed > 1) text += ", ";
        text += escape_untrusted(one, 100);
    }
    GENERAL_NAMES_free(names);
    return text.empty() ? "no host at all" : text;
}

/// What the verifier found first; filled by its callback.
struct Verdict {
    int code = X509_V_OK;
    std::string names;
};

std::string describe(Verdict const& verdict, StreamOptions const& options) {
    auto const store = options.tls->ca_file().empty()
                           ? std::string("the system's store")
                           : "ca_file " + options.tls->ca_file().string();
    auto const trust_cure =
        "; if this server is yours, name its CA (or this certificate) in ca_file";
    switch (verdict.code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "hostname mismatch: the certificate is for " + verdict.names + ", not for " +
               options.host + "; use one of these names as host, or renew the certificate";
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "the server's certificate has expired; it has to be renewed at the server";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "the server's certificate is not yet valid; check both clocks";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "self-signed certificate that " + store + " doesn't hold" + trust_cure;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "the certificate's issuer is unknown to " + store + trust_cure;
    default: return X509_verify_cert_error_string(verdict.code);
    }
}

class TcpTlsStream final : public Stream {
public:
    TcpTlsStream(tcp::socket socket, StreamOptions options)
        : socket_(std::move(socket)),
          options_(std::move(options)),
          watch_(socket_.get_executor(), options_.idle_limit, [this] {
              timed_out_ = true;
              close_socket();
          }) {}

    awaitable<Result<std::size_t>> read_some(std::span<std::byte> buffer) override {
        auto const into = asio::buffer(buffer.data(), buffer.size());
        boost::system::error_code error;
        std::size_t count = 0;
        if (tls_)
            count = co_await tls_->async_read_some(
                into, asio::redirect_error(asio::use_awaitable, error));
        else
            count = co_await socket_.async_read_some(
                into, asio::redirect_error(asio::use_awaitable, error));
        watch_.touch();
        if (quick_ack_) set_quick_ack();
        if (count > 0) co_return count;
        // Many servers close the socket without a close_notify. What was announced by length is
        // counted exactly above us, so an early end can't pass for a whole answer.
        if (error == asio::error::eof || error == ssl::error::stream_truncated)
            co_return std::size_t{0};
        co_return failure(error, "reading");
    }

    awaitable<Result<void>> write_all(std::span<std::byte const> bytes) override {
        while (!bytes.empty()) {
            auto const from = asio::buffer(bytes.data(), bytes.size());
            boost::system::error_code error;
            std::size_t count = 0;
            if (tls_)
                count = co_await tls_->async_write_some(
                    from, asio::redirect_error(asio::use_awaitable, error));
            else
                count = co_await socket_.async_write_some(
                    from, asio::redirect_error(asio::use_awaitable, error));
            watch_.touch();
            if (error) co_return failure(error, "writing");
            bytes = bytes.subspan(count);
        }
        co_return Result<void>{};
    }

    awaitable<Result<void>> start_tls() override;

    void watch_idle(bool on) override { watch_.watch(on); }
    void acknowledge_at_once() override {
        quick_ack_ = true;
        set_quick_ack();
    }
    void cut() override {
        cut_ = true;
        close_socket();
    }
    steady::time_point last_activity() const override { return watch_.last_activity(); }

private:
    /// Throws what is no failure of the stream but the cancellation of the coroutine.
    Error failure(boost::system::error_code error, std::string_view doing) const {
        auto const where = host_and_port(options_.host, options_.port);
        if (timed_out_)
            return {Errc::timed_out,
                    where + ": no byte for " + std::to_string(options_.idle_limit.count()) + " ms"};
        if (cut_) return {Errc::connection_lost, where + ": cut by us"};
        if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
        return {Errc::connection_lost, where + ": " + std::string(doing) + ": " + error.message()};
    }
    Error handshake_failure(boost::system::error_code error, Verdict const& verdict) const;
    void close_socket() {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }
    void set_quick_ack() {
        // The kernel forgets it again by itself; it refuses only on a dead socket.
        int const on = 1;
        static_cast<void>(
            ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on));
    }

    tcp::socket socket_;
    std::optional<ssl::stream<tcp::socket&>> tls_;
    StreamOptions const options_;
    IdleWatch watch_;
    bool quick_ack_ = false;
    bool timed_out_ = false;
    bool cut_ = false;
};

awaitable<Result<void>> TcpTlsStream::start_tls() {
    MAILFERRY_ASSERT(options_.tls != nullptr && !tls_);
    tls_.emplace(socket_, options_.tls->impl().context);
    auto* const native = tls_->native_handle();
    auto* const parameters = SSL_get0_param(native);
    boost::system::error_code not_an_address;
    auto const address = asio::ip::make_address(options_.host, not_an_address);
    if (not_an_address) {
        X509_VERIFY_PARAM_set_hostflags(
            parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        X509_VERIFY_PARAM_set1_host(parameters, options_.host.data(), options_.host.size());
        SSL_set_tlsext_host_name(native, options_.host.c_str());
    } else {
        X509_VERIFY_PARAM_set1_ip_asc(parameters, address.to_string().c_str());
    }
    auto const verdict = std::make_shared<Verdict>();
    tls_->set_verify_callback([verdict](bool good, ssl::verify_context& context) {
        auto* const store = context.native_handle();
        if (!good && verdict->code == X509_V_OK) {
            verdict->code = X509_STORE_CTX_get_error(store);
            if (auto* const leaf = X509_STORE_CTX_get0_cert(store)) verdict->names = names_of(leaf);
        }
        return good;
    });

    IdleWatch deadline(socket_.get_executor(), options_.connect_limit, [this] {
        timed_out_ = true;
        close_socket();
    });
    deadline.watch(true);
    boost::system::error_code error;
    co_await tls_->async_handshake(ssl::stream_base::client,
                                   asio::redirect_error(asio::use_awaitable, error));
    watch_.touch();
    if (error) co_return handshake_failure(error, *verdict);
    co_return Result<void>{};
}

Error TcpTlsStream::handshake_failure(boost::system::error_code error,
                                      Verdict const& verdict) const {
    auto const where = host_and_port(options_.host, options_.port);
    if (timed_out_)
        return {Errc::timed_out, where + ": TLS handshake not done within " +
                                     std::to_string(options_.connect_limit.count()) + " ms"};
    if (verdict.code != X509_V_OK)
        return {Errc::tls_failed, where + ": " + describe(verdict, options_)};
    auto const* const reason =
        error.category() == asio::error::get_ssl_category()
            ? ERR_reason_error_string(static_cast<unsigned long>(error.value()))
            : nullptr;
    if (reason == nullptr) return failure(error, "TLS handshake");
    switch (ERR_GET_REASON(static_cast<unsigned long>(error.value()))) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
        return {
            Errc::tls_failed,
            where + ": the server doesn't speak TLS here; is it a port for tls = \"starttls\"?"};
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return {Errc::tls_failed, where + ": the server doesn't offer TLS 1.2 or later"};
    default: return {Errc::tls_failed, where + ": TLS handshake: " + std::string(reason)};
    }
}

}  // namespace

awaitable<Result<std::unique_ptr<Stream>>> connect_stream(StreamOptions options, config::Tls tls) {
    auto const& host = options.via ? options.via->host : options.host;
    auto const port = options.via ? options.via->port : options.port;
    auto socket = co_await dial(host, port, options.connect_limit);
    if (!socket) co_return socket.error();
    auto stream = std::make_unique<TcpTlsStream>(std::move(*socket), std::move(options));
    if (tls == config::Tls::implicit) {
        auto const secured = co_await stream->start_tls();
        if (!secured) co_return secured.error();
    }
    co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace mailferry::transport
