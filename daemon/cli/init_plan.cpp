#include "daemon/cli/init_plan.hpp"

#include "config/base/units.hpp"
#include "config/dates.hpp"

#include <algorithm>
#include <array>

namespace mailferry::daemon::cli {
namespace {

using config::Protocol;

struct Window {
    std::string_view name, since, comment;
    std::chrono::days age;
};

constexpr std::array<Window, 2> older_windows{{
    {"month", "30d", "Then mail of the last 30 days ...", std::chrono::days(30)},
    {"half-year", "180d", "... of the last half year ...", std::chrono::days(180)},
}};

constexpr std::string_view daemon_part = R"([daemon]
state_dir      = "/var/lib/mailferry" # ledger, spool, quarantine; keep it until the end
control_socket = "/run/mailferry/control.sock" # what `mailferry status` asks
metrics_listen = "127.0.0.1:9464" # Prometheus; "" turns it off
memory_max     = "256MiB" # all item bytes in flight

[spool]
max_bytes = "20GiB" # of disk, between source and target
)";

constexpr std::string_view imap_tenant = R"(
[tenant.@side]
protocol = "imap"
host     = "imap.@side.example" # <- the server's name
tls      = "implicit" # implicit (993) | starttls (143)
# ca_file = "@side-ca.pem" # default: the system's authorities
)";

constexpr std::string_view imap_admin = R"(
[[tenant.@side.admin]]
user          = "migrate@number@@side.example" # <- an account that may open every mailbox
auth          = "plain" # plain | login-master | xoauth2 | user
password_file = "@side-admin@number.password" # mode 0600; or password_credential
max_sessions  = 8 # connections at once
)";

constexpr std::string_view graph_tenant = R"(
[tenant.@side]
protocol  = "graph" # Microsoft 365: mailbox import/export API
host      = "graph.microsoft.com"
authority = "https://login.microsoftonline.com"
tenant_id = "@tenant_id" # <- Directory (tenant) ID; not a domain
# https_proxy = "http://proxy.example:3128" # if the way out is a proxy

[[tenant.@side.admin]] # one app registration
auth        = "app-secret"
client_id   = "@client_id" # <- Application (client) ID
secret_file = "@side-app1.secret" # mode 0600; or secret_credential
# A certificate instead of a secret:
#   auth             = "app-certificate"
#   certificate_file = "@side-app1.pem"
#   key_file         = "@side-app1.key" # mode 0600; or key_credential
#
# A second app registration, in a second [[tenant.@side.admin]], doubles what one large mailbox may
# carry an hour: Microsoft's limits count by app and mailbox.
)";

/// What differs between the two tenants.
struct Side {
    std::string_view name, tenant_id, client_id;
};

constexpr std::array<Side, 2> sides{{
    {"old", "11111111-1111-1111-1111-111111111111", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"},
    {"new", "22222222-2222-2222-2222-222222222222", "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"},
}};

void replace_all(std::string& text, std::string_view mark, std::string_view value) {
    for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + value.size()))
        text.replace(at, mark.size(), value);
}

/// Puts the comments that follow a value below each other.
std::string aligned(std::string_view text) {
    constexpr std::size_t comment_column = 48;
    std::string out;
    while (!text.empty()) {
        auto const line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        auto const comment = line.find(" # ", 1);
        auto const value = line.substr(0, line.find_last_not_of(' ', comment) + 1);
        out += value;
        if (comment != line.npos) {
            out.append(value.size() < comment_column ? comment_column - value.size() : 1, ' ');
            out += line.substr(comment + 1);
        }
        out += '\n';
    }
    return out;
}

std::string filled(std::string_view part, Side const& side, unsigned number) {
    std::string text(part);
    replace_all(text, "@side", side.name);
    replace_all(text, "@number", std::to_string(number));
    replace_all(text, "@tenant_id", side.tenant_id);
    replace_all(text, "@client_id", side.client_id);
    return text;
}

/// Servers throttle each account, so that the load of many mailboxes wants several. Graph's limits
/// count by app and mailbox: many mailboxes need no second app.
unsigned admins_for(InitPlan const& plan) {
    if (plan.protocol == Protocol::graph) return 1;
    if (plan.mailboxes <= 100) return 1;
    return plan.mailboxes <= one_pass_mailboxes_max ? 2 : 4;
}

std::string kinds_text(Protocol protocol, bool mail_only) {
    if (protocol == Protocol::imap || mail_only) return R"(["mail"])";
    return R"(["contacts", "calendar", "tasks", "mail"])";
}

