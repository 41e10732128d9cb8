#include "config/check.hpp"

#include "config/load.hpp"
#include "config/mapping.hpp"
#include "config/validate.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mailferry::config {
namespace {

void add(std::vector<Problem>& problems, std::vector<Problem> more) {
    std::move(more.begin(), more.end(), std::back_inserter(problems));
}

}  // namespace

bool CheckedConfig::usable() const {
    return std::all_of(problems.begin(), problems.end(),
                       [](Problem const& problem) { return problem.warning; });
}

CheckedConfig check_config(std::filesystem::path const& file) {
    auto loaded = load_config(file);
    CheckedConfig checked{std::move(loaded.config), {}, std::move(loaded.problems)};
    if (!loaded.parsed) return checked;
    add(checked.problems, validate(checked.config));
    std::stable_sort(checked.problems.begin(), checked.problems.end(),
                     [](auto const& a, auto const& b) { return a.line < b.line; });
    for (auto const& migration : checked.config.migrations) {
        if (migration.mapping.empty()) continue;
        auto mapping = load_mapping(migration.mapping);
        auto const use = mapping_use(checked.config, migration);
        // A file without a readable row would only repeat its fault in other words.
        if (!mapping.pairs.empty())
            add(mapping.problems, check_mapping(mapping.pairs, migration.mapping, use));
        std::stable_sort(mapping.problems.begin(), mapping.problems.end(),
                         [](auto const& a, auto const& b) { return a.line < b.line; });
        add(checked.problems, std::move(mapping.problems));
        checked.pairs.emplace(migration.name, std::move(mapping.pairs));
    }
    add(checked.problems, check_across(checked.config, checked.pairs));
    return checked;
}

}  // namespace mailferry::config
