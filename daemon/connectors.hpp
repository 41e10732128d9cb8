#pragma once

/// From a tenant's configuration to a pool of its sessions. The only place that knows connectors.

#include "config/types.hpp"
#include "daemon/pool.hpp"

namespace mailferry::daemon {

/// Reads the admins' secrets; an unreadable one is invalid_config and names file and cure.
Result<std::unique_ptr<SourcePool>> make_source_pool(asio::any_io_executor executor,
                                                     config::Tenant const& tenant,
                                                     PoolOptions options);
Result<std::unique_ptr<TargetPool>> make_target_pool(asio::any_io_executor executor,
                                                     config::Tenant const& tenant,
                                                     PoolOptions options);

/// The login for one mailbox; reads the row's own password where the tenant wants one.
Result<MailboxLogin> login_for(config::Tenant const& tenant, std::string const& mailbox,
                               std::filesystem::path const& password_file);

}  // namespace mailferry::daemon
