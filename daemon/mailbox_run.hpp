#pragma once

/// One mailbox's run through one pass: discover, plan, fetch, spool, store, forget. The fetch side
/// and the store side run at the same time and meet in a queue; a target that stands still leaves
/// the fetch side running until the spool is full.
///
/// Files: mailbox_run.cpp begins and ends it, fetch_side.cpp reads the source, fetch_receiver.cpp
/// takes items off the wire, rekey.cpp follows a changed UIDVALIDITY, store_side.cpp feeds the
/// target, recover.cpp settles intents whose answer was lost.

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
        std::vector<transport::ItemNumber> numbers;
        std::uint64_t bytes = 0;
    };
    struct FlagUpdate {
        store::FolderId folder{};
        std::vector<std::pair<store::StoredRecord, transport::Flags>> items;  ///< And flags now.
    };
    struct Group;

    // mailbox_run.cpp
    awaitable<Result<void>> load_ledger();
    void expect_item(std::uint64_t bytes);
    void enqueue(PendingPtr item);
    void fail(Error error);
    bool halted() const { return stopping_ || failure_.has_value(); }
    FolderPlan* plan_of(store::FolderId folder);
    awaitable<Result<void>> save_record(FolderPlan& plan);
    awaitable<void> record_failed(std::vector<store::ItemRecord> failed);
    awaitable<void> finish();

    // fetch_side.cpp
    awaitable<void> fetch_side();
    awaitable<Result<void>> discover(SourcePool::Lease& lease);
    awaitable<void> copy_folder(SourcePool::Lease& lease, FolderPlan& plan);
    awaitable<Result<void>> scan_folder(SourcePool::Lease& lease, FolderPlan& plan);
    awaitable<Result<void>> take_page(SourcePool::Lease& lease, FolderPlan& plan,
                                      transport::ScanResult const& page,
                                      std::vector<transport::ItemMeta> listed, bool first_time);
    awaitable<Result<void>> note_flag_changes(FolderPlan& plan,
                                              std::vector<transport::ItemMeta> changed);
    awaitable<Result<void>> fetch_grains(SourcePool::Lease& lease, FolderPlan& plan,
                                         std::vector<Grain> grains);
    awaitable<Result<void>> fetch_grain(transport::SourceSession& session, FolderPlan& plan,
                                        Grain grain);
    awaitable<void> drain_unspooled();

    // rekey.cpp
    awaitable<Result<void>> rekey_folder(transport::SourceSession& session, FolderPlan& plan,
                                         std::string generation);

    // fetch_receiver.cpp
    awaitable<void> spool_side();

    // store_side.cpp
    awaitable<void> store_side();
    bool store_work_left() const;
    awaitable<Result<void>> store_on(transport::TargetSession& session);
    awaitable<Result<void>> prepare_targets(transport::TargetSession& session);
    awaitable<Result<void>> prepare_target(transport::TargetSession& session, FolderPlan& plan);
    std::optional<store::FolderId> next_folder() const;
    std::vector<PendingPtr> take_group(store::FolderId folder);
    awaitable<void> send_group(transport::TargetSession& session, FolderPlan& plan,
                               std::vector<PendingPtr> items);
    awaitable<Result<transport::StoreResult>> send_intent(transport::TargetSession& session,
                                                          FolderPlan& plan, Group& group);
    awaitable<void> take_answer(FolderPlan& plan, Group& group, transport::StoreResult result);
    awaitable<void> take_failure(FolderPlan& plan, Group& group, Error error);
    awaitable<store::ItemRecord> give_up(PendingPtr item, Error reason);
    void settle(PendingPtr const& item, bool stored);
    void requeue(PendingPtr item);
    void drop_folder(FolderPlan& plan, Error error);
    void drop_stranded();
    void drop_item(PendingPtr item);
    awaitable<Result<void>> apply_flags(transport::TargetSession& session);

    // recover.cpp
    awaitable<Result<void>> recover(transport::TargetSession& session);
    awaitable<Result<void>> recover_folder(transport::TargetSession& session, FolderPlan& plan,
                                           std::vector<store::IntentRecord> intents);

    Services& services_;
    MailboxTask const task_;
    MailboxView& view_;
    store::PairId pair_{};
    std::vector<FolderPlan> plans_;
    std::map<store::FolderId, std::unique_ptr<FolderPlan>> old_plans_;  ///< Not listed (yet).
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
    std::vector<PendingPtr> unspooled_;  ///< Finished in the spool, not yet durable and recorded.
    std::size_t spooling_ = 0;           ///< Taken from unspooled_, being recorded.
    std::vector<FlagUpdate> flag_updates_;
    std::map<store::FolderId, transport::FolderPosition> positions_;
    std::optional<Error> session_error_;  ///< The target session in use is lost.
    std::uint64_t sends_ = 0;  ///< Groups answered; tells a working target from a sick one.
    std::set<store::FolderId> complete_;         ///< Scanned to the end, every item taken.
    std::set<store::FolderId> dropped_folders_;  ///< Left out, with their reason told.
    std::vector<store::ItemId> dropped_items_;   ///< To be forgotten, so that they come again.
    store::PassCounters counters_;
    Event changed_;
    TaskGroup groups_;
};

}  // namespace mailferry::daemon
