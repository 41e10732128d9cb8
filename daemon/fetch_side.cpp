#include "config/base/log.hpp"
#include "daemon/fetch_receiver.hpp"
#include "daemon/mailbox_run.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

constexpr std::size_t grain_items_max = 256;
constexpr std::uint64_t grain_bytes_max = 4 << 20;
constexpr std::size_t commands_in_flight = 2;   ///< The next one is at the server in time.
constexpr std::size_t grains_for_a_helper = 8;  ///< Left to do, before another session is worth it.
constexpr int folder_attempts_max = 5;          ///< In a row without one item fetched.
constexpr std::size_t items_waiting_max = 100'000;  ///< Of all mailboxes: some 400 bytes each.
constexpr std::chrono::milliseconds pause_after_refusal{1'000};
constexpr std::uint64_t flag_span = 4096;  ///< Numbers looked up in the ledger at once.

class PageSink final : public transport::ScanSink {
public:
    void item(transport::ItemMeta meta) override { items.push_back(std::move(meta)); }
    void vanished(transport::ItemNumber, transport::ItemNumber) override {}
    std::vector<transport::ItemMeta> items;
};

transport::ItemRef ref_of(transport::ItemMeta meta) {
    transport::ItemRef ref{.number = meta.number, .size = meta.size, .named = nullptr};
    if (!meta.name.empty())
        ref.named = std::make_shared<transport::ItemMeta const>(std::move(meta));
    return ref;
}

bool is_folder_error(Errc code) {
    auto const disposition = disposition_of(code);
    return disposition == Disposition::skip_folder || disposition == Disposition::skip_item;
}

}  // namespace

awaitable<void> MailboxRun::fetch_side() {
    // Items of an earlier run may be at the target or have to be fetched again: know which first.
    while (!recovered_ && !halted()) co_await changed_.wait();
    SourcePool::Lease lease;
    if (!halted()) {
        auto const discovered = co_await discover(lease);
        if (!discovered) fail(discovered.error().in("source"));
    }
    for (auto& plan : plans_) {
        if (halted()) break;
        view_.folder = transport::display(plan.source.path);
        if (plan.unchanged) {
            auto const known = co_await services_.ledger.stored_count(plan.record.id);
            if (known) counters_.unchanged += *known;
            continue;
        }
        co_await copy_folder(lease, plan);
    }
    lease.release();
    fetched_ = true;
    changed_.notify_all();
}

awaitable<Result<void>> MailboxRun::discover(SourcePool::Lease& lease) {
    for (int attempt = 1;; ++attempt) {
        auto acquired = co_await task_.source->acquire(task_.source_login);
        if (!acquired) co_return acquired.error();
        lease = std::move(*acquired);
        source_open_ = true;
        changed_.notify_all();
        auto folders = co_await lease->folders();
        if (!folders) {
            lease.release();
            auto const again = disposition_of(folders.error().code) == Disposition::retry_now;
            if (!again || attempt == folder_attempts_max) co_return folders.error();
            continue;
        }
        std::vector<store::FolderRecord> records;
        for (auto const& [id, plan] : old_plans_) records.push_back(plan->record);
        plans_ = plan_folders(std::move(*folders), records,
                              {.exclude = task_.migration->exclude_folders,
                               .kinds = task_.pass->kinds,
                               .window = task_.window,
                               .marks_cover_flags = lease->capabilities().marks_cover_flags});
        auto const noted = co_await note_left_out(lease->left_out());
        if (!noted) co_return noted.error();
        planned_ = true;
        targets_ready_ = std::all_of(plans_.begin(), plans_.end(), [](FolderPlan const& plan) {
            return !plan.target_id.empty();
        });
        changed_.notify_all();
        co_return Result<void>{};
    }
}

/// What can't cross is said, kept for the reports, and counted with what the rules leave out.
awaitable<Result<void>> MailboxRun::note_left_out(std::vector<transport::LeftOutFolder> folders) {
    std::vector<store::LeftOutFolder> records;
    for (auto const& folder : folders) {
        if (folder.items == 0) continue;
        counters_.left_out += folder.items;
        records.push_back({transport::display(folder.path), folder.reason, folder.items});
        log::info("not copied", {{"mailbox", task_.pair->source},
                                 {"folder", transport::display(folder.path)},
                                 {"items", folder.items},
                                 {"reason", folder.reason}});
    }
    co_return co_await services_.ledger.save_left_out(pair_, std::move(records));
}

