#include "transport/auth/app_tokens.hpp"

#include "config/endpoint.hpp"
#include "config/text.hpp"

#include <fstream>
#include <iterator>

namespace mailferry::oauth {
namespace {

constexpr std::uint64_t certificate_bytes_max = 1 << 20;

Result<std::string> read_certificate(std::filesystem::path const& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad() || text.size() > certificate_bytes_max)
        return Error{Errc::invalid_config,
                     "certificate_file " + path.string() + " can't be read: check path and rights"};
    return text;
}

/// What the app signs in with.
Result<AppRegistration> registration_of(config::Tenant const& tenant, config::Admin const& admin,
                                        std::shared_ptr<Secret const> secret) {
    AppRegistration app;
    app.authority = tenant.authority;
    app.tenant_id = tenant.tenant_id;
    app.client_id = admin.client_id;
    if (admin.auth != config::Auth::app_certificate) {
        app.secret = std::move(secret);
        return app;
    }
    auto const pem = read_certificate(admin.certificate_file);
    if (!pem) return pem.error();
    auto certificate = AppCertificate::load(*pem, *secret);
    if (!certificate) return certificate.error();
    app.certificate = std::move(*certificate);
    return app;
}

}  // namespace

Result<http::ClientSettings> client_settings(config::Tenant const& tenant, http::Dial const& dial) {
    http::ClientSettings settings;
    settings.plain_loopback = tenant.authority.starts_with("http://");
    if (!settings.plain_loopback) {
        auto tls = transport::TlsContext::make(tenant.ca_file);
        if (!tls) return tls.error();
        settings.tls = std::move(*tls);
    }
    if (!tenant.https_proxy.empty()) {
        auto proxy = http::parse_proxy(tenant.https_proxy);
        if (!proxy) return proxy.error();
        settings.proxy = std::move(*proxy);
    }
    settings.connect_limit = tenant.connect_timeout;
    settings.dial = dial;
    return settings;
}

Result<std::unique_ptr<TokenSource>> make_token_source(
    asio::any_io_executor executor, Clock const& clock, config::Tenant const& tenant,
    config::Admin const& admin, std::shared_ptr<Secret const> secret, http::ClientSettings settings,
    TokenLimits limits) {
    auto registration = registration_of(tenant, admin, std::move(secret));
    if (!registration) return registration.error();
    settings.hosts = {config::fold_case(config::authority_endpoint(tenant).host)};
    auto client = std::make_shared<http::Client>(executor, std::move(settings));
    return std::make_unique<TokenSource>(std::move(executor), clock, std::move(client),
                                         std::move(*registration), limits);
}

}  // namespace mailferry::oauth
