#pragma once

/// What all sessions of one app registration in one tenant share: addresses, tokens, limits and
/// what was learned about mailboxes.

#include "config/base/clock.hpp"
#include "config/types.hpp"
#include "transport/auth/oauth_token.hpp"
#include "transport/graph/gate.hpp"
#include "transport/http/client.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mailferry::graph {

/// Where a tenant's mailboxes are reached.
struct Addresses {
    std::string root;                ///< "https://graph.microsoft.com/v1.0"
    std::string scope;               ///< "https://graph.microsoft.com/.default"
    std::vector<std::string> hosts;  ///< API and import: requests go nowhere else.
};
/// By the national cloud that `tenant.host` belongs to; a test server does everything itself.
Addresses addresses_of(config::Tenant const& tenant);

struct App {
    App(asio::any_io_executor executor_in, config::Tenant const& tenant, std::string client_id_in,
        Limits limits, Clock const& clock_in)
        : executor(std::move(executor_in)),
          addresses(addresses_of(tenant)),
          client_id(std::move(client_id_in)),
          clock(clock_in),
          gate(executor, limits, clock_in) {}

    asio::any_io_executor const executor;
    Addresses const addresses;
    std::string const client_id;
    Clock const& clock;
    Gate gate;
    http::ClientSettings http;  ///< For each session's own connections.
    std::unique_ptr<oauth::TokenSource> tokens;

    std::map<std::string, std::string> mailbox_ids;  ///< By address as in the mapping.
    /// Folder id to well-known name by mailbox id, as far as it had to be asked for one by one.
    std::map<std::string, std::map<std::string, std::string>> names_asked;
};

}  // namespace mailferry::graph