/// Copies one folder, over new sessions if need be. Its failure is the folder's, not the mailbox's,
/// unless the source as a whole is gone.
awaitable<void> MailboxRun::copy_folder(SourcePool::Lease& lease, FolderPlan& plan) {
    for (int attempt = 1; !halted() && !dropped_folders_.contains(plan.record.id); ++attempt) {
        if (!lease) {
            auto acquired = co_await task_.source->acquire(task_.source_login);
            if (!acquired) {
                fail(acquired.error().in("source"));
                co_return;
            }
            lease = std::move(*acquired);
        }
        auto const fetched_before = services_.totals.bytes_fetched;
        auto const counters_before = counters_;
        auto const scanned = co_await scan_folder(lease, plan);
        if (scanned || halted()) co_return;
        if (is_folder_error(scanned.error().code)) {
            drop_folder(
                plan, scanned.error().in("source folder " + transport::display(plan.source.path)));
            co_return;
        }
        lease.release();
        counters_.unchanged = counters_before.unchanged;
        counters_.left_out = counters_before.left_out;
        if (services_.totals.bytes_fetched != fetched_before) attempt = 0;
        auto const disposition = disposition_of(scanned.error().code);
        if (disposition == Disposition::retry_later && attempt < folder_attempts_max) {
            auto const pause = scanned.error().retry_after.value_or(pause_after_refusal);
            co_await changed_.wait_for(pause);
            continue;
        }
        if (disposition == Disposition::retry_later) {
            drop_folder(
                plan, scanned.error().in("source folder " + transport::display(plan.source.path)));
            co_return;
        }
        if (disposition != Disposition::retry_now || attempt >= folder_attempts_max) {
            fail(scanned.error().in("source folder " + transport::display(plan.source.path)));
            co_return;
        }
    }
}

/// Lists the folder page by page and fetches what is new of each before the next is listed.
awaitable<Result<void>> MailboxRun::scan_folder(SourcePool::Lease& lease, FolderPlan& plan) {
    transport::Window const covered{plan.record.covered_since, plan.record.covered_before};
    auto const window = window_for(plan);
    bool const changes_only = plan.record.covered && covered.covers(window);
    transport::ScanRequest request{.since_mark = changes_only ? plan.record.mark : std::string(),
                                   .from = 1,
                                   .items_max = 20'000,
                                   .window = window};
    std::uint64_t stored_before = 0;
    if (plan.record.id != store::FolderId{}) {
        auto const count = co_await services_.ledger.stored_count(plan.record.id);
        if (!count) co_return count.error();
        stored_before = *count;
    }
    std::string mark;
    bool complete = true;
    auto const unchanged_before = counters_.unchanged;
    for (bool first = true; !halted() && !dropped_folders_.contains(plan.record.id);
         first = false) {
        PageSink sink;
        auto const page = co_await lease->scan(plan.source, request, sink);
        if (!page) co_return page.error();
        if (first) mark = page->mark;
        complete = complete && page->complete;
        auto const taken = co_await take_page(lease, plan, *page, std::move(sink.items), first);
        if (!taken) co_return taken.error();
        if (page->next == 0) {
            // A listing of changes doesn't name what stayed as it was.
            if (!complete) counters_.unchanged = unchanged_before + stored_before - newer_in(plan);
            plan.record.mark = mark;
            complete_.insert(plan.record.id);
            break;
        }
        request.from = page->next;
    }
    co_return Result<void>{};
}

awaitable<Result<void>> MailboxRun::take_page(SourcePool::Lease& lease, FolderPlan& plan,
                                              transport::ScanResult const& page,
                                              std::vector<transport::ItemMeta> listed,
                                              bool first_time) {
    if (!plan.record.generation.empty() && plan.record.generation != page.generation) {
        auto const rekeyed = co_await rekey_folder(*lease, plan, page.generation);
        if (!rekeyed) co_return rekeyed.error();
    }
    if (first_time && (plan.record.id == store::FolderId{} || plan.record.generation.empty())) {
        plan.record.generation = page.generation;
        auto const saved = co_await save_record(plan);
        if (!saved) co_return saved.error();
        changed_.notify_all();
    }
    auto const window = window_for(plan);
    std::erase_if(listed, [&](transport::ItemMeta const& item) {
        return !window.contains(item.received.unix_seconds);
    });
    auto const numbered = co_await number_named(plan, listed);
    if (!numbered) co_return numbered.error();
    auto runs = co_await services_.ledger.known_numbers(plan.record.id);
    if (!runs) co_return runs.error();
    KnownNumbers const known(std::move(*runs));
    std::vector<transport::ItemMeta> old_items;
    std::vector<Grain> grains;
    for (auto& item : listed) {
        if (is_known(known, plan.record.id, item.number)) {
            old_items.push_back(std::move(item));
        } else if (!task_.migration->copy_deleted && has_flag(item.flags, "\\Deleted")) {
            ++counters_.left_out;
        } else {
            add_to_grains(grains, std::move(item));
        }
    }
    listed.clear();
    auto const changed = co_await take_newer_versions(plan, old_items);
    if (!changed) co_return changed.error();
    for (auto& item : *changed) add_to_grains(grains, std::move(item));
    auto const noted = co_await note_flag_changes(plan, std::move(old_items));
    if (!noted) co_return noted.error();
    co_return co_await fetch_grains(lease, plan, std::move(grains));
}

