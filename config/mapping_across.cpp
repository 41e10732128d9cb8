#include "config/mapping.hpp"

#include "config/base/error.hpp"
#include "config/problem_list.hpp"
#include "config/text.hpp"

#include <cstddef>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>

namespace mailferry::config {
namespace {

struct Filled {
    Migration const* migration;
    int line;
};

/// Mailboxes by server: tenants that are one server share a number.
class Servers {
public:
    explicit Servers(Config const& config) : config_(config) {}

    /// A mailbox's name that is the same for all tenants that are one server; nothing for a name
    /// that is no tenant's.
    std::optional<std::string> mailbox(std::string const& tenant_name,
                                       std::string const& address) const {
        auto const* const tenant = config_.tenant(tenant_name);
        if (tenant == nullptr) return std::nullopt;
        std::size_t number = 0;
        while (!same_endpoint(config_.tenants[number], *tenant)) ++number;
        return std::to_string(number) + ' ' + fold_case(address);
    }

private:
    Config const& config_;
};

std::string where(Filled const& filled) {
    return "line " + std::to_string(filled.line) + " of " +
           escape_untrusted(filled.migration->mapping.string()) + " (migration." +
           escape_untrusted(filled.migration->name, 128) + ")";
}

}  // namespace

std::vector<Problem> check_across(Config const& config, MappingsByMigration const& mappings) {
    if (mappings.size() < 2) return {};
    Servers const servers(config);
    std::unordered_map<std::string, Filled> filled;
    std::vector<Problem> problems;
    auto const for_each_row = [&](auto use) {
        for (auto const& migration : config.migrations) {
            auto const pairs = mappings.find(migration.name);
            if (pairs == mappings.end()) continue;
            ProblemList found(migration.mapping.string());
            for (auto const& pair : pairs->second) use(migration, pair, found);
            auto taken = found.take();
            problems.insert(problems.end(), std::make_move_iterator(taken.begin()),
                            std::make_move_iterator(taken.end()));
        }
    };
    for_each_row([&](Migration const& migration, MailboxPair const& pair, ProblemList& found) {
        auto mailbox = servers.mailbox(migration.target, pair.target);
        if (!mailbox) return;
        auto const [known, fresh] =
            filled.try_emplace(std::move(*mailbox), Filled{&migration, pair.line});
        if (!fresh && known->second.migration != &migration)
            found.error(pair.line, "target " + shown(pair.target) + " is also the target of " +
                                       where(known->second) + ": one mailbox has one writer");
    });
    for_each_row([&](Migration const& migration, MailboxPair const& pair, ProblemList& found) {
        auto const mailbox = servers.mailbox(migration.source, pair.source);
        auto const known = mailbox ? filled.find(*mailbox) : filled.end();
        if (known != filled.end() && known->second.migration != &migration)
            found.error(pair.line, "source " + shown(pair.source) + " is the target of " +
                                       where(known->second) +
                                       ": it would be read while it is being filled");
    });
    return problems;
}

}  // namespace mailferry::config
