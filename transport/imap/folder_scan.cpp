#include "transport/imap/folder_scan.hpp"

#include "transport/imap/body_fetch.hpp"
#include "transport/imap/sequence_set.hpp"
#include "transport/imap/server_error.hpp"

#include <algorithm>
#include <memory>

namespace mailferry::imap {

using transport::ItemNumber;
using transport::ScanSink;

namespace {

constexpr std::string_view metadata_items = " (UID FLAGS INTERNALDATE RFC822.SIZE)";

class Scan {
public:
    Scan(Link& link, transport::Folder folder, transport::ScanRequest request, ScanSink& sink)
        : link_(link), folder_(std::move(folder)), request_(std::move(request)), sink_(sink) {}

    awaitable<Result<ScanOutcome>> run() {
        auto opened = co_await open();
        if (!opened) co_return opened.error();
        if (early_) co_return co_await finish_early();
        auto const old = usable_mark();
        if (old) co_return co_await list_changes(*old);
        co_return co_await list_all();
    }

private:
    /// EXAMINE anew: the mark is to be of now. A small folder's listing goes along with it.
    awaitable<Result<void>> open() {
        auto turn = co_await link_.connection().turn();
        link_.forget_selection();
        auto selection = co_await link_.select(folder_.id, false);
        if (!selection) co_return selection.error();
        selection_ = *selection;
        auto const is_small = folder_.items > 0 && folder_.items <= request_.items_max;
        if (is_small && request_.from <= 1 && request_.since_mark.empty() &&
            !link_.facts().quirks.no_pipelining) {
            auto ticket = co_await send_listing(1, "1:*", "");
            if (!ticket) co_return ticket.error();
            early_ = std::move(*ticket);
        }
        turn.release();
        auto const opened = co_await link_.selected(selection_, Errc::folder_unreadable);
        if (!opened) co_return opened.error();
        outcome_.mark = {selection_->uidvalidity.value_or(0), selection_->uidnext.value_or(0),
                         selection_->exists, selection_->highestmodseq.value_or(0)};
        // Dovecot tells no HIGHESTMODSEQ here until somebody asked for it once. The listing's is
        // older, hence safe: what changed in between is seen again.
        auto const listed = Mark::parse(folder_.mark);
        if (!selection_->highestmodseq && listed &&
            listed->uidvalidity == outcome_.mark.uidvalidity)
            outcome_.mark.modseq = listed->modseq;
        co_return Result<void>{};
    }

    awaitable<Result<ScanOutcome>> finish_early() {
        auto const status = co_await link_.connection().answer(*early_);
        if (!status) co_return status.error();
        // Some servers refuse 1:* where nothing is.
        if (status->kind != StatusKind::ok && selection_->exists > 0)
            co_return refusal(*status, Errc::folder_unreadable, "UID FETCH");
        outcome_.complete = true;
        co_return outcome_;
    }

    std::optional<Mark> usable_mark() const {
        auto const old = Mark::parse(request_.since_mark);
        auto const& now = outcome_.mark;
        // A modseq below ours: the server's numbering began anew, and asking "since" finds nothing.
        auto const is_usable = old && link_.facts().condstore &&
                               old->uidvalidity == now.uidvalidity && old->modseq > 0 &&
                               old->uidnext > 0 && now.modseq >= old->modseq &&
                               now.uidnext >= old->uidnext;
        return is_usable ? old : std::nullopt;
    }

    awaitable<Result<ScanOutcome>> list_all() {
        outcome_.complete = true;
        auto const& now = outcome_.mark;
        if (now.messages == 0) co_return outcome_;
        auto const first = std::max<ItemNumber>(request_.from, 1);
        Result<void> listed;
        if (now.uidnext == 0)
            listed = co_await list(first, std::to_string(first) + ":*", "");
        else
            listed = co_await list_range(first);
        if (!listed) co_return listed.error();
        co_return outcome_;
    }

    awaitable<Result<ScanOutcome>> list_changes(Mark old) {
        auto const is_first_part = request_.from <= 1;
        auto const known_last = old.uidnext - 1;
        if (is_first_part && known_last > 0 && outcome_.mark.modseq > old.modseq) {
            auto const changed =
                co_await list(1, "1:" + std::to_string(known_last),
                              " (CHANGEDSINCE " + std::to_string(old.modseq) + ")");
            if (!changed) co_return changed.error();
        }
        listed_ = 0;
        auto const fresh = co_await list_range(std::max<ItemNumber>(request_.from, old.uidnext));
        if (!fresh) co_return fresh.error();
        auto const adds_up = outcome_.next == 0 && old.messages + listed_ == outcome_.mark.messages;
        if (is_first_part && known_last > 0 && !adds_up) {
            auto const found = co_await list_vanished(known_last);
            if (!found) co_return found.error();
        }
        co_return outcome_;
    }

