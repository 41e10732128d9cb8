#include "transport/graph/connector.hpp"

#include "transport/auth/app_tokens.hpp"
#include "transport/graph/source_session.hpp"
#include "transport/graph/target_session.hpp"

namespace mailferry::graph {
namespace {

Clock const& system_clock() {
    static SystemClock const clock;
    return clock;
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
    auto settings = oauth::client_settings(tenant_, options_.dial);
    if (!settings) return settings.error();
    auto app = std::make_shared<App>(executor_, tenant_, admin_.client_id,
                                     options_.limits.scaled(tenant_.throttle_scale), clock);
    auto tokens = oauth::make_token_source(executor_, clock, tenant_, admin_, secret_, *settings,
                                           options_.tokens);
    if (!tokens) return tokens.error();
    app->tokens = std::move(*tokens);
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

std::vector<transport::LimitLoad> Connector::limit_loads() const {
    return app_ ? app_->gate.loads() : std::vector<transport::LimitLoad>();
}

std::string Connector::waits_for() const {
    if (!app_) return {};
    auto const wait = app_->gate.longest_wait();
    return wait ? describe(*wait, admin_.client_id) : std::string();
}

}  // namespace mailferry::graph
