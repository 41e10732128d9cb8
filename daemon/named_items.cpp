// Items of servers that name them: the ledger gives each name a number, once for the mailbox, so
// that an item that moved to another folder is known there, and one that changed is told by its
// version.

#include "config/base/log.hpp"
#include "daemon/content_reader.hpp"
#include "daemon/mailbox_run.hpp"

#include <algorithm>

namespace mailferry::daemon {

/// Gives the items of a page their numbers. An item that the ledger has in another folder (it
/// moved) is taken off the page, unless it changed, too: its copy stays where it is.
awaitable<Result<void>> MailboxRun::number_named(FolderPlan& plan,
                                                 std::vector<transport::ItemMeta>& listed) {
    std::vector<std::string> names;
    for (auto const& item : listed)
        if (!item.name.empty()) names.push_back(item.name);
    if (names.empty()) co_return Result<void>{};
    auto const given = co_await services_.ledger.number_items(plan.record.id, std::move(names));
    if (!given) co_return given.error();

    std::map<store::FolderId, std::vector<transport::ItemMeta const*>> elsewhere;
    auto next = given->begin();
    for (auto& item : listed) {
        if (item.name.empty()) continue;
        item.number = next->number;
        if (next->folder != plan.record.id) elsewhere[next->folder].push_back(&item);
        ++next;
    }
    std::set<transport::ItemNumber> stays;
    for (auto const& [home, items] : elsewhere) {
        auto const unmoved = co_await settle_moved(plan, home, items);
        if (!unmoved) co_return unmoved.error();
        stays.insert(unmoved->begin(), unmoved->end());
    }
    if (stays.empty()) co_return Result<void>{};
    std::erase_if(listed, [&](auto const& item) { return stays.contains(item.number); });
    counters_.unchanged += stays.size();
    log::info("items moved at the source stay where they are at the target",
              {{"mailbox", task_.pair->source},
               {"folder", transport::display(plan.source.path)},
               {"items", stays.size()}});
    co_return Result<void>{};
}

/// Of items that `home` was the first folder to hold: the numbers of those that need nothing. What
/// `home` never got to copy has its home in `plan` from now on.
awaitable<Result<std::vector<transport::ItemNumber>>> MailboxRun::settle_moved(
    FolderPlan& plan, store::FolderId home, std::vector<transport::ItemMeta const*> items) {
    auto runs = co_await services_.ledger.known_numbers(home);
    if (!runs) co_return runs.error();
    KnownNumbers const known(std::move(*runs));
    std::vector<std::string> adopted;
    std::vector<transport::ItemMeta const*> held;
    for (auto const* item : items) {
        if (is_known(known, home, item->number))
            held.push_back(item);
        else
            adopted.push_back(item->name);
    }
    if (!adopted.empty()) {
        auto const homed =
            co_await services_.ledger.rehome_items(plan.record.id, std::move(adopted));
        if (!homed) co_return homed.error();
    }
    auto const newer = co_await newer_of(plan, home, held);
    if (!newer) co_return newer.error();
    std::vector<transport::ItemNumber> stays;
    for (auto const* item : held) {
        auto const earlier = newer->find(item->number);
        if (earlier == newer->end())
            stays.push_back(item->number);
        else
            replaced_[{plan.record.id, item->number}] = {home, earlier->second};
    }
    co_return stays;
}

/// Which of `items`, listed in `plan` and copied from `home`, are at the target in an older state,
/// and under which number. One that is on its way has to arrive first: if it is newer by now, the
/// folder is scanned again another time.
awaitable<Result<std::map<transport::ItemNumber, transport::ItemNumber>>> MailboxRun::newer_of(
    FolderPlan const& plan, store::FolderId home, std::vector<transport::ItemMeta const*> items) {
    std::map<transport::ItemNumber, transport::ItemNumber> newer;
    std::map<std::uint64_t, std::uint64_t> versions;
    std::vector<std::uint64_t> numbers;
    for (auto const* item : items) {
        auto const version = version_fingerprint(*item);
        auto const live = on_their_way_.find({home, item->number});
        if (live != on_their_way_.end()) {
            if (live->second != version) behind_.insert(plan.record.id);
            continue;
        }
        versions.emplace(item->number, version);
        numbers.push_back(item->number);
    }
    if (numbers.empty()) co_return newer;
    auto const stored = co_await services_.ledger.stored_numbers(home, std::move(numbers));
    if (!stored) co_return stored.error();
    for (auto const& record : *stored)
        if (record.target_number != 0 && record.fingerprint != versions.at(record.number))
            newer.emplace(record.number, record.target_number);
    if (newer.empty()) co_return newer;
    // The very state that the target refused before isn't tried again.
    auto const refused = co_await services_.ledger.failed_updates(home);
    if (!refused) co_return refused.error();
    for (auto const& record : *refused) {
        auto const version = versions.find(record.number);
        if (version != versions.end() && version->second == record.fingerprint)
            newer.erase(record.number);
    }
    co_return newer;
}

/// Those of `listed` that are at the target in an older state; they leave `listed`, and so do all
/// others that have a version, since it speaks for their flags, too.
awaitable<Result<std::vector<transport::ItemMeta>>> MailboxRun::take_newer_versions(
    FolderPlan& plan, std::vector<transport::ItemMeta>& listed) {
    auto const first = std::stable_partition(listed.begin(), listed.end(),
                                             [](auto const& item) { return item.version.empty(); });
    std::vector<transport::ItemMeta> versioned(std::make_move_iterator(first),
                                               std::make_move_iterator(listed.end()));
    listed.erase(first, listed.end());
    std::vector<transport::ItemMeta const*> asked;
    for (auto const& item : versioned) asked.push_back(&item);
    auto const newer = co_await newer_of(plan, plan.record.id, std::move(asked));
    if (!newer) co_return newer.error();
    for (auto const& [number, target_number] : *newer)
        replaced_[{plan.record.id, number}] = {plan.record.id, target_number};
    counters_.unchanged += versioned.size() - newer->size();
    std::erase_if(versioned, [&](auto const& item) { return !newer->contains(item.number); });
    co_return versioned;
}

/// How many of the folder's stored items are fetched again.
std::uint64_t MailboxRun::newer_in(FolderPlan const& plan) const {
    auto const count = std::count_if(replaced_.begin(), replaced_.end(), [&](auto const& entry) {
        return entry.second.folder == plan.record.id;
    });
    return static_cast<std::uint64_t>(count);
}

}  // namespace mailferry::daemon
