#include "daemon/plan.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace mailferry::daemon {
namespace {

using transport::Folder;
using transport::FolderPath;
using transport::FolderRole;

/// ASCII only, whatever the locale: other letters differ if their bytes do.
std::string folded(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string folded(FolderPath const& path) {
    std::string key;
    for (auto const& component : path) key.append(folded(component)) += '\0';
    return key;
}

bool is_excluded(Folder const& folder, std::vector<std::string> const& rules) {
    auto const path = folded(transport::display(folder.path));
    auto const name = folder.path.empty() ? std::string() : folded(folder.path.back());
    return std::any_of(rules.begin(), rules.end(), [&](std::string const& rule) {
        auto wanted = folded(rule);
        if (wanted.starts_with('\\')) wanted.erase(0, 1);
        return wanted == path || wanted == name ||
               (folder.role != FolderRole::none && wanted == transport::to_string(folder.role)) ||
               path.starts_with(wanted + "/");
    });
}

/// People miss their appointments and addresses first, then what is in the inbox.
int rank(Folder const& folder) {
    switch (folder.kind) {
    case transport::ItemKind::contacts: return 0;
    case transport::ItemKind::calendar: return 1;
    case transport::ItemKind::tasks: return 2;
    case transport::ItemKind::mail: return folder.role == FolderRole::inbox ? 3 : 4;
    }
    return 4;
}

bool is_unchanged(FolderPlan const& plan, FolderRules const& rules) {
    auto const& record = plan.record;
    transport::Window const covered{record.covered_since, record.covered_before};
    return rules.marks_cover_flags && record.covered && !record.target_id.empty() &&
           !plan.source.mark.empty() && plan.source.mark == record.mark &&
           covered.covers(plan.source.kind == config::ItemKind::mail ? rules.window
                                                                     : transport::Window{});
}

/// The target path that a mapped ancestor implies, else the source's own.
FolderPath inherited_path(FolderPath const& path, std::map<FolderPath, FolderPath> const& mapped) {
    for (auto length = path.size(); length > 0; --length) {
        auto const parent = mapped.find(FolderPath(path.begin(), path.begin() + length));
        if (parent == mapped.end()) continue;
        auto target = parent->second;
        target.insert(target.end(), path.begin() + length, path.end());
        return target;
    }
    return path;
}

}  // namespace

std::vector<FolderPlan> plan_folders(std::vector<Folder> source,
                                     std::vector<store::FolderRecord> const& ledger,
                                     FolderRules const& rules) {
    std::map<std::string_view, store::FolderRecord const*> known;
    for (auto const& record : ledger) known.emplace(record.source_id, &record);
    std::vector<FolderPlan> plans;
    for (auto& folder : source) {
        bool const wanted =
            std::find(rules.kinds.begin(), rules.kinds.end(), folder.kind) != rules.kinds.end();
        if (!wanted || !folder.holds_items || is_excluded(folder, rules.exclude)) continue;
        FolderPlan plan;
        if (auto const record = known.find(folder.id); record != known.end()) {
            plan.record = *record->second;
            plan.target_id = plan.record.target_id;
        }
        plan.source = std::move(folder);
        plan.unchanged = is_unchanged(plan, rules);
        plans.push_back(std::move(plan));
    }
    std::sort(plans.begin(), plans.end(), [](FolderPlan const& a, FolderPlan const& b) {
        return std::pair(rank(a.source), a.source.path) < std::pair(rank(b.source), b.source.path);
    });
    return plans;
}

void plan_targets(std::vector<FolderPlan>& plans, std::vector<Folder> const& target) {
    std::map<FolderRole, Folder const*> by_role;
    std::map<std::string_view, Folder const*> by_id;
    for (auto const& folder : target) {
        if (folder.role != FolderRole::none) by_role.emplace(folder.role, &folder);
        by_id.emplace(folder.id, &folder);
    }
    std::set<std::string> taken;
    std::set<FolderRole> roles_given;
    std::map<FolderPath, FolderPath> mapped;
    auto const settle = [&](FolderPlan& plan, FolderPath path) {
        taken.insert(folded(path));
        mapped[plan.source.path] = path;
        plan.target_path = std::move(path);
    };
    for (auto& plan : plans) {
        auto const known = by_id.find(plan.target_id);
        if (plan.target_id.empty() || known == by_id.end()) continue;
        roles_given.insert(known->second->role);
        settle(plan, known->second->path);
    }
    for (auto& plan : plans) {
        if (!plan.target_path.empty()) continue;
        auto const role = plan.source.role;
        auto const twin = by_role.find(role);
        if (role != FolderRole::none && twin != by_role.end() && roles_given.insert(role).second &&
            !taken.contains(folded(twin->second->path))) {
            settle(plan, twin->second->path);
            continue;
        }
        auto path = inherited_path(plan.source.path, mapped);
        auto const name = path.back();
        for (int copy = 2; taken.contains(folded(path)); ++copy)
            path.back() = name + " (" + std::to_string(copy) + ")";
        settle(plan, std::move(path));
    }
}

bool KnownNumbers::contains(transport::ItemNumber number) const {
    auto const behind = std::upper_bound(
        runs_.begin(), runs_.end(), number,
        [](std::uint64_t value, store::NumberRun const& run) { return value < run.first; });
    return behind != runs_.begin() && number <= std::prev(behind)->last;
}

std::uint64_t KnownNumbers::count() const {
    std::uint64_t sum = 0;
    for (auto const& run : runs_) sum += run.last - run.first + 1;
    return sum;
}

bool has_flag(transport::Flags const& flags, std::string_view flag) {
    return std::any_of(flags.begin(), flags.end(),
                       [&](std::string const& held) { return folded(held) == folded(flag); });
}

FlagChange flag_change(transport::Flags const& before, transport::Flags const& now) {
    FlagChange change;
    for (auto const& flag : now)
        if (!has_flag(before, flag)) change.add.push_back(flag);
    for (auto const& flag : before)
        if (!has_flag(now, flag)) change.remove.push_back(flag);
    return change;
}

bool covers(config::Pass const& pass, config::MailboxPair const& mailbox) {
    return pass.waves.empty() ||
           std::find(pass.waves.begin(), pass.waves.end(), mailbox.wave) != pass.waves.end();
}

transport::Window window_of(config::Pass const& pass, std::int64_t now_unix) {
    auto const bound = [&](auto const& age, auto const& date) -> std::optional<std::int64_t> {
        if (age) return now_unix - age->count();
        if (date) return date->time_since_epoch().count();
        return std::nullopt;
    };
    return {.since = bound(pass.mail_since_age, pass.mail_since),
            .before = bound(pass.mail_before_age, pass.mail_before)};
}

}  // namespace mailferry::daemon
