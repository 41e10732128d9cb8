#include "config/endpoint.hpp"

#include "config/base/assert.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace mailferry::config {
namespace {

constexpr std::uint16_t https_port = 443, http_port = 80;

struct SignIn {
    std::string_view host;
    std::size_t cloud;
};

constexpr std::array<Cloud, 4> clouds{{
    {"global", "https://login.microsoftonline.com", "graph.microsoft.com"},
    {"US Government (GCC High)", "https://login.microsoftonline.us", "graph.microsoft.us"},
    {"US Government (DoD)", "https://login.microsoftonline.us", "dod-graph.microsoft.us"},
    {"China (21Vianet)", "https://login.partner.microsoftonline.cn",
     "microsoftgraph.chinacloudapi.cn"},
}};

constexpr std::array<SignIn, 4> sign_ins{{
    {"login.microsoftonline.com", 0},
    {"login.microsoftonline.us", 1},
    {"login.partner.microsoftonline.cn", 3},
    {"login.chinacloudapi.cn", 3},
}};

constexpr std::array<std::string_view, 3> initial_domains{".onmicrosoft.com", ".onmicrosoft.us",
                                                          ".partner.onmschina.cn"};

std::optional<std::uint16_t> parse_port(std::string_view digits) {
    std::uint16_t port = 0;
    auto const* const end = digits.data() + digits.size();
    auto const [rest, failure] = std::from_chars(digits.data(), end, port);
    if (failure != std::errc{} || rest != end || port == 0) return std::nullopt;
    return port;
}

/// Letters, digits, dots, hyphens and what internationalised names are made of: nothing that a URL
/// gives a meaning of its own.
bool is_host_name(std::string_view text) {
    if (text.empty() || text.size() > 253) return false;
    while (!text.empty()) {
        auto const code_point = take_code_point(text);
        if (!code_point || is_blank(*code_point)) return false;
        auto const c = *code_point;
        bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0xA0;
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_') return false;
    }
    return true;
}

bool is_address_six(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdefABCDEF:.%";
    return text.find(':') != text.npos && text.find_first_not_of(digits) == text.npos;
}

}  // namespace

std::optional<Endpoint> parse_host_port(std::string_view text, std::uint16_t port_default) {
    bool const bracketed = text.starts_with('[');
    auto const host_end = bracketed ? text.find(']') : text.find(':');
    if (bracketed && host_end == text.npos) return std::nullopt;
    auto const host = bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end);
    if (bracketed ? !is_address_six(host) : !is_host_name(host)) return std::nullopt;
    auto rest = bracketed               ? text.substr(host_end + 1)
                : host_end == text.npos ? std::string_view()
                                        : text.substr(host_end);
    if (rest.empty()) return Endpoint{std::string(host), port_default};
    if (!rest.starts_with(':')) return std::nullopt;
    auto const port = parse_port(rest.substr(1));
    if (!port) return std::nullopt;
    return Endpoint{std::string(host), *port};
}

std::optional<Endpoint> parse_origin(std::string_view text, std::string_view scheme,
                                     std::uint16_t port_default) {
    auto const prefix = std::string(scheme) + "://";
    if (!fold_case(text.substr(0, prefix.size())).starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    if (text.ends_with('/')) text.remove_suffix(1);
    return parse_host_port(text, port_default);
}

std::optional<Endpoint> parse_proxy(std::string_view text) {
    auto proxy = parse_origin(text, "http", 0);
    if (!proxy || proxy->port == 0) return std::nullopt;
    return proxy;
}

Endpoint graph_endpoint(Tenant const& tenant) {
    auto const endpoint = parse_host_port(tenant.host, https_port);
    MAILFERRY_ASSERT(endpoint.has_value());
    return *endpoint;
}

Endpoint authority_endpoint(Tenant const& tenant) {
    auto endpoint = parse_origin(tenant.authority, "https", https_port);
    if (!endpoint && tenant.tls == Tls::none)
        endpoint = parse_origin(tenant.authority, "http", http_port);
    MAILFERRY_ASSERT(endpoint.has_value());
    return *endpoint;
}

bool is_guid(std::string_view text) {
    constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    constexpr std::string_view digits = "0123456789abcdefABCDEF";
    return std::equal(text.begin(), text.end(), form.begin(), form.end(), [&](char c, char f) {
        return f == '-' ? c == '-' : digits.find(c) != digits.npos;
    });
}

Cloud const* cloud_of_authority(std::string_view host) {
    auto const folded = fold_case(host);
    for (auto const& sign_in : sign_ins)
        if (sign_in.host == folded) return &clouds[sign_in.cloud];
    return nullptr;
}

Cloud const* cloud_of_graph(std::string_view host) {
    auto const folded = fold_case(host);
    for (auto const& cloud : clouds)
        if (cloud.graph == folded) return &cloud;
    return nullptr;
}

std::string imap_token_scope(std::string_view host) {
    constexpr std::array<std::string_view, 4> of_other_clouds{
        "outlook.office365.us", "outlook-dod.office365.us", "outlook.office365.cn",
        "partner.outlook.cn"};
    auto const folded = fold_case(host);
    auto const* const known = std::find(of_other_clouds.begin(), of_other_clouds.end(), folded);
    auto const resource =
        known == of_other_clouds.end() ? std::string_view("outlook.office365.com") : *known;
    return "https://" + std::string(resource) + "/.default";
}

bool signs_in_at(Cloud const& cloud, std::string_view host) {
    auto const* const other = cloud_of_authority(host);
    return other != nullptr && other->authority == cloud.authority;
}

bool is_global(Cloud const& cloud) { return &cloud == &clouds.front(); }

bool is_on_initial_domain(std::string_view address) {
    auto const at = address.rfind('@');
    if (at == address.npos) return false;
    auto const domain = fold_case(address.substr(at + 1));
    return std::any_of(initial_domains.begin(), initial_domains.end(), [&](auto const suffix) {
        return domain.ends_with(suffix) && domain.size() > suffix.size();
    });
}

}  // namespace mailferry::config
