#pragma once

/// Makes sessions to the mailboxes of one Microsoft 365 tenant, by way of one app registration.

#include "transport/graph/app.hpp"
#include "transport/session.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mailferry::graph {

struct ConnectorOptions {
    Limits limits = {};            ///< Before the tenant's throttle_scale.
    Clock const* clock = nullptr;  ///< Outlives the connector; null: the system's.
    http::Dial dial = {};          ///< Instead of TCP; for tests.
    oauth::TokenLimits tokens = {};
};

/// Signing in happens in connect_*(): a wrong secret, an expired certificate or an unknown tenant
/// shows there, before any mailbox. Whether the app may act for a mailbox shows in open(). All
/// sessions share the app's token and its limits.
class Connector final : public transport::Connector {
public:
    /// `secret`: the client secret, or with app-certificate the key of `admin.certificate_file`.
    Connector(asio::any_io_executor executor, config::Tenant tenant, config::Admin admin,
              Secret secret, ConnectorOptions options = {});

    awaitable<Result<std::unique_ptr<transport::SourceSession>>> connect_source() override;
    awaitable<Result<std::unique_ptr<transport::TargetSession>>> connect_target() override;

    /// "waits for app X on mailbox Y until 14:05:10 UTC (upload)"; "" while nothing waits long.
    std::string waits_for() const override;
    /// "concurrency", "requests", "upload", "retry-after", "app".
    std::vector<transport::LimitLoad> limit_loads() const override;

private:
    Result<void> prepare();
    awaitable<Result<void>> sign_in();

    asio::any_io_executor const executor_;
    config::Tenant const tenant_;
    config::Admin const admin_;
    std::shared_ptr<Secret const> const secret_;
    ConnectorOptions const options_;
    std::shared_ptr<App> app_;
};

}  // namespace mailferry::graph