std::string pass_text(InitPlan const& plan, InitPass const& pass) {
    auto text = "\n[[migration." + plan.name + ".pass]] # " + pass.comment;
    text += "\nname  = \"" + pass.name + "\"\nkinds = " + kinds_text(plan.protocol, pass.mail_only);
    if (!pass.mail_since.empty()) text += "\nmail_since = \"" + pass.mail_since + '"';
    return text + '\n';
}

std::string migration_text(InitPlan const& plan) {
    std::string text = "\n[migration." + plan.name + "]\nsource  = \"old\"" +
                       " # read, never changed\n" + "target  = \"new\" # written\nmapping = \"" +
                       plan.name + ".csv\"\n";
    text += R"(exclude_folders = ["Junk"] # by name, path or special use
)";
    for (auto const& pass : passes_for(plan)) text += pass_text(plan, pass);
    return text;
}

}  // namespace

Result<OldestMail> parse_oldest_mail(std::string_view text, std::chrono::sys_seconds now) {
    if (text == "all") return OldestMail{};
    if (auto const age = parse_age(text); age && age->count() > 0)
        return OldestMail{std::string(text), *age};
    auto const instant = config::parse_instant(text);
    if (instant && *instant < now) return OldestMail{std::string(text), now - *instant};
    return Error{Errc::invalid_config, '"' + escape_untrusted(text, 64) +
                                           "\" can't be used; accepted are an age like \"180d\" "
                                           "(s, m, h, d, w), a past date like \"2026-01-31\", or "
                                           "\"all\""};
}

std::vector<InitPass> passes_for(InitPlan const& plan) {
    auto const& oldest = plan.oldest;
    auto const reaches_past = [&](std::chrono::seconds age) {
        return !oldest.age || *oldest.age > age;
    };
    if (plan.mailboxes <= one_pass_mailboxes_max)
        return {{"all", "Everybody at once; `mailferry start all` brings what changed since", false,
                 oldest.text}};
    constexpr std::chrono::days week(7);
    bool const more_than_a_week = reaches_past(week);
    bool const mail_alone = plan.protocol == Protocol::imap;
    std::vector<InitPass> passes;
    passes.push_back({"first",
                      mail_alone ? "A week of mail for everybody: work can go on"
                                 : "Contacts, calendars and a week of mail for everybody",
                      false, more_than_a_week ? "7d" : oldest.text});
    for (auto const& window : older_windows)
        if (reaches_past(window.age))
            passes.push_back({std::string(window.name), std::string(window.comment), true,
                              std::string(window.since)});
    if (more_than_a_week)
        passes.push_back(
            {"older",
             oldest.age ? "... and back to the oldest that is wanted." : "... and the rest.", true,
             oldest.text});
    passes.push_back({"final", "Everything, with changes; start it again after the MX change",
                      false, oldest.text});
    return passes;
}

std::vector<std::string> secret_files_for(InitPlan const& plan) {
    std::vector<std::string> files;
    for (auto const& side : sides)
        for (unsigned number = 1; number <= admins_for(plan); ++number)
            files.push_back(std::string(side.name) +
                            (plan.protocol == Protocol::graph ? "-app" : "-admin") +
                            std::to_string(number) +
                            (plan.protocol == Protocol::graph ? ".secret" : ".password"));
    return files;
}

std::string config_text(InitPlan const& plan) {
    std::string text =
        "# mailferry: " + plan.name + ", " + std::to_string(plan.mailboxes) +
        (plan.mailboxes == 1 ? " mailbox" : " mailboxes") +
        ".\n# Lines with an arrow (<-) want a value of yours. Every key is explained "
        "in mailferry.toml(5).\n# Check with: mailferryd --config FILE --check\n\n";
    text += daemon_part;
    for (auto const& side : sides) {
        if (plan.protocol == Protocol::graph) {
            text += filled(graph_tenant, side, 1);
            continue;
        }
        text += filled(imap_tenant, side, 1);
        for (unsigned number = 1; number <= admins_for(plan); ++number)
            text += filled(imap_admin, side, number);
    }
    return aligned(text + migration_text(plan));
}

std::string mapping_text(InitPlan const& plan) {
    auto const suffix = plan.protocol == Protocol::graph ? ".onmicrosoft.com" : ".example";
    std::string text;
    if (plan.protocol == Protocol::graph)
        text =
            "# Addresses on the initial domains (*.onmicrosoft.com): the custom domain will "
            "move.\n";
    text += "source,target\n";
    for (std::string const user : {"anna.maier", "info"})
        text += user + "@old" + suffix + ',' + user + "@new" + suffix + '\n';
    return text;
}

}  // namespace mailferry::daemon::cli
