#pragma once

/// One mailbox's run through one pass: discover, plan, fetch, spool, store, forget. The fetch side
/// and the store side run at the same time and meet in a queue; a target that stands still leaves
/// the fetch side running until the spool is full.
///
/// Files: mailbox_run.cpp begins and ends it, fetch_side.cpp reads the source, fetch_receiver.cpp
/// takes items off the wire, spool_side.cpp makes what waits durable, named_items.cpp knows items
/// by their names, rekey.cpp follows a changed UIDVALIDITY; target_folders.cpp makes folders,
/// store_side.cpp feeds the target over its sessions, store_group.cpp sends one group, recover.cpp
/// settles intents whose answer was lost.

#include "async/task_group.hpp"
#include "daemon/pending_item.hpp"
#include "daemon/plan.hpp"
#include "daemon/pool.hpp"
#include "daemon/services.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

namespace mailferry::daemon {

struct MailboxTask {
    config::Migration const* migration = nullptr;
    config::Pass const* pass = nullptr;
    config::MailboxPair const* pair = nullptr;
    transport::Window window;
    SourcePool* source = nullptr;
    TargetPool* target = nullptr;
    MailboxLogin source_login, target_login;
    std::chrono::milliseconds settle_interval{5'000};  ///< Between two looks at a doubtful target.
};

/// How a run ended. Without an error everything of the window is at the target or in `counters`.
struct MailboxOutcome {
    store::PassCounters counters;
    std::optional<Error> error;  ///< What stands in the way; the ledger knows how far it got.
};

class MailboxRun {
public:
    MailboxRun(Services& services, MailboxTask task, MailboxView& view);
    MailboxRun(MailboxRun const&) = delete;
    MailboxRun& operator=(MailboxRun const&) = delete;

    /// Once. Must be awaited to its end before the run is destroyed.
    awaitable<MailboxOutcome> run();
    /// Ends the run at the next safe point: groups under way get their answers, nothing new begins.
    void stop();
    /// The same with a reason that becomes the outcome's error.
    void abandon(Error reason) { fail(std::move(reason)); }

private:
    friend class FetchReceiver;
    /// Some items of one folder that are fetched with one command.
    struct Grain {
        std::vector<transport::ItemRef> items;
        std::uint64_t bytes = 0;
    };
    using ItemKey = std::pair<store::FolderId, transport::ItemNumber>;
    struct EarlierCopy {
        store::FolderId folder{};  ///< The one that it was copied from: the item may have moved.
        transport::ItemNumber target_number = 0;
    };
    struct FlagUpdate {
        store::FolderId folder{};
        std::vector<std::pair<store::StoredRecord, transport::Flags>> items;  ///< And flags now.
    };
    struct Group;
    struct Lane;
    /// A target folder that may hold more of what was sent than it showed.
    struct Suspicion {
        transport::ItemNumber from = 0;       ///< No copy in doubt has a smaller number.
        transport::ItemNumber seen_next = 0;  ///< FolderPosition::next at the last look.
    };

    // mailbox_run.cpp
    awaitable<Result<void>> load_ledger();
    void expect_item(std::uint64_t bytes);
    void enqueue(PendingPtr item);
    void fail(Error error);
    bool halted() const { return stopping_ || failure_.has_value(); }
    FolderPlan* plan_of(store::FolderId folder);
    awaitable<Result<void>> save_record(FolderPlan& plan);
    transport::Window window_for(FolderPlan const& plan) const;
    awaitable<void> record_failed(std::vector<store::ItemRecord> failed);
    awaitable<void> finish();

    // fetch_side.cpp
    awaitable<void> fetch_side();
    awaitable<Result<void>> discover(SourcePool::Lease& lease);
    awaitable<Result<void>> note_left_out(std::vector<transport::LeftOutFolder> folders);
    awaitable<void> copy_folder(SourcePool::Lease& lease, FolderPlan& plan);
    awaitable<Result<void>> scan_folder(SourcePool::Lease& lease, FolderPlan& plan);
    awaitable<Result<void>> take_page(SourcePool::Lease& lease, FolderPlan& plan,
                                      transport::ScanResult const& page,
                                      std::vector<transport::ItemMeta> listed, bool first_time);
    void add_to_grains(std::vector<Grain>& grains, transport::ItemMeta item);
    awaitable<Result<void>> note_flag_changes(FolderPlan& plan,
                                              std::vector<transport::ItemMeta> changed);
    awaitable<Result<void>> fetch_grains(SourcePool::Lease& lease, FolderPlan& plan,
                                         std::vector<Grain> grains);
    bool is_known(KnownNumbers const& known, store::FolderId folder,
                  transport::ItemNumber number) const;
    awaitable<Result<void>> fetch_grain(transport::SourceSession& session, FolderPlan& plan,
                                        Grain grain);

    // named_items.cpp
    awaitable<Result<void>> number_named(FolderPlan& plan,
                                         std::vector<transport::ItemMeta>& listed);
    awaitable<Result<std::vector<transport::ItemNumber>>> settle_moved(
        FolderPlan& plan, store::FolderId home, std::vector<transport::ItemMeta const*> items);
    awaitable<Result<std::map<transport::ItemNumber, transport::ItemNumber>>> newer_of(
        FolderPlan const& plan, store::FolderId home,
        std::vector<transport::ItemMeta const*> items);
    awaitable<Result<std::vector<transport::ItemMeta>>> take_newer_versions(
        FolderPlan& plan, std::vector<transport::ItemMeta>& listed);
    std::uint64_t newer_in(FolderPlan const& plan) const;

