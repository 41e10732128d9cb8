#pragma once

/// Hosts, ports and identifiers of the configuration as values, and what is known about Microsoft's
/// clouds (vendor's list of national clouds).

#include "config/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailferry::config {

struct Endpoint {
    std::string host;  ///< A name or an address; IPv6 without its brackets.
    std::uint16_t port = 0;
    bool operator==(Endpoint const&) const = default;
};

/// "host", "host:8443", "10.0.0.1:8443", "[::1]:8443". Nothing for anything else: a path, a user,
/// blanks, port 0.
std::optional<Endpoint> parse_host_port(std::string_view text, std::uint16_t port_default);

/// "<scheme>://host[:port]", with or without one slash at its end, and nothing behind it.
std::optional<Endpoint> parse_origin(std::string_view text, std::string_view scheme,
                                     std::uint16_t port_default);

/// "http://host:port": the proxy that `https_proxy` names. It must say its port; credentials in it
/// are refused like any other part that a proxy's address doesn't have.
std::optional<Endpoint> parse_proxy(std::string_view text);

/// The API's own host and port: `host`, with a port of its own (default 443) for graph.
/// The tenant has passed validation.
Endpoint graph_endpoint(Tenant const& tenant);

/// Host and port of the sign-in service. The tenant has passed validation, or is a test's with
/// tls = none and an authority that begins with http://.
Endpoint authority_endpoint(Tenant const& tenant);

/// 8-4-4-4-12 hexadecimal digits in any case, without braces.
bool is_guid(std::string_view text);

/// One of Microsoft's separate clouds: none of them knows the others' tenants.
struct Cloud {
    std::string_view name;  ///< As the vendor calls it, for messages.
    std::string_view authority;
    std::string_view graph;
};

/// The cloud of a sign-in host, of a Graph host; nothing for a host of nobody's (a simulator).
Cloud const* cloud_of_authority(std::string_view host);
Cloud const* cloud_of_graph(std::string_view host);
/// What a token for IMAP at this host is asked for: "https://outlook.office365.com/.default", or
/// the same of the host's cloud. A host of nobody's stands in for the global cloud.
std::string imap_token_scope(std::string_view host);
/// True if `host` is the sign-in service of `cloud`; two clouds of the US government share one.
bool signs_in_at(Cloud const& cloud, std::string_view host);
bool is_global(Cloud const& cloud);

/// True for an address on a domain that comes with a tenant and stays with it, like
/// user@contoso.onmicrosoft.com: it names the same mailbox before and after a custom domain moves.
bool is_on_initial_domain(std::string_view address);

}  // namespace mailferry::config
