#include "daemon/connectors.hpp"

#include "config/secret_source.hpp"
#include "transport/graph/connector.hpp"
#include "transport/imap/connector.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

bool is_app(config::Auth auth) {
    return auth == config::Auth::app_secret || auth == config::Auth::app_certificate;
}

Result<Secret> admin_secret(config::Admin const& admin) {
    if (admin.auth == config::Auth::user) return Secret();
    if (admin.auth == config::Auth::app_certificate) return config::read_secret(admin.key);
    return config::read_secret(admin.password);
}

std::string name_of(config::Admin const& admin) {
    if (is_app(admin.auth)) return admin.client_id;
    return admin.user.empty() ? "(each mailbox)" : admin.user;
}

std::shared_ptr<transport::Connector> make_connector(asio::any_io_executor executor,
                                                     config::Tenant const& tenant,
                                                     config::Admin const& admin, Secret secret) {
    if (tenant.protocol == config::Protocol::graph)
        return std::make_shared<graph::Connector>(std::move(executor), tenant, admin,
                                                  std::move(secret));
    return std::make_shared<imap::Connector>(std::move(executor), tenant, admin, std::move(secret));
}

/// One slot an admin; `connect` picks the kind of session.
template <class Session, class Connect>
Result<std::unique_ptr<SessionPool<Session>>> make_pool(asio::any_io_executor executor,
                                                        config::Tenant const& tenant,
                                                        PoolOptions options, Connect connect) {
    std::vector<AdminSlot<Session>> slots;
    for (auto const& admin : tenant.admins) {
        auto secret = admin_secret(admin);
        if (!secret) return secret.error().in("tenant=" + tenant.name + " admin=" + name_of(admin));
        auto const connector = make_connector(executor, tenant, admin, std::move(*secret));
        AdminSlot<Session> slot;
        slot.name = name_of(admin);
        slot.auth = admin.auth;
        slot.sessions_max = admin.max_sessions;
        slot.connect = [connector, connect] { return connect(*connector); };
        slot.limit_in_force = [connector] { return connector->waits_for(); };
        slot.limit_loads = [connector] { return connector->limit_loads(); };
        slots.push_back(std::move(slot));
    }
    return std::make_unique<SessionPool<Session>>(
        executor, tenant.name, tenant.sessions_per_mailbox, std::move(slots), options);
}

}  // namespace

Result<std::unique_ptr<SourcePool>> make_source_pool(asio::any_io_executor executor,
                                                     config::Tenant const& tenant,
                                                     PoolOptions options) {
    return make_pool<transport::SourceSession>(
        executor, tenant, options,
        [](transport::Connector& connector) { return connector.connect_source(); });
}

Result<std::unique_ptr<TargetPool>> make_target_pool(asio::any_io_executor executor,
                                                     config::Tenant const& tenant,
                                                     PoolOptions options) {
    return make_pool<transport::TargetSession>(
        executor, tenant, options,
        [](transport::Connector& connector) { return connector.connect_target(); });
}

Result<MailboxLogin> login_for(config::Tenant const& tenant, std::string const& mailbox,
                               std::filesystem::path const& password_file) {
    MailboxLogin login{mailbox, nullptr};
    auto const wants_own = [](config::Admin const& admin) {
        return admin.auth == config::Auth::user;
    };
    if (std::none_of(tenant.admins.begin(), tenant.admins.end(), wants_own)) return login;
    auto secret = config::read_secret({.credential = {}, .file = password_file});
    if (!secret) return secret.error().in("mailbox=" + mailbox);
    login.own_password = std::make_shared<Secret const>(std::move(*secret));
    return login;
}

}  // namespace mailferry::daemon
