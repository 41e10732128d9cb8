#include "config/validate_parts.hpp"

#include "config/base/certificate.hpp"
#include "config/endpoint.hpp"
#include "config/names.hpp"
#include "config/secret_source.hpp"
#include "config/text.hpp"
#include "config/validate.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <system_error>

namespace mailferry::config {
namespace {

constexpr std::size_t certificate_bytes_max = 64 * 1024;
constexpr std::chrono::days certificate_days_left_min{30};

/// Published: requests of one app that work on one mailbox at a time.
constexpr std::uint32_t requests_per_app_and_mailbox = 4;

/// "11111111-1111-1111-1111-111111111111": what `mailferry init` writes where only the operator
/// knows the value.
bool is_inits_own(std::string_view guid) {
    return is_guid(guid) &&
           std::all_of(guid.begin(), guid.end(), [&](char c) { return c == guid[0] || c == '-'; });
}

std::string date_text(std::chrono::sys_seconds instant) {
    std::chrono::year_month_day const day(std::chrono::floor<std::chrono::days>(instant));
    auto const two = [](unsigned value) {
        return (value < 10 ? "-0" : "-") + std::to_string(value);
    };
    return std::to_string(static_cast<int>(day.year())) + two(static_cast<unsigned>(day.month())) +
           two(static_cast<unsigned>(day.day()));
}

/// Host and sign-in service must belong to one cloud: the tenants of one are unknown to the others.
void validate_cloud(std::string const& host, std::string const& sign_in, std::string const& label,
                    int line, ProblemList& problems) {
    auto const* const cloud = cloud_of_graph(host);
    auto const* const signs_in = cloud_of_authority(sign_in);
    auto const named = [](Cloud const& one) {
        return "the cloud \"" + std::string(one.name) + '"';
    };
    if (cloud != nullptr && !signs_in_at(*cloud, sign_in)) {
        problems.warn(line, label + "host " + shown(host) + " belongs to " + named(*cloud) +
                                ", but authority signs in at " + shown(sign_in) +
                                "; its own is authority = \"" + std::string(cloud->authority) +
                                '"');
    } else if (cloud == nullptr && signs_in != nullptr) {
        problems.warn(line, label + "host " + shown(host) +
                                " is none of Microsoft's, but tokens "
                                "would come from " +
                                shown(sign_in) + ": check host");
    }
    if (cloud != nullptr && !is_global(*cloud))
        problems.warn(line, label +
                                "the mailbox import/export API is documented for the global "
                                "cloud only, not for " +
                                named(*cloud));
}

void validate_addresses(Tenant const& tenant, std::string const& label, ProblemList& problems) {
    auto const line = tenant.place.line;
    std::optional<Endpoint> host, sign_in;
    if (tenant.host.empty()) {
        problems.error(line, label +
                                 "host is missing; Microsoft's global cloud has host = "
                                 "\"graph.microsoft.com\"");
    } else if (!(host = parse_host_port(tenant.host, 443))) {
        problems.error(line, label + "host " + shown(tenant.host) +
                                 " is no host name or address, with or without \":PORT\"");
    }
    sign_in = parse_origin(tenant.authority, "https", 443);
    if (host && sign_in) validate_cloud(host->host, sign_in->host, label, line, problems);
    bool const microsoft = host && cloud_of_graph(host->host) != nullptr;
    if (microsoft && tenant.throttle_scale > 1)
        problems.error(line, label +
                                 "throttle_scale above 1 is for simulators: Microsoft's limits "
                                 "are not ours to raise");
}

std::optional<std::string> read_file(std::filesystem::path const& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string bytes(certificate_bytes_max, '\0');
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (stream.bad() || !stream.is_open()) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(stream.gcount()));
    return bytes;
}

std::optional<Certificate> certificate_in(Admin const& admin, std::string const& label,
                                          ProblemList& problems) {
    auto const line = admin.place.line;
    if (admin.certificate_file.empty()) {
        problems.error(line, label + "certificate_file is missing");
        return std::nullopt;
    }
    auto const before = problems.errors();
    validate_file(admin.certificate_file, label + "certificate_file", line, problems);
    if (problems.errors() != before) return std::nullopt;
    auto const name =
        label + "certificate_file " + escape_untrusted(admin.certificate_file.string());
    auto const bytes = read_file(admin.certificate_file);
    if (!bytes) {
        problems.error(line, name + ": can't be read");
        return std::nullopt;
    }
    auto certificate = parse_certificate(*bytes);
    if (certificate) return std::move(*certificate);
    problems.error(line, name + " " + certificate.error().context);
    return std::nullopt;
}

void validate_dates(Certificate const& certificate, std::string const& name, int line,
                    std::chrono::sys_seconds now, ProblemList& problems) {
    if (now < certificate.not_before)
        problems.error(line, name + " is valid from " + date_text(certificate.not_before) +
                                 " only: check the clock, or wait");
    if (now > certificate.not_after)
        return problems.error(line, name + " expired on " + date_text(certificate.not_after) +
                                        ": make a new one and upload it to the app registration");
    auto const days_left = std::chrono::floor<std::chrono::days>(certificate.not_after - now);
    if (days_left < certificate_days_left_min)
        problems.warn(line, name + " expires on " + date_text(certificate.not_after) + ", in " +
                                std::to_string(days_left.count()) +
                                (days_left.count() == 1 ? " day" : " days"));
}

}  // namespace

