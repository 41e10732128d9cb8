#include "transport/imap/connector.hpp"

#include "config/endpoint.hpp"
#include "transport/auth/app_tokens.hpp"
#include "transport/imap/source_session.hpp"
#include "transport/imap/target_session.hpp"
#include "transport/stream/tcp_tls.hpp"

#include <utility>

namespace mailferry::imap {
namespace {

/// The certificates are read at the first connection and kept.
Dial dial_tenant(config::Tenant const& tenant) {
    transport::StreamOptions options;
    options.host = tenant.host;
    options.port = tenant.port;
    if (options.port == 0) options.port = tenant.tls == config::Tls::implicit ? 993 : 143;
    options.connect_limit = tenant.connect_timeout;
    options.idle_limit = tenant.idle_timeout;
    struct State {
        transport::StreamOptions options;
        std::filesystem::path ca_file;
        config::Tls tls;
    };
    auto const state =
        std::make_shared<State>(State{std::move(options), tenant.ca_file, tenant.tls});
    return [state]() -> awaitable<Result<std::unique_ptr<transport::Stream>>> {
        auto const held = state;
        if (held->tls != config::Tls::none && !held->options.tls) {
            auto context = transport::TlsContext::make(held->ca_file);
            if (!context) co_return context.error();
            held->options.tls = std::move(*context);
        }
        co_return co_await transport::connect_stream(held->options, held->tls);
    };
}

}  // namespace

Connector::Connector(asio::any_io_executor executor, config::Tenant tenant, config::Admin admin,
                     Secret secret)
    : Connector(std::move(executor), tenant, std::move(admin), std::move(secret),
                dial_tenant(tenant)) {}

Connector::Connector(asio::any_io_executor executor, config::Tenant tenant, config::Admin admin,
                     Secret secret, Dial dial)
    : executor_(std::move(executor)), settings_(std::make_shared<LinkSettings>()) {
    settings_->tenant = std::move(tenant);
    settings_->admin = std::move(admin);
    settings_->secret = std::move(secret);
    settings_->dial = std::move(dial);
    // A token may end at any moment: that it has just opened another mailbox says little.
    if (settings_->admin.auth == config::Auth::xoauth2)
        settings_->history = AdminHistory(std::chrono::seconds(0));
}

/// Reads a certificate at the first connection.
Result<void> Connector::prepare_tokens() {
    auto& shared = *settings_;
    bool const app = shared.admin.auth == config::Auth::app_secret ||
                     shared.admin.auth == config::Auth::app_certificate;
    if (!app || shared.tokens) return {};
    auto settings = oauth::client_settings(shared.tenant, {});
    if (!settings) return settings.error();
    static SystemClock const clock;
    auto tokens = oauth::make_token_source(executor_, clock, shared.tenant, shared.admin,
                                           std::make_shared<Secret const>(shared.secret.reveal()),
                                           std::move(*settings));
    if (!tokens) return tokens.error();
    shared.tokens = std::move(*tokens);
    shared.token_scope = config::imap_token_scope(shared.tenant.host);
    return {};
}

awaitable<Result<std::unique_ptr<Link>>> Connector::connect(Side side) {
    auto const prepared = prepare_tokens();
    if (!prepared) co_return prepared.error().in("app=" + settings_->admin.client_id);
    auto link = std::make_unique<Link>(executor_, settings_, side);
    auto const connected = co_await link->connect();
    if (!connected) co_return connected.error();
    co_return link;
}

awaitable<Result<std::unique_ptr<transport::SourceSession>>> Connector::connect_source() {
    auto link = co_await connect(Side::source);
    if (!link) co_return link.error();
    co_return std::make_unique<SourceSession>(executor_, std::move(*link));
}

awaitable<Result<std::unique_ptr<transport::TargetSession>>> Connector::connect_target() {
    auto link = co_await connect(Side::target);
    if (!link) co_return link.error();
    co_return std::make_unique<TargetSession>(std::move(*link));
}

}  // namespace mailferry::imap
