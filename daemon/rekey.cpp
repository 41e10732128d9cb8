// A source folder whose item numbers became void (UIDVALIDITY changed; imap.md 6.4): what was
// copied under the old numbers is found again by its bytes, so that nothing is sent twice and
// nothing is taken for copied that isn't.

#include "config/base/log.hpp"
#include "daemon/content_reader.hpp"
#include "daemon/mailbox_run.hpp"

namespace mailferry::daemon {
namespace {

constexpr std::size_t numbers_in_a_command = 256;

/// Announced sizes may be estimates, so every item is a candidate.
class NumberSink final : public transport::ScanSink {
public:
    void item(transport::ItemMeta meta) override { candidates.emplace_back().number = meta.number; }
    void vanished(transport::ItemNumber, transport::ItemNumber) override {}
    std::vector<transport::ItemRef> candidates;
};

}  // namespace

awaitable<Result<void>> MailboxRun::rekey_folder(transport::SourceSession& session,
                                                 FolderPlan& plan, std::string generation) {
    // Without equal bytes nothing proves that an item was copied before.
    if (session.capabilities().format != transport::ItemFormat::mime)
        co_return Error{Errc::mailbox_refused,
                        "the source mailbox is another one than at the passes before; what it "
                        "holds can't be told from what was copied: give it a migration of its own"};
    log::warning("source folder was replaced; its copied items are recognised by content",
                 {{"mailbox", task_.pair->source},
                  {"folder", transport::display(plan.source.path)},
                  {"old_generation", plan.record.generation},
                  {"new_generation", generation}});
    // Items on their way carry old numbers: they arrive first.
    auto const on_the_way = [&] {
        auto const first = on_their_way_.lower_bound({plan.record.id, 0});
        return doubt_ || (first != on_their_way_.end() && first->first.first == plan.record.id);
    };
    while (on_the_way() && !halted()) co_await changed_.wait_for(std::chrono::milliseconds(100));
    if (halted()) co_return Error{Errc::stopped, {}};

    auto old = co_await services_.ledger.stored(plan.record.id, 0, UINT64_MAX);
    if (!old) co_return old.error();
    NumberSink sink;
    transport::ScanRequest request;
    do {
        auto const page = co_await session.scan(plan.source, request, sink);
        if (!page) co_return page.error();
        if (page->generation != generation)
            co_return Error{Errc::folder_replaced, "its UIDVALIDITY changes at every look"};
        request.from = page->next;
    } while (request.from != 0);

    ContentReader reader;
    for (std::size_t at = 0; at < sink.candidates.size() && !halted(); at += numbers_in_a_command) {
        auto const end = std::min(sink.candidates.size(), at + numbers_in_a_command);
        std::vector<transport::ItemRef> part(sink.candidates.begin() + std::ptrdiff_t(at),
                                             sink.candidates.begin() + std::ptrdiff_t(end));
        auto const read = co_await session.fetch(plan.source, generation, std::move(part), reader);
        if (!read) co_return read.error();
    }
    if (halted()) co_return Error{Errc::stopped, {}};

    std::map<std::uint64_t, std::deque<transport::ItemNumber>> found;
    for (auto const& [number, seen] : reader.seen)
        found[fingerprint_of(seen.identity.canonical)].push_back(number);
    std::vector<store::StoredRecord> kept;
    for (auto& record : *old) {
        auto const match = found.find(record.fingerprint);
        if (match == found.end() || match->second.empty()) continue;
        record.number = match->second.front();
        match->second.pop_front();
        kept.push_back(std::move(record));
    }
    log::info("source folder recognised", {{"mailbox", task_.pair->source},
                                           {"folder", transport::display(plan.source.path)},
                                           {"copied_before", old->size()},
                                           {"recognised", kept.size()}});
    plan.record.generation = generation;
    plan.record.mark.clear();
    plan.record.covered = false;
    co_return co_await services_.ledger.rekey_items(plan.record, std::move(kept));
}

}  // namespace mailferry::daemon