void validate_sign_in(Tenant const& tenant, std::string const& label, ProblemList& problems) {
    auto const line = tenant.place.line;
    if (!parse_origin(tenant.authority, "https", 443))
        problems.error(line, label + "authority " + shown(tenant.authority) +
                                 " isn't https://HOST or https://HOST:PORT");
    if (!tenant.https_proxy.empty() && !parse_proxy(tenant.https_proxy)) {
        // Not repeated in the message: it may hold a password.
        auto const reason = tenant.https_proxy.find('@') != std::string::npos
                                ? "holds a user or a password; proxies that ask for one aren't "
                                  "supported, and secrets don't belong into this file"
                                : "isn't http://HOST:PORT";
        problems.error(line, label + "https_proxy " + reason);
    }
    auto const& id = tenant.tenant_id;
    if (id.empty()) {
        problems.error(line, label + "tenant_id is missing");
    } else if (!is_guid(id) && !parse_host_port(id, 1)) {
        problems.error(line, label + "tenant_id " + shown(id) + " is no GUID and no domain");
    } else if (!is_guid(id)) {
        problems.warn(line, label + "tenant_id " + shown(id) +
                                " is a domain, and a domain may move to another tenant during the "
                                "migration: give the tenant's GUID");
    } else if (is_inits_own(id)) {
        problems.warn(line, label + "tenant_id " + shown(id) +
                                " is the one that init wrote: put in the tenant's own");
    }
}

void validate_graph(Tenant const& tenant, std::string const& label, ProblemList& problems) {
    auto const line = tenant.place.line;
    validate_sign_in(tenant, label, problems);
    validate_addresses(tenant, label, problems);
    if (tenant.tls != Tls::implicit)
        problems.error(line, label + "tls = \"" + std::string(to_string(tenant.tls)) +
                                 "\" doesn't fit protocol = \"graph\": it speaks HTTPS only");
    auto const at_once = requests_per_app_and_mailbox * tenant.admins.size();
    if (!tenant.admins.empty() && tenant.sessions_per_mailbox > at_once)
        problems.warn(
            line, label + "sessions_per_mailbox = " + std::to_string(tenant.sessions_per_mailbox) +
                      ": Microsoft lets " + "one app do four requests on a mailbox at once, " +
                      std::to_string(at_once) + " for this tenant's apps");
}

void validate_client_id(Admin const& admin, std::string const& label, ProblemList& problems) {
    auto const line = admin.place.line;
    auto const& id = admin.client_id;
    if (id.empty()) return problems.error(line, label + "client_id is missing");
    if (!is_guid(id))
        return problems.error(line, label + "client_id " + shown(id) +
                                        " is no GUID: give the \"Application (client) ID\" of the "
                                        "app registration");
    if (is_inits_own(id))
        problems.warn(line, label + "client_id " + shown(id) +
                                " is the one that init wrote: put in the id of your app "
                                "registration");
}

void validate_certificate(Admin const& admin, std::string const& label,
                          std::chrono::sys_seconds now, ProblemList& problems) {
    auto const line = admin.place.line;
    auto const certificate = certificate_in(admin, label, problems);
    if (certificate) {
        auto const name =
            label + "certificate_file " + escape_untrusted(admin.certificate_file.string());
        validate_dates(*certificate, name, line, now, problems);
    }
    auto const before = problems.errors();
    validate_secret(admin.key, label, "key", line, problems);
    if (!certificate || problems.errors() != before) return;
    auto const key = read_secret(admin.key);
    if (!key) return problems.error(line, label + key.error().context);
    auto const fits = check_key_of(*certificate, *key);
    if (fits) return;
    auto const name = admin.key.credential.empty() ? "key_file " + admin.key.file.string()
                                                   : "key_credential " + admin.key.credential;
    problems.error(line, label + escape_untrusted(name) + ": " + fits.error().context);
}

}  // namespace mailferry::config
