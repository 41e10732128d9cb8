#include "config/validate.hpp"

#include "config/base/clock.hpp"
#include "config/base/error.hpp"
#include "config/mapping.hpp"
#include "config/names.hpp"
#include "config/secret_source.hpp"
#include "config/text.hpp"
#include "config/validate_parts.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <set>
#include <system_error>

namespace mailferry::config {
namespace {

constexpr std::uint64_t mebibyte = 1ULL << 20;
constexpr std::size_t socket_path_bytes_max = 107;  ///< unix(7): sun_path without its NUL.

void validate_daemon(DaemonSettings const& daemon, ProblemList& problems) {
    if (daemon.memory_max.value < 16 * mebibyte)
        problems.error(1, "daemon.memory_max: at least 16MiB are needed");
    if (daemon.control_socket.string().size() > socket_path_bytes_max)
        problems.error(1, "daemon.control_socket: a socket's path has at most 107 bytes");
    auto const& listen = daemon.metrics_listen;
    if (listen.empty()) return;
    auto const colon = listen.rfind(':');
    auto const digits =
        colon == listen.npos ? std::string_view() : std::string_view(listen).substr(colon + 1);
    unsigned port = 0;
    auto const* const end = digits.data() + digits.size();
    auto const [rest, failure] = std::from_chars(digits.data(), end, port);
    if (failure != std::errc{} || rest != end || port > 65535 || colon == 0)
        problems.error(1, "daemon.metrics_listen: " + shown(listen) +
                              " isn't ADDRESS:PORT, and not \"\" to turn it off");
}

void validate_spool(SpoolSettings const& spool, ProblemList& problems) {
    auto const max = spool.max_bytes.value;
    auto const segment = spool.segment_bytes.value;
    if (segment < mebibyte || segment > 256 * mebibyte)
        problems.error(1, "spool.segment_bytes: accepted are sizes from 1MiB to 256MiB");
    if (max / 2 < segment)
        problems.error(1, "spool.max_bytes (" + format_bytes(max) +
                              ") must hold two segments of spool.segment_bytes (" +
                              format_bytes(segment) + ") or more");
    if (spool.low_water && spool.low_water->value > max)
        problems.error(1, "spool.low_water (" + format_bytes(spool.low_water->value) +
                              ") is above spool.max_bytes (" + format_bytes(max) + ")");
    if (spool.key.empty()) return;
    auto const checked = check_secret(spool.key);
    if (!checked) problems.error(1, "spool: " + checked.error().context);
}

/// True if the window is empty whenever the pass is run.
bool is_empty_window(Pass const& pass) {
    if (pass.mail_since_age && pass.mail_before_age)
        return *pass.mail_since_age <= *pass.mail_before_age;
    return pass.mail_since && pass.mail_before && *pass.mail_since >= *pass.mail_before;
}

bool carries(Protocol protocol, ItemKind kind) {
    switch (protocol) {
    case Protocol::imap: return kind == ItemKind::mail;
    case Protocol::dav: return kind != ItemKind::mail;
    case Protocol::jmap:
    case Protocol::ews:
    case Protocol::graph: return true;
    }
    return false;
}

/// The protocols of a migration's two sides that don't carry `kind`, in words; empty if both do.
std::string not_carrying(ItemKind kind, Config const& config, Migration const& migration) {
    std::string names;
    for (auto const& side : {migration.source, migration.target}) {
        auto const* const tenant = config.tenant(side);
        if (tenant == nullptr || carries(tenant->protocol, kind)) continue;
        auto const name = std::string(to_string(tenant->protocol));
        if (names != name) names.append(names.empty() ? "" : " and ").append(name);
    }
    return names;
}

void validate_kinds(Pass const& pass, Config const& config, Migration const& migration,
                    std::string const& label, ProblemList& problems) {
    auto const line = pass.place.line;
    if (pass.kinds.empty())
        return problems.error(line, label + "kinds is empty: nothing would be copied");
    std::string refused, refused_by;
    for (auto kind = pass.kinds.begin(); kind != pass.kinds.end(); ++kind) {
        auto const name = std::string(to_string(*kind));
        if (std::find(pass.kinds.begin(), kind, *kind) != kind) {
            problems.warn(line, label + "kind \"" + name + "\" is there twice");
            continue;
        }
        auto const by = not_carrying(*kind, config, migration);
        if (by.empty()) continue;
        refused.append(refused.empty() ? "" : ", ").append(name);
        refused_by = by;
    }
    if (!refused.empty())
        problems.error(line, label + refused +
                                 (refused.find(',') == refused.npos ? " is" : " are") +
                                 " not carried by " + refused_by + ": take it out of kinds");
}

void validate_pass(Pass const& pass, Config const& config, Migration const& migration,
                   std::string const& migration_label, ProblemList& problems) {
    auto const line = pass.place.line;
    if (pass.name.empty()) problems.error(line, migration_label + "a pass has no name");
    auto const label = migration_label + "pass " + shown(pass.name) + ": ";
    auto const awkward = [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == '/' || c == 0x7F;
    };
    if (std::any_of(pass.name.begin(), pass.name.end(), awkward))
        problems.error(line, label + "a name has no blanks, slashes or control characters");
    if (is_empty_window(pass))
        problems.error(line, label + "mail_since must lie before mail_before: the window is empty");
    bool const windowed =
        pass.mail_since_age || pass.mail_since || pass.mail_before_age || pass.mail_before;
    bool const mail =
        std::find(pass.kinds.begin(), pass.kinds.end(), ItemKind::mail) != pass.kinds.end();
    if (windowed && !mail)
        problems.warn(line, label + "mail_since and mail_before do nothing without kind \"mail\"");
    validate_kinds(pass, config, migration, label, problems);
}

void validate_side(std::string const& name, std::string_view side, Config const& config,
                   Migration const& migration, std::string const& label, ProblemList& problems) {
    auto const line = migration.place.line;
    if (name.empty()) return problems.error(line, label + std::string(side) + " is missing");
    if (config.tenant(name) != nullptr) return;
    auto message = label + std::string(side) + " " + shown(name) + " is no tenant";
    std::vector<std::string_view> names;
    for (auto const& tenant : config.tenants) names.push_back(tenant.name);
    if (auto const meant = nearest_name(name, names)) {
        message += "; did you mean " + shown(*meant) + "?";
    } else {
        message += "; it needs a table [tenant." + escape_untrusted(name, 128) + "]";
    }
    problems.error(line, std::move(message));
}

void validate_migration(Config const& config, Migration const& migration, ProblemList& problems) {
    auto const label = "migration." + escape_untrusted(migration.name, 128) + ": ";
    auto const line = migration.place.line;
    validate_side(migration.source, "source", config, migration, label, problems);
    validate_side(migration.target, "target", config, migration, label, problems);
    auto const* const source = config.tenant(migration.source);
    auto const* const target = config.tenant(migration.target);
    if (source != nullptr && target != nullptr && source->protocol != target->protocol)
        problems.error(line, label + "source is " + std::string(to_string(source->protocol)) +
                                 " and target is " + std::string(to_string(target->protocol)) +
                                 "; items cross between tenants of the same protocol in this "
                                 "version: imap→imap, graph→graph");
    if (source != nullptr && target != nullptr && !source->host.empty() &&
        same_endpoint(*source, *target))
        problems.warn(line, label +
                                "source and target are the same server; rows of the mapping "
                                "must not cross");
    if (migration.mapping.empty()) problems.error(line, label + "mapping is missing");
    if (migration.passes.empty())
        problems.error(line, label + "no [[migration." + escape_untrusted(migration.name, 128) +
                                 ".pass]]: nothing would be copied");
    std::set<std::string> names;
    for (auto const& pass : migration.passes) {
        validate_pass(pass, config, migration, label, problems);
        if (!pass.name.empty() && !names.insert(pass.name).second)
            problems.error(pass.place.line, label + "pass " + shown(pass.name) + " is there twice");
    }
}

}  // namespace

void validate_file(std::filesystem::path const& file, std::string const& what, int line,
                   ProblemList& problems) {
    auto const complain = [&](std::string const& reason) {
        problems.error(line, what + " " + escape_untrusted(file.string()) + ": " + reason);
    };
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0 || ::access(file.c_str(), R_OK) != 0)
        return complain(std::generic_category().message(errno));
    if (!S_ISREG(status.st_mode)) complain("is not a regular file");
}

std::vector<Problem> validate(Config const& config, std::optional<std::chrono::sys_seconds> now) {
    ProblemList problems(config.file.string());
    auto const today = now.value_or(std::chrono::floor<std::chrono::seconds>(SystemClock().now()));
    validate_daemon(config.daemon, problems);
    validate_spool(config.spool, problems);
    if (config.tenants.empty())
        problems.error(1, "no [tenant.NAME]: source and target are tenants");
    if (config.migrations.empty())
        problems.error(1, "no [migration.NAME]: nothing would be copied");
    for (auto const& tenant : config.tenants) validate_tenant(tenant, today, problems);
    for (auto const& migration : config.migrations) validate_migration(config, migration, problems);
    return problems.take();
}

}  // namespace mailferry::config
