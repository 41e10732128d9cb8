#pragma once

/// Which source folder goes where, and which items of it have to move. Pure: values to values.

#include "store/ledger.hpp"
#include "transport/model/folder.hpp"
#include "transport/model/item.hpp"

#include <string>
#include <vector>

namespace mailferry::daemon {

/// One source folder's way to the target.
struct FolderPlan {
    transport::Folder source;
    transport::FolderPath target_path;
    std::string target_id;       ///< "" if it has to be made (or found) first.
    store::FolderRecord record;  ///< As in the ledger; id 0 if it is new there.
    bool unchanged = false;      ///< Mark and window say that nothing has to be read.
};

struct FolderRules {
    std::vector<std::string> exclude;  ///< By path, by last name, or by special use; any case.
    std::vector<config::ItemKind> kinds;
    transport::Window window;
    bool marks_cover_flags = false;
};

/// Folders in the order in which they are copied: contacts, calendars, tasks, the inbox, then other
/// mail, each by path.
std::vector<FolderPlan> plan_folders(std::vector<transport::Folder> source,
                                     std::vector<store::FolderRecord> const& ledger,
                                     FolderRules const& rules);

/// Gives each plan that has no target yet a path at the target: what the ledger says, else the
/// folder with the same role, else the same path below a mapped parent. Two source folders never
/// share one: the later one gets a suffix.
void plan_targets(std::vector<FolderPlan>& plans, std::vector<transport::Folder> const& target);

/// A sorted set of item numbers as runs, for questions one by one.
class KnownNumbers {
public:
    explicit KnownNumbers(std::vector<store::NumberRun> runs) : runs_(std::move(runs)) {}
    bool contains(transport::ItemNumber number) const;
    std::uint64_t count() const;

private:
    std::vector<store::NumberRun> runs_;
};

/// What changed between two sets of flags (case-insensitive).
struct FlagChange {
    transport::Flags add, remove;
    bool empty() const { return add.empty() && remove.empty(); }
    auto operator<=>(FlagChange const&) const = default;
};
FlagChange flag_change(transport::Flags const& before, transport::Flags const& now);
bool has_flag(transport::Flags const& flags, std::string_view flag);

/// Whether the mailbox is in one of the pass's waves.
bool covers(config::Pass const& pass, config::MailboxPair const& mailbox);

/// Ages of a pass become instants at its start.
transport::Window window_of(config::Pass const& pass, std::int64_t now_unix);

}  // namespace mailferry::daemon
