#include "transport/graph/connector.hpp"

#include "transport/graph/source_session.hpp"
#include "transport/graph/target_session.hpp"

#include <fstream>
#include <iterator>

namespace mailferry::graph {
namespace {

constexpr std::uint64_t certificate_bytes_max = 1 << 20;

Clock const& system_clock() {
    static SystemClock const clock;
    return clock;
}

Result<std::string> read_certificate(std::filesystem::path const& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad() || text.size() > certificate_bytes_max)
        return Error{Errc::invalid_config,
                     "certificate_file " + path.string() + " can't be read: check path and rights"};
    return text;
}

/// What the app signs in with.
Result<oauth::AppRegistration> registration_of(config::Tenant const& tenant,
                                               config::Admin const& admin,
                                               std::shared_ptr<Secret const> const& secret) {
    oauth::AppRegistration app;
    app.authority = tenant.authority;
    app.tenant_id = tenant.tenant_id;
    app.client_id = admin.client_id;
    if (admin.auth != config::Auth::app_certificate) {
        app.secret = secret;
        return app;
    }
    auto const pem = read_certificate(admin.certificate_file);
    if (!pem) return pem.error();
    auto certificate = oauth::AppCertificate::load(*pem, *secret);
    if (!certificate) return certificate.error();
    app.certificate = std::move(*certificate);
    return app;
}

Result<http::ClientSettings> http_settings(config::Tenant const& tenant, http::Dial const& dial) {
    http::ClientSettings settings;
    if (tenant.tls != config::Tls::none) {
        auto tls = transport::TlsContext::make(tenant.ca_file);
        if (!tls) return tls.error();
        settings.tls = std::move(*tls);
    }
    settings.plain_loopback = tenant.tls == config::Tls::none;
    if (!tenant.https_proxy.empty()) {
        auto proxy = http::parse_proxy(tenant.https_proxy);
        if (!proxy) return proxy.error();
        settings.proxy = std::move(*proxy);
    }
    settings.connect_limit = tenant.connect_timeout;
    settings.dial = dial;
    return settings;
}

}  // namespace

Connector::Connector(asio::any_io_executor executor, config::Tenant tenant, config::Admin admin,
                     Secret secret, ConnectorOptions options)
    : executor_(std::move(executor)),
      tenant_(std::move(tenant)),
      admin_(std::move(admin)),
      secret_(std::make_shared<Secret const>(std::move(secret))),
      options_(std::move(options)) {}

/// Reads certificates and settings at the first connection.
Result<void> Connector::prepare() {
    if (app_) return {};
    auto const& clock = options_.clock != nullptr ? *options_.clock : system_clock();
    auto registration = registration_of(tenant_, admin_, secret_);
    if (!registration) return registration.error();
    auto settings = http_settings(tenant_, options_.dial);
    if (!settings) return settings.error();
    auto app = std::make_shared<App>(executor_, tenant_, admin_.client_id,
                                     options_.limits.scaled(tenant_.throttle_scale), clock);
    settings->hosts = {app->addresses.sign_in_host};
    auto const sign_in = std::make_shared<http::Client>(executor_, *settings);
    app->tokens = std::make_unique<oauth::TokenSource>(executor_, clock, sign_in,
                                                       std::move(*registration), options_.tokens);
    settings->hosts = app->addresses.hosts;
    app->http = std::move(*settings);
    app_ = std::move(app);
    return {};
}

awaitable<Result<void>> Connector::sign_in() {
    auto const prepared = prepare();
    if (!prepared) co_return prepared.error().in("app=" + admin_.client_id);
    auto const token = co_await app_->tokens->token(app_->addresses.scope);
    if (!token) co_return token.error();
    co_return Result<void>{};
}

awaitable<Result<std::unique_ptr<transport::SourceSession>>> Connector::connect_source() {
    auto const signed_in = co_await sign_in();
    if (!signed_in) co_return signed_in.error();
    co_return std::make_unique<SourceSession>(app_);
}

awaitable<Result<std::unique_ptr<transport::TargetSession>>> Connector::connect_target() {
    auto const signed_in = co_await sign_in();
    if (!signed_in) co_return signed_in.error();
    co_return std::make_unique<TargetSession>(app_);
}

std::string Connector::waits_for() const {
    if (!app_) return {};
    auto const wait = app_->gate.longest_wait();
    return wait ? describe(*wait, admin_.client_id) : std::string();
}

}  // namespace mailferry::graph
