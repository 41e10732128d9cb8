#include "config/mapping.hpp"

#include "config/endpoint.hpp"
#include "config/problem_list.hpp"
#include "config/secret_source.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace mailferry::config {
namespace {

using Lines = std::unordered_map<std::string, int>;

/// The first line of each address in one column; later ones are problems.
Lines first_lines(std::vector<MailboxPair> const& pairs, std::string MailboxPair::*column,
                  std::string_view complaint, ProblemList& problems) {
    Lines lines;
    lines.reserve(pairs.size());
    for (auto const& pair : pairs) {
        auto const [known, fresh] = lines.try_emplace(fold_case(pair.*column), pair.line);
        if (fresh) continue;
        auto message = std::string(column == &MailboxPair::source ? "source " : "target ");
        message.append(shown(pair.*column)).append(complaint).append(std::to_string(known->second));
        problems.error(pair.line, std::move(message));
    }
    return lines;
}

/// On one server a target that is also a source would be read while it is being filled.
void check_crossing(std::vector<MailboxPair> const& pairs, Lines const& source_lines,
                    ProblemList& problems) {
    for (auto const& pair : pairs) {
        auto const crossed = source_lines.find(fold_case(pair.target));
        if (crossed == source_lines.end()) continue;
        if (fold_case(pair.source) == crossed->first) {
            problems.error(pair.line, shown(pair.source) + " would be copied onto itself");
        } else {
            problems.error(pair.line, "target " + shown(pair.target) + " is the source of line " +
                                          std::to_string(crossed->second) + " on the same server");
        }
    }
}

void check_password_files(std::vector<MailboxPair> const& pairs, bool needed,
                          std::filesystem::path MailboxPair::*column, std::string_view side,
                          ProblemList& problems) {
    auto const name = std::string(side) + "_password_file";
    bool said_unused = false;
    for (auto const& pair : pairs) {
        auto const& file = pair.*column;
        if (needed && file.empty()) {
            problems.error(pair.line, "no " + name + ", but the " + std::string(side) +
                                          " tenant has auth = \"user\"");
        } else if (needed) {
            auto const checked = check_secret({.credential = {}, .file = file});
            if (!checked) problems.error(pair.line, checked.error().context);
        } else if (!file.empty() && !said_unused) {
            said_unused = true;
            problems.warn(pair.line, name + " isn't used: the " + std::string(side) +
                                         " tenant has no admin with auth = \"user\"");
        }
    }
}

/// Microsoft's directory knows a mailbox by an address or by its user's id. An address on a custom
/// domain names nobody, or somebody else, once that domain has moved to the other tenant.
void check_graph_addresses(std::vector<MailboxPair> const& pairs, std::string MailboxPair::*column,
                           std::string_view side, ProblemList& problems) {
    constexpr std::size_t rows_named_max = 10;
    std::size_t custom = 0;
    int last_line = 0;
    for (auto const& pair : pairs) {
        auto const& address = pair.*column;
        if (is_guid(address) || is_on_initial_domain(address)) continue;
        auto const name = std::string(side) + ' ' + shown(address);
        if (address.find('@') == address.npos) {
            problems.error(pair.line, name + " is no address and no user's id (GUID)");
            continue;
        }
        last_line = pair.line;
        if (++custom > rows_named_max) continue;
        problems.warn(pair.line, name +
                                     " is on a custom domain, which may move to another tenant "
                                     "in mid-migration: use the address on the initial domain "
                                     "(*.onmicrosoft.com)");
    }
    if (custom > rows_named_max)
        problems.warn(last_line, std::to_string(custom - rows_named_max) + " more rows have a " +
                                     std::string(side) + " on a custom domain");
}

std::string domain_of(std::string_view address) {
    auto const at = address.rfind('@');
    return at == address.npos ? std::string() : fold_case(address.substr(at + 1));
}

/// What the tenant's own settings say about its domains.
std::vector<std::string> domains_of(Tenant const* tenant) {
    std::vector<std::string> domains;
    if (tenant == nullptr) return domains;
    for (auto const& admin : tenant->admins)
        if (auto domain = domain_of(admin.user); !domain.empty())
            domains.push_back(std::move(domain));
    if (tenant->protocol == Protocol::graph && !is_guid(tenant->tenant_id))
        domains.push_back(fold_case(tenant->tenant_id));
    return domains;
}

/// The source's mailboxes all on domains that only the target's settings know, and the other way
/// round: nobody wants that copied (field notes: a swapped pair fills the full side).
void check_swapped(std::vector<MailboxPair> const& pairs, MappingUse const& use,
                   ProblemList& problems) {
    auto const contains = [](std::vector<std::string> const& domains, std::string const& domain) {
        return std::find(domains.begin(), domains.end(), domain) != domains.end();
    };
    auto const only_in = [&](std::vector<std::string> const& one,
                             std::vector<std::string> const& other, std::string const& address) {
        auto const domain = domain_of(address);
        return contains(one, domain) && !contains(other, domain);
    };
    bool const swapped =
        !pairs.empty() && std::all_of(pairs.begin(), pairs.end(), [&](MailboxPair const& pair) {
            return only_in(use.target_domains, use.source_domains, pair.source) &&
                   only_in(use.source_domains, use.target_domains, pair.target);
        });
    if (swapped)
        problems.error(pairs.front().line,
                       "source and target are swapped: every source is on a domain of the target "
                       "tenant (" +
                           shown(domain_of(pairs.front().source)) +
                           "), and every target on one of the source tenant; exchange the "
                           "columns, or source and target of the migration");
}

}  // namespace

