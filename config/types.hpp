#pragma once

/// The whole configuration as plain values with their defaults. Names and units follow the contract
/// in the manual (mailferry.toml.5); config/load fills it, config/validate judges it.

#include "config/base/units.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mailferry::config {

/// Where a value stands, so that a later check can still name its line.
struct Place {
    std::string file;
    int line = 0;
};

enum class Protocol { imap, dav, ews, graph, jmap };
enum class Tls { implicit, starttls, none };
enum class Auth { plain, login_master, xoauth2, user, app_secret, app_certificate };
enum class ItemKind { mail, calendar, contacts, tasks };
enum class SpoolMode { always, automatic };  ///< "always" | "auto"

/// A secret's whereabouts, never the secret: a systemd credential's name or a file's path.
struct SecretSource {
    std::string credential;
    std::filesystem::path file;
    bool empty() const { return credential.empty() && file.empty(); }
};

struct DaemonSettings {
    std::filesystem::path state_dir = "/var/lib/mailferry";
    std::filesystem::path control_socket = "/run/mailferry/control.sock";
    std::string metrics_listen = "127.0.0.1:9464";  ///< "" turns it off.
    ByteCount memory_max{256ULL << 20};
    /// How long the service leaves a mailbox alone whose target is over quota.
    std::chrono::milliseconds quota_interval{900'000};
    std::string log_level = "info";  ///< debug | info | warning | error
};

struct SpoolSettings {
    ByteCount max_bytes{20ULL << 30};    ///< High water: no new fetch is begun above it.
    std::optional<ByteCount> low_water;  ///< Default: 80 % of max_bytes.
    ByteCount segment_bytes{64ULL << 20};
    SpoolMode mode = SpoolMode::always;
    SecretSource key;
};

struct Admin {
    Place place;
    std::string user;  ///< Login name; empty for `auth = "user"` and for app registrations.
    Auth auth = Auth::plain;
    SecretSource
        password;  ///< password_* for logins, token_* for xoauth2, secret_* for app-secret.
    std::string client_id;  ///< App registrations only.
    std::filesystem::path certificate_file;
    SecretSource key;                      ///< App certificates only.
    std::uint32_t max_sessions = 8;        ///< graph: app_sessions_default.
    std::uint32_t logins_per_second = 50;  ///< imap
};

/// What an app registration may do over Graph at once without being told: sixteen mailboxes, four
/// requests each, the published concurrency of one app on one mailbox.
inline constexpr std::uint32_t app_sessions_default = 64;

struct Tenant {
    Place place;
    std::string name;
    Protocol protocol = Protocol::imap;
    std::string host;        ///< graph: may carry a port, see config/endpoint.
    std::uint16_t port = 0;  ///< imap; 0: the protocol's own (993, or 143 without implicit TLS).
    Tls tls = Tls::implicit;
    std::filesystem::path ca_file;       ///< Empty: the system's store.
    bool allow_plaintext = false;        ///< tls = "none" beyond loopback.
    std::string master_separator = "*";  ///< login-master: mailbox<separator>admin.
    /// App registrations: sign-in endpoint, "https://host[:port]" without a slash at its end.
    std::string authority = "https://login.microsoftonline.com";
    std::string tenant_id;    ///< App registrations: GUID, or one of the tenant's verified domains.
    std::string https_proxy;  ///< "http://host:port"; empty: none. For all that is HTTPS.
    double throttle_scale = 1.0;  ///< graph: part of the published budgets that is used.
    bool compress = false;        ///< imap: COMPRESS=DEFLATE where offered.
    std::uint32_t sessions_per_mailbox = 4;
    std::chrono::milliseconds connect_timeout{20'000};
    std::chrono::milliseconds idle_timeout{120'000};  ///< No byte for so long ends a session.
    std::vector<Admin> admins;
};

struct Pass {
    Place place;
    std::string name;
    std::vector<ItemKind> kinds{ItemKind::mail};
    /// Ages count back from the moment the pass starts; dates are instants. Nothing: unlimited.
    std::optional<std::chrono::seconds> mail_since_age, mail_before_age;
    std::optional<std::chrono::sys_seconds> mail_since, mail_before;
    std::vector<std::string> waves;  ///< Empty: every mailbox.
};

struct Migration {
    Place place;
    std::string name;
    std::string source, target;                ///< Names of tenants.
    std::filesystem::path mapping;             ///< Relative to the configuration's folder.
    std::vector<std::string> exclude_folders;  ///< By path, by last name, or by special use.
    bool allow_fuller_target = false;          ///< The target may hold far more than the source.
    bool copy_deleted = false;  ///< Copy messages marked \Deleted (without the mark).
    std::vector<Pass> passes;
};

struct Config {
    std::filesystem::path file;
    DaemonSettings daemon;
    SpoolSettings spool;
    std::vector<Tenant> tenants;
    std::vector<Migration> migrations;

    Tenant const* tenant(std::string_view name) const;
};

/// One row of the mapping.
struct MailboxPair {
    int line = 0;
    std::string source, target;
    std::string wave;
    std::filesystem::path source_password_file, target_password_file;
};

/// One thing wrong with configuration or mapping: printed as `file:line: message`.
struct Problem {
    std::string file;
    int line = 0;
    std::string message;
    bool warning = false;  ///< Said, but doesn't stop the start.
    std::string describe() const;
};

}  // namespace mailferry::config
