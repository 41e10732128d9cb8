#include "config/validate_parts.hpp"

#include "config/names.hpp"
#include "config/secret_source.hpp"
#include "config/text.hpp"
#include "config/validate.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <set>

namespace mailferry::config {
namespace {

bool fits(Auth auth, Protocol protocol) {
    switch (auth) {
    case Auth::plain:
    case Auth::user:
        return protocol == Protocol::imap || protocol == Protocol::dav ||
               protocol == Protocol::jmap;
    case Auth::login_master: return protocol == Protocol::imap;
    case Auth::xoauth2: return protocol == Protocol::imap || protocol == Protocol::jmap;
    case Auth::app_secret:
    case Auth::app_certificate:
        return protocol == Protocol::graph || protocol == Protocol::ews ||
               protocol == Protocol::imap;
    }
    return false;
}

std::string fitting_auths(Protocol protocol) {
    std::vector<std::string_view> names;
    for (auto const& named : auth_names)
        if (fits(named.value, protocol)) names.push_back(named.name);
    return quoted_list(names);
}

bool is_app(Auth auth) { return auth == Auth::app_secret || auth == Auth::app_certificate; }

void validate_host(Tenant const& tenant, std::string const& label, ProblemList& problems) {
    auto const line = tenant.place.line;
    auto const& host = tenant.host;
    if (host.empty()) return problems.error(line, label + "host is missing");
    bool sound = host.find('/') == host.npos;
    for (std::string_view rest = host; sound && !rest.empty();) {
        auto const code_point = take_code_point(rest);
        sound = code_point && *code_point > 0x20 && *code_point != 0x7F && !is_blank(*code_point);
    }
    if (!sound)
        return problems.error(
            line, label + "host " + shown(host) + " is not a bare host name or address");
    if (std::count(host.begin(), host.end(), ':') == 1)
        problems.error(line, label + "host " + shown(host) + " holds a port: use port = NUMBER");
}

void validate_tls(Tenant const& tenant, std::string const& label, ProblemList& problems) {
    auto const line = tenant.place.line;
    if (tenant.tls == Tls::none && !tenant.allow_plaintext && !is_loopback(tenant.host))
        problems.error(line, label +
                                 "tls = \"none\" would send passwords and mail in the clear; "
                                 "it is accepted towards loopback, or with allow_plaintext = true");
    if (tenant.tls == Tls::starttls && tenant.port == 993)
        problems.warn(line, label + "port 993 usually wants tls = \"implicit\", not \"starttls\"");
    if (tenant.tls == Tls::implicit && tenant.port == 143)
        problems.warn(line, label + "port 143 usually wants tls = \"starttls\", not \"implicit\"");
}

void validate_admin_secret(Admin const& admin, std::string const& label,
                           std::chrono::sys_seconds now, ProblemList& problems) {
    auto const line = admin.place.line;
    switch (admin.auth) {
    case Auth::plain:
    case Auth::login_master:
        return validate_secret(admin.password, label, "password", line, problems);
    case Auth::xoauth2: return validate_secret(admin.password, label, "token", line, problems);
    case Auth::app_secret: return validate_secret(admin.password, label, "secret", line, problems);
    case Auth::app_certificate: return validate_certificate(admin, label, now, problems);
    case Auth::user:
        if (!admin.password.empty())
            problems.error(line, label + "auth = \"user\" takes passwords from the mapping only");
        return;
    }
}

void validate_admin(Admin const& admin, Tenant const& tenant, std::string const& label,
                    std::chrono::sys_seconds now, ProblemList& problems) {
    auto const line = admin.place.line;
    auto const auth = "auth = \"" + std::string(to_string(admin.auth)) + "\"";
    if (!fits(admin.auth, tenant.protocol))
        problems.error(line, label + auth + " doesn't fit protocol = \"" +
                                 std::string(to_string(tenant.protocol)) + "\"; accepted are " +
                                 fitting_auths(tenant.protocol));
    bool const needs_user = admin.auth == Auth::plain || admin.auth == Auth::login_master;
    if (needs_user && admin.user.empty()) problems.error(line, label + "user is missing");
    bool const refuses_user = admin.auth == Auth::user || is_app(admin.auth);
    if (refuses_user && !admin.user.empty())
        problems.error(line, label + "user doesn't fit " + auth);
    if (is_app(admin.auth)) validate_client_id(admin, label, problems);
    if (!is_app(admin.auth) && !admin.client_id.empty())
        problems.error(line, label + "client_id doesn't fit " + auth);
    if (admin.auth != Auth::app_certificate &&
        (!admin.certificate_file.empty() || !admin.key.empty()))
        problems.error(line, label + "certificate_file and key_* don't fit " + auth);
    validate_admin_secret(admin, label, now, problems);
}

void validate_admins(Tenant const& tenant, std::string const& label, std::chrono::sys_seconds now,
                     ProblemList& problems) {
    if (tenant.admins.empty())
        return problems.error(tenant.place.line, label + "no [[tenant." + tenant.name +
                                                     ".admin]]: nobody could open its mailboxes");
    std::set<std::string> identities;
    bool any_user = false;
    for (auto const& admin : tenant.admins) {
        validate_admin(admin, tenant, label + "admin: ", now, problems);
        any_user = any_user || admin.auth == Auth::user;
        auto const& identity = is_app(admin.auth) ? fold_case(admin.client_id) : admin.user;
        if (!identity.empty() && !identities.insert(identity).second)
            problems.error(admin.place.line, label + "admin " + shown(identity) +
                                                 " is there twice; its budget counts once");
    }
    if (any_user && tenant.admins.size() > 1)
        problems.error(tenant.place.line,
                       label + "an admin with auth = \"user\" must be the only one of its tenant");
}

}  // namespace

bool is_loopback(std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    auto const text = fold_case(host);
    if (text == "localhost" || text == "localhost.") return true;
    in6_addr six{};
    if (::inet_pton(AF_INET6, text.c_str(), &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six);
    in_addr four{};
    return ::inet_pton(AF_INET, text.c_str(), &four) == 1 && (ntohl(four.s_addr) >> 24) == 127;
}

void validate_secret(SecretSource const& source, std::string const& what, std::string_view keys,
                     int line, ProblemList& problems) {
    if (source.empty())
        return problems.error(line, what + std::string(keys) + "_credential or " +
                                        std::string(keys) + "_file is missing");
    auto const checked = check_secret(source);
    if (!checked) problems.error(line, what + checked.error().context);
}

void validate_tenant(Tenant const& tenant, std::chrono::sys_seconds now, ProblemList& problems) {
    auto const label = "tenant." + escape_untrusted(tenant.name, 128) + ": ";
    auto const line = tenant.place.line;
    bool const graph = tenant.protocol == Protocol::graph;
    if (tenant.protocol != Protocol::imap && !graph)
        problems.error(line, label + "protocol \"" + std::string(to_string(tenant.protocol)) +
                                 "\" is not supported by this version; supported are \"imap\" "
                                 "and \"graph\"");
    if (graph) {
        validate_graph(tenant, label, problems);
    } else {
        validate_host(tenant, label, problems);
        validate_tls(tenant, label, problems);
        bool const by_app = std::any_of(tenant.admins.begin(), tenant.admins.end(),
                                        [](Admin const& admin) { return is_app(admin.auth); });
        if (by_app)
            validate_sign_in(tenant, label, problems);
        else if (!tenant.tenant_id.empty() || !tenant.https_proxy.empty() ||
                 tenant.authority != Tenant().authority)
            problems.error(line, label +
                                     "authority, tenant_id and https_proxy are for admins with "
                                     "auth = \"app-secret\" or \"app-certificate\"");
    }
    if (!tenant.ca_file.empty()) validate_file(tenant.ca_file, label + "ca_file", line, problems);
    bool const by_master =
        std::any_of(tenant.admins.begin(), tenant.admins.end(),
                    [](Admin const& admin) { return admin.auth == Auth::login_master; });
    if (by_master && tenant.master_separator.empty())
        problems.error(line, label + "master_separator is empty; auth = \"login-master\" needs it");
    validate_admins(tenant, label, now, problems);
}

}  // namespace mailferry::config
