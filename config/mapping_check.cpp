#include "config/mapping.hpp"

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
                                          std::to_string(crossed->second) +
                                          " on the same server");
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

}  // namespace

bool same_endpoint(Tenant const& a, Tenant const& b) {
    auto const port_of = [](Tenant const& tenant) {
        if (tenant.port != 0) return static_cast<int>(tenant.port);
        return tenant.protocol == Protocol::imap && tenant.tls != Tls::implicit ? 143 : 993;
    };
    return a.protocol == b.protocol && port_of(a) == port_of(b) &&
           fold_case(a.host) == fold_case(b.host);
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
    use.same_endpoint =
        source != nullptr && target != nullptr && same_endpoint(*source, *target);
    use.source_password = by_user(source);
    use.target_password = by_user(target);
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
