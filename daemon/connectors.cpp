#include "daemon/connectors.hpp"

#include "config/secret_source.hpp"
#include "transport/imap/connector.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

Result<Secret> admin_secret(config::Admin const& admin) {
    if (admin.auth == config::Auth::user) return Secret();
    return config::read_secret(admin.password);
}

/// One slot an admin; `connect` picks the kind of session.
template <class Session, class Connect>
Result<std::unique_ptr<SessionPool<Session>>> make_pool(asio::any_io_executor executor,
                                                        config::Tenant const& tenant,
                                                        PoolOptions options, Connect connect) {
    std::vector<AdminSlot<Session>> slots;
    for (auto const& admin : tenant.admins) {
        auto secret = admin_secret(admin);
        if (!secret) return secret.error().in("tenant=" + tenant.name + " admin=" + admin.user);
        auto const connector =
            std::make_shared<imap::Connector>(executor, tenant, admin, std::move(*secret));
        AdminSlot<Session> slot;
        slot.name = admin.user.empty() ? "(each mailbox)" : admin.user;
        slot.auth = admin.auth;
        slot.sessions_max = admin.max_sessions;
        slot.connect = [connector, connect] { return connect(*connector); };
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