    // rekey.cpp
    awaitable<Result<void>> rekey_folder(transport::SourceSession& session, FolderPlan& plan,
                                         std::string generation);

    // spool_side.cpp
    awaitable<void> spool_side();
    void await_spool(PendingPtr item);
    std::vector<PendingPtr> take_due();
    awaitable<void> wait_for_due();
    awaitable<Result<void>> spool(std::vector<PendingPtr> batch);

    // store_side.cpp
    awaitable<void> store_side();
    bool store_work_left() const;
    bool store_work_is_sure() const;
    awaitable<Result<void>> store_on(transport::TargetSession& session, TaskGroup& helpers);
    awaitable<Result<void>> feed(Lane& lane, TaskGroup* helpers);
    awaitable<Result<void>> begin_folder(Lane& lane, FolderPlan& plan);
    void call_helper(TaskGroup& helpers, bool stuck);
    awaitable<void> help_to_store();
    std::optional<store::FolderId> next_folder() const;
    std::vector<PendingPtr> take_group(store::FolderId folder, std::uint64_t bytes_max);
    awaitable<Result<void>> apply_flags(transport::TargetSession& session);

    // target_folders.cpp
    awaitable<Result<void>> prepare_targets(transport::TargetSession& session);
    awaitable<Result<void>> prepare_target(transport::TargetSession& session, FolderPlan& plan);
    void drop_folder(FolderPlan& plan, Error error);
    void drop_stranded();

    // store_group.cpp
    awaitable<void> send_group(Lane& lane, FolderPlan& plan, std::vector<PendingPtr> items);
    awaitable<Result<transport::StoreResult>> send_intent(Lane& lane, FolderPlan& plan,
                                                          Group& group);
    awaitable<Result<std::vector<std::string>>> earlier_names(FolderPlan const& plan,
                                                              Group const& group);
    awaitable<void> take_answer(Lane& lane, FolderPlan& plan, Group& group,
                                transport::StoreResult result);
    awaitable<void> take_failure(Lane& lane, FolderPlan& plan, Group& group, Error error);
    awaitable<store::ItemRecord> give_up(PendingPtr item, Error reason);
    void forget_bytes(PendingItem& item);
    void settle(PendingPtr const& item, bool stored);
    void requeue(PendingPtr item);
    void drop_item(PendingPtr item);

    // recover.cpp
    awaitable<Result<void>> recover(transport::TargetSession& session);
    awaitable<Result<void>> recover_folder(transport::TargetSession& session, FolderPlan& plan,
                                           std::vector<store::IntentRecord> intents);
    awaitable<Result<void>> close_recovered(FolderPlan& plan, store::IntentRecord intent,
                                            std::vector<store::StoredRecord> proven,
                                            std::string generation);
    awaitable<Result<void>> look_again(transport::TargetSession& session, FolderPlan& plan,
                                       transport::FolderPosition const& position);

    Services& services_;
    MailboxTask const task_;
    MailboxView& view_;
    store::PairId pair_{};
    std::vector<FolderPlan> plans_;
    std::map<store::FolderId, std::unique_ptr<FolderPlan>> old_plans_;  ///< Not listed (yet).
    bool source_open_ = false;    ///< A session to the source has been had.
    bool planned_ = false;        ///< plans_ hold the source's folders.
    bool targets_ready_ = false;  ///< Each plan has its target folder, or its error.
    bool recovered_ = false;      ///< No intent of an earlier run is open.
    bool doubt_ = false;          ///< Intents of this run are open: recover before going on.
    bool fetched_ = false;        ///< The fetch side has ended.
    bool stored_ = false;         ///< The store side has ended.
    bool stopping_ = false;
    std::optional<Error> failure_;         ///< Ends the run.
    std::optional<Error> refetch_;         ///< Spool damage: another run fetches what was lost.
    std::optional<Error> folder_failure_;  ///< The first folder that could not be copied.
    std::map<store::FolderId, std::deque<PendingPtr>> waiting_;
    std::unordered_map<std::uint64_t, PendingPtr> in_doubt_;  ///< By item id.
    /// Finished in the spool, not yet durable and recorded; the next one due is in front.
    std::deque<PendingPtr> unspooled_;
    std::size_t spooling_ = 0;  ///< Taken from unspooled_, being recorded.
    std::vector<FlagUpdate> flag_updates_;
    /// Items that are fetched again since they changed, and where our copies of them are.
    std::map<ItemKey, EarlierCopy> replaced_;
    /// Items between fetch and store, and their versions. The ledger learns of them late, or only
    /// by their intent.
    std::map<ItemKey, std::uint64_t> on_their_way_;
    std::set<store::FolderId> behind_;  ///< Hold newer states than those on their way: scan again.
    std::map<store::FolderId, Suspicion> suspects_;
    std::uint64_t sends_ = 0;  ///< Groups answered; tells a working target from a sick one.
    std::uint64_t next_helper_call_ = 0;  ///< In sends_.
    std::size_t groups_under_way_ = 0;
    std::set<store::FolderId> complete_;         ///< Scanned to the end, every item taken.
    std::set<store::FolderId> dropped_folders_;  ///< Left out, with their reason told.
    std::vector<store::ItemId> dropped_items_;   ///< To be forgotten, so that they come again.
    store::PassCounters counters_;
    Event changed_;
};

}  // namespace mailferry::daemon