/// What needs no fetch: the ledger has it, or it is on its way in this run.
bool MailboxRun::is_known(KnownNumbers const& known, store::FolderId folder,
                          transport::ItemNumber number) const {
    return known.contains(number) || on_their_way_.contains({folder, number});
}

void MailboxRun::add_to_grains(std::vector<Grain>& grains, transport::ItemMeta item) {
    bool const full = grains.empty() || grains.back().items.size() >= grain_items_max ||
                      grains.back().bytes + item.size > grain_bytes_max;
    if (full) grains.emplace_back();
    auto& grain = grains.back();
    grain.bytes += item.size;
    expect_item(item.size);
    grain.items.push_back(ref_of(std::move(item)));
}

/// Compares the flags of items that are at the target with what was carried there.
awaitable<Result<void>> MailboxRun::note_flag_changes(FolderPlan& plan,
                                                      std::vector<transport::ItemMeta> listed) {
    FlagUpdate update{.folder = plan.record.id, .items = {}};
    for (std::size_t from = 0; from < listed.size();) {
        auto const first = listed[from].number;
        auto to = from;
        while (to < listed.size() && listed[to].number >= first &&
               listed[to].number - first < flag_span)
            ++to;
        auto const stored =
            co_await services_.ledger.stored(plan.record.id, first, first + flag_span - 1);
        if (!stored) co_return stored.error();
        auto record = stored->begin();
        for (; from < to; ++from) {
            auto& item = listed[from];
            while (record != stored->end() && record->number < item.number) ++record;
            if (record == stored->end()) break;
            if (record->number != item.number) continue;
            ++counters_.unchanged;
            if (!flag_change(record->flags, item.flags).empty())
                update.items.emplace_back(*record, std::move(item.flags));
        }
        from = to;
    }
    if (!update.items.empty()) flag_updates_.push_back(std::move(update));
    co_return Result<void>{};
}

/// Works the grains off with several commands in flight, and with more sessions if some are spare.
awaitable<Result<void>> MailboxRun::fetch_grains(SourcePool::Lease& lease, FolderPlan& plan,
                                                 std::vector<Grain> grains) {
    std::size_t next = 0;
    std::optional<Error> first_error;
    auto const worker = [&](transport::SourceSession& session) -> awaitable<void> {
        while (next < grains.size() && !first_error && !halted()) {
            auto const fetched = co_await fetch_grain(session, plan, std::move(grains[next++]));
            if (!fetched && !first_error) first_error = fetched.error();
        }
    };
    auto const work_on = [&](transport::SourceSession& session) -> awaitable<void> {
        TaskGroup workers(services_.executor);
        for (std::size_t i = 0; i < commands_in_flight; ++i) workers.spawn(worker(session));
        co_await workers.join();
    };
    auto const helper = [&]() -> awaitable<void> {
        auto spare = co_await task_.source->acquire_spare(task_.source_login);
        if (spare) co_await work_on(*spare);
    };
    TaskGroup lanes(services_.executor);
    lanes.spawn(work_on(*lease));
    for (auto left = grains.size() / grains_for_a_helper; left > 0; --left) lanes.spawn(helper());
    co_await lanes.join();
    if (first_error) co_return *first_error;
    co_return Result<void>{};
}

awaitable<Result<void>> MailboxRun::fetch_grain(transport::SourceSession& session, FolderPlan& plan,
                                                Grain grain) {
    while (services_.items_waiting > items_waiting_max && !halted())
        co_await changed_.wait_for(std::chrono::milliseconds(100));
    FetchReceiver receiver(*this, plan, grain.items);
    // What doesn't come at the first asking is asked for once more before it counts as gone.
    for (int asking = 1; asking <= 2 && !receiver.missing().empty(); ++asking) {
        ++services_.totals.fetch_commands;
        std::vector<transport::ItemRef> wanted;
        for (auto const& item : grain.items)
            if (receiver.missing().contains(item.number)) wanted.push_back(item);
        auto const fetched = co_await session.fetch(plan.source, plan.record.generation,
                                                    std::move(wanted), receiver);
        if (!fetched) co_return fetched.error();
    }
    counters_.gone += receiver.missing().size();
    co_await record_failed(receiver.take_failed());
    co_return Result<void>{};
}

}  // namespace mailferry::daemon
