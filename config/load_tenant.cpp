#include "config/load_parts.hpp"

#include <array>

namespace mailferry::config {
namespace {

/// Which keys bring an admin's secret: password_*, token_* or secret_*.
std::string_view secret_prefix(Auth auth) {
    switch (auth) {
    case Auth::plain:
    case Auth::login_master: return "password";
    case Auth::xoauth2: return "token";
    case Auth::app_secret: return "secret";
    case Auth::user:
    case Auth::app_certificate: return "";
    }
    return "";
}

void load_admin_secret(TableReader& reader, Admin& admin) {
    auto const fitting = secret_prefix(admin.auth);
    for (std::string const prefix : {"password", "token", "secret"}) {
        reader.refuse_literal(prefix, prefix);
        SecretSource source;
        reader.secret(prefix, source);
        if (prefix == fitting) {
            admin.password = std::move(source);
            continue;
        }
        if (source.empty()) continue;
        auto message =
            prefix + "_* doesn't fit auth = \"" + std::string(to_string(admin.auth)) + "\"";
        if (!fitting.empty()) {
            message += "; it takes " + std::string(fitting) + "_credential or " +
                       std::string(fitting) + "_file";
        } else if (admin.auth == Auth::user) {
            message += ": each row of the mapping names its own password file";
        }
        reader.problem(prefix + (source.credential.empty() ? "_file" : "_credential"), message);
    }
}

/// Keys that one connector would pass over in silence: whoever writes them expects something.
void refuse_foreign_keys(TableReader& reader, Protocol protocol) {
    constexpr std::array<std::string_view, 3> imap_keys{"allow_plaintext", "master_separator",
                                                        "compress"};
    auto const refuse = [&](std::string_view key, std::string const& cure) {
        if (!reader.has(key)) return;
        reader.problem(
            key, "doesn't fit protocol = \"" + std::string(to_string(protocol)) + "\"" + cure);
    };
    if (protocol == Protocol::imap) refuse("throttle_scale", "");
    if (protocol != Protocol::graph) return;
    for (auto const key : imap_keys) refuse(key, "");
    refuse("port", "; write host = \"NAME:PORT\"");
}

Admin load_admin(TableReader reader, Protocol protocol) {
    Admin admin;
    admin.place = reader.place();
    reader.text("user", admin.user);
    reader.choice("auth", admin.auth, auth_names);
    load_admin_secret(reader, admin);
    if (protocol == Protocol::graph) admin.max_sessions = app_sessions_default;
    reader.text("client_id", admin.client_id);
    reader.path("certificate_file", admin.certificate_file);
    reader.refuse_literal("key", "key");
    reader.secret("key", admin.key);
    reader.number<std::uint32_t>("max_sessions", admin.max_sessions, 1, 1000);
    reader.number<std::uint32_t>("logins_per_second", admin.logins_per_second, 1, 10'000);
    reader.finish();
    return admin;
}

}  // namespace

Tenant load_tenant(TableReader::NamedTable const& table, std::filesystem::path const& folder,
                   ProblemList& problems) {
    auto const label = "tenant." + table.first;
    TableReader reader(*table.second, label, folder, problems);
    Tenant tenant;
    tenant.place = reader.place();
    tenant.name = table.first;
    reader.choice("protocol", tenant.protocol, protocol_names);
    reader.text("host", tenant.host);
    reader.number<std::uint16_t>("port", tenant.port, 1, 65535);
    reader.choice("tls", tenant.tls, tls_names);
    reader.path("ca_file", tenant.ca_file);
    reader.boolean("allow_plaintext", tenant.allow_plaintext);
    reader.text("master_separator", tenant.master_separator);
    reader.text("authority", tenant.authority);
    if (tenant.authority.ends_with('/')) tenant.authority.pop_back();
    reader.text("tenant_id", tenant.tenant_id);
    reader.text("https_proxy", tenant.https_proxy);
    reader.real("throttle_scale", tenant.throttle_scale, 0.001, 1000);
    refuse_foreign_keys(reader, tenant.protocol);
    reader.boolean("compress", tenant.compress);
    reader.number<std::uint32_t>("sessions_per_mailbox", tenant.sessions_per_mailbox, 1, 64);
    reader.timeout("connect_timeout", tenant.connect_timeout);
    reader.timeout("idle_timeout", tenant.idle_timeout);
    for (auto const* const admin : reader.table_array("admin"))
        tenant.admins.push_back(
            load_admin({*admin, label + ".admin", folder, problems}, tenant.protocol));
    reader.finish();
    return tenant;
}

}  // namespace mailferry::config