    /// From `first` to UIDNEXT, or so far that about items_max items are listed.
    awaitable<Result<void>> list_range(ItemNumber first) {
        auto const& now = outcome_.mark;
        ItemNumber const end = now.uidnext;
        if (first >= end) co_return Result<void>{};
        // Numbers have gaps: take a stretch that holds items_max items if they lie evenly.
        ItemNumber const items_max = std::max(request_.items_max, 1u);
        auto const stretch =
            std::max(items_max, items_max * (end - 1) / std::max<ItemNumber>(now.messages, 1));
        auto const stop = now.messages <= items_max ? end : std::min(end, first + stretch);
        if (stop < end) outcome_.next = stop;
        auto set = std::to_string(first) + ":" + std::to_string(stop - 1);
        co_return co_await list(first, std::move(set), "");
    }

    /// Which of the numbers up to `last` are no longer there.
    awaitable<Result<void>> list_vanished(std::uint32_t last) {
        auto const present = std::make_shared<UidSet>();
        auto const hear = [present](imap::Event& event) {
            if (auto const* const result = std::get_if<SearchResult>(&event))
                *present = present->united(result->numbers);
            else if (auto const* const extended = std::get_if<Esearch>(&event))
                *present = present->united(extended->all.value_or(UidSet()));
            else
                return false;
            return true;
        };
        auto const words =
            link_.facts().has("ESEARCH") ? " UID SEARCH RETURN (ALL) UID 1:" : " UID SEARCH UID 1:";
        auto built = std::move(link_.command().text(words).number(last)).finish();
        auto const status = co_await link_.connection().run(std::move(*built), hear);
        if (!status) co_return status.error();
        if (status->kind != StatusKind::ok)
            co_return refusal(*status, Errc::folder_unreadable, "UID SEARCH");
        auto const gone = UidSet(1, last).without(*present);
        for (auto const& gap : gone.runs()) sink_.vanished(gap.first, gap.last);
        co_return Result<void>{};
    }

    awaitable<Result<CommandTicket>> send_listing(ItemNumber first, std::string_view set,
                                                  std::string_view modifier) {
        auto const hear = [this, first](imap::Event& event) {
            auto* const end = std::get_if<FetchEnd>(&event);
            if (end == nullptr) return std::holds_alternative<FetchBegin>(event);
            auto const& items = end->items;
            // A flag update that nobody asked for: the next scan finds it.
            if (!items.uid || !items.internaldate || !items.rfc822_size) return true;
            // `n:*` also gives the last one when it is smaller, and what came after the mark.
            if (*items.uid < first || *items.uid >= selection_->uidnext.value_or(UINT32_MAX))
                return true;
            ++listed_;
            sink_.item(meta_of(std::move(end->items)));
            return true;
        };
        auto built =
            std::move(
                link_.command().text(" UID FETCH ").text(set).text(metadata_items).text(modifier))
                .finish();
        co_return co_await link_.connection().send(std::move(*built), hear);
    }

    awaitable<Result<void>> list(ItemNumber first, std::string set, std::string modifier) {
        auto turn = co_await link_.connection().turn();
        auto const ticket = co_await send_listing(first, set, modifier);
        turn.release();
        if (!ticket) co_return ticket.error();
        auto const status = co_await link_.connection().answer(*ticket);
        if (!status) co_return status.error();
        if (status->kind != StatusKind::ok)
            co_return refusal(*status, Errc::folder_unreadable, "UID FETCH");
        co_return Result<void>{};
    }

    Link& link_;
    transport::Folder const folder_;
    transport::ScanRequest const request_;
    ScanSink& sink_;
    std::shared_ptr<Selection> selection_;
    std::optional<CommandTicket> early_;
    std::uint64_t listed_ = 0;
    ScanOutcome outcome_;
};

}  // namespace

awaitable<Result<ScanOutcome>> scan_folder(Link& link, transport::Folder folder,
                                           transport::ScanRequest request, ScanSink& sink) {
    Scan scan(link, std::move(folder), std::move(request), sink);
    co_return co_await scan.run();
}

}  // namespace mailferry::imap