bool same_endpoint(Tenant const& a, Tenant const& b) {
    if (a.protocol != b.protocol) return false;
    if (a.protocol == Protocol::graph)
        return parse_host_port(fold_case(a.host), 443) == parse_host_port(fold_case(b.host), 443) &&
               fold_case(a.tenant_id) == fold_case(b.tenant_id);
    auto const port_of = [](Tenant const& tenant) {
        if (tenant.port != 0) return static_cast<int>(tenant.port);
        return tenant.protocol == Protocol::imap && tenant.tls != Tls::implicit ? 143 : 993;
    };
    return port_of(a) == port_of(b) && fold_case(a.host) == fold_case(b.host);
}

MappingUse mapping_use(Config const& config, Migration const& migration) {
    auto const by_user = [](Tenant const* tenant) {
        if (tenant == nullptr) return false;
        return std::any_of(tenant->admins.begin(), tenant->admins.end(),
                           [](Admin const& admin) { return admin.auth == Auth::user; });
    };
    auto const* const source = config.tenant(migration.source);
    auto const* const target = config.tenant(migration.target);
    MappingUse use;
    use.same_endpoint = source != nullptr && target != nullptr && same_endpoint(*source, *target);
    use.source_password = by_user(source);
    use.target_password = by_user(target);
    auto const by_graph = [](Tenant const* tenant) {
        return tenant != nullptr && tenant->protocol == Protocol::graph;
    };
    use.source_graph = by_graph(source);
    use.target_graph = by_graph(target);
    use.source_domains = domains_of(source);
    use.target_domains = domains_of(target);
    for (auto const& pass : migration.passes)
        use.waves.insert(use.waves.end(), pass.waves.begin(), pass.waves.end());
    return use;
}

std::vector<Problem> check_mapping(std::vector<MailboxPair> const& pairs,
                                   std::filesystem::path const& file, MappingUse const& use) {
    ProblemList problems(file.string());
    auto const source_lines =
        first_lines(pairs, &MailboxPair::source, " was mapped in line ", problems);
    first_lines(pairs, &MailboxPair::target, " is also the target of line ", problems);
    if (use.same_endpoint) check_crossing(pairs, source_lines, problems);
    if (!use.same_endpoint) check_swapped(pairs, use, problems);
    if (use.source_graph) check_graph_addresses(pairs, &MailboxPair::source, "source", problems);
    if (use.target_graph) check_graph_addresses(pairs, &MailboxPair::target, "target", problems);
    check_password_files(pairs, use.source_password, &MailboxPair::source_password_file, "source",
                         problems);
    check_password_files(pairs, use.target_password, &MailboxPair::target_password_file, "target",
                         problems);
    std::unordered_set<std::string> waves;
    for (auto const& pair : pairs) waves.insert(pair.wave);
    std::unordered_set<std::string> said;
    for (auto const& wave : use.waves) {
        if (waves.contains(wave) || !said.insert(wave).second) continue;
        problems.error(1, "no row is in wave " + shown(wave) + ", which a pass names");
    }
    return problems.take();
}

}  // namespace mailferry::config
