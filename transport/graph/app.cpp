#include "transport/graph/app.hpp"

#include "config/endpoint.hpp"
#include "config/text.hpp"

#include <array>

namespace mailferry::graph {
namespace {

/// Where importUrl leads (brief, 1.5 and 2.6).
struct ImportHosts {
    std::string_view graph;
    std::array<std::string_view, 2> exchange;
};
constexpr std::array<ImportHosts, 4> import_hosts{
    {{"graph.microsoft.com", {"outlook.office365.com", "outlook.office.com"}},
     {"graph.microsoft.us", {"outlook.office365.us", "outlook.office365.us"}},
     {"dod-graph.microsoft.us", {"outlook-dod.office365.us", "webmail.apps.mil"}},
     {"microsoftgraph.chinacloudapi.cn", {"outlook.office365.cn", "partner.outlook.cn"}}}};

}  // namespace

Addresses addresses_of(config::Tenant const& tenant) {
    auto const endpoint = config::graph_endpoint(tenant);
    bool const plain = tenant.tls == config::Tls::none;
    auto const port_default = plain ? 80 : 443;
    auto origin =
        endpoint.host.find(':') == std::string::npos ? endpoint.host : "[" + endpoint.host + "]";
    if (endpoint.port != port_default) origin.append(":").append(std::to_string(endpoint.port));
    origin.insert(0, plain ? "http://" : "https://");
    Addresses addresses;
    addresses.root = origin + "/v1.0";
    auto const host = config::fold_case(endpoint.host);
    addresses.hosts.push_back(host);
    // What a token is for has a name of its own: a test server stands in for the global cloud.
    auto resource = import_hosts.front().graph;
    for (auto const& known : import_hosts) {
        if (known.graph != host) continue;
        resource = known.graph;
        addresses.hosts.insert(addresses.hosts.end(), known.exchange.begin(), known.exchange.end());
    }
    addresses.scope = "https://" + std::string(resource) + "/.default";
    return addresses;
}

}  // namespace mailferry::graph
