#include "transport/imap/body_fetch.hpp"

#include "transport/imap/flags.hpp"
#include "transport/imap/server_error.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace mailferry::imap {

using transport::ItemMeta;
using transport::ItemReceiver;

namespace {

/// The first and the second half of a set of at least two.
std::pair<UidSet, UidSet> halves(UidSet const& set) {
    auto left = set.count() / 2;
    UidSet first, second;
    for (auto const& run : set.runs()) {
        auto const count = std::min<std::uint64_t>(left, run.count());
        left -= count;
        auto const middle = static_cast<std::uint32_t>(run.first + count);
        if (count > 0) first.insert(run.first, middle - 1);
        if (count < run.count()) second.insert(middle, run.last);
    }
    return {first, second};
}

/// Takes the events of one FETCH command and hands whole messages on.
class Delivery {
public:
    Delivery(Connection& connection, UidSet wanted, ItemReceiver& receiver, bool discards)
        : connection_(connection),
          left_(std::move(wanted)),
          receiver_(receiver),
          discards_(discards) {}

    /// Until the command is answered.
    awaitable<Result<Status>> run(CommandTicket const& ticket) {
        for (;;) {
            auto event = co_await connection_.next_body_event(ticket);
            if (!event) co_return event.error();
            if (!*event) co_return co_await connection_.answer(ticket);
            if (discards_) continue;
            auto const taken = co_await take(std::move(**event));
            if (taken) continue;
            // Bytes that nobody takes stand between us and the next response.
            connection_.fail({Errc::connection_lost, "reading ended in the midst of a message"});
            co_return taken.error();
        }
    }

    /// What was asked for and neither delivered nor failed.
    UidSet const& left() const { return left_; }
    /// Answered, but without a body.
    UidSet const& bodiless() const { return bodiless_; }

private:
    awaitable<Result<void>> take(imap::Event event) {
        if (auto const* const bytes = std::get_if<BodyBytes>(&event)) {
            if (!is_open_) co_return Result<void>{};
            Connection::Pause const pause(connection_);
            co_return co_await receiver_.piece(transport::bytes_of(bytes->bytes));
        }
        if (auto const* const begin = std::get_if<BodyBegin>(&event))
            co_return co_await take_begin(*begin);
        if (auto* const end = std::get_if<FetchEnd>(&event))
            co_return co_await take_end(std::move(end->items));
        co_return Result<void>{};
    }

    awaitable<Result<void>> take_begin(BodyBegin begin) {
        is_open_ = false;
        // Most servers tell the UID first. Where not, the receiver gets the bytes all the same and
        // the end decides.
        if (begin.uid && !left_.contains(*begin.uid)) co_return Result<void>{};
        if (begin.bytes > message_bytes_max) {
            if (begin.uid)
                receiver_.failed(*begin.uid,
                                 {Errc::item_too_large, std::to_string(begin.bytes) + " octets"});
            co_return Error{Errc::connection_lost, "a message too large to read"};
        }
        // An empty body may be a failure: the end knows the announced size.
        if (begin.bytes == 0) co_return Result<void>{};
        is_open_ = true;
        Connection::Pause const pause(connection_);
        co_return co_await receiver_.begin(begin.bytes);
    }

    awaitable<Result<void>> take_end(FetchItems items) {
        auto const was_open = std::exchange(is_open_, false);
        auto const is_wanted = items.uid && left_.contains(*items.uid);
        if (was_open && !is_wanted)
            co_return Error{Errc::protocol_error, "a message that was not asked for"};
        if (!is_wanted || items.body == BodyForm::absent) co_return Result<void>{};
        left_.erase(*items.uid);
        if (items.body == BodyForm::nil || (items.body_bytes == 0 && items.rfc822_size != 0)) {
            bodiless_.insert(*items.uid);
            co_return Result<void>{};
        }
        Connection::Pause const pause(connection_);
        if (!was_open) {
            auto const begun = co_await receiver_.begin(0);
            if (!begun) co_return begun.error();
        }
        auto meta = meta_of(std::move(items));
        co_return co_await receiver_.end(std::move(meta));
    }

    Connection& connection_;
    UidSet left_, bodiless_;
    ItemReceiver& receiver_;
    bool const discards_;
    bool is_open_ = false;
};

awaitable<Result<CommandTicket>> send_fetch(Link& link, UidSet const& uids) {
    auto built = std::move(link.command()
                               .text(" UID FETCH ")
                               .uids(uids)
                               .text(" (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"))
                     .finish();
    co_return co_await link.connection().send(std::move(*built), nullptr, uids);
}

/// What a whole fetch_bodies() knows while it runs.
struct Run {
    std::deque<UidSet> again;  ///< Parts of refused commands.
    UidSet bodiless;           ///< To be asked for a second time.
    bool is_second_asking = false;
    std::optional<Error> stop;  ///< Nothing more is delivered; what is in flight is drained.
};

awaitable<Result<void>> receive(Link& link, CommandTicket const& ticket, UidSet uids,
                                ItemReceiver& receiver, Run& run) {
    Delivery delivery(link.connection(), std::move(uids), receiver, run.stop.has_value());
    auto const status = co_await delivery.run(ticket);
    if (!status) co_return status.error();
    for (auto const& gap : delivery.bodiless().runs()) {
        if (!run.is_second_asking) run.bodiless.insert(gap.first, gap.last);
        for (auto uid = gap.first; run.is_second_asking && uid <= gap.last; ++uid)
            receiver.failed(uid, {Errc::item_damaged, "the server hands over no body"});
    }
    if (status->kind == StatusKind::ok || run.stop) co_return Result<void>{};
    if (auto pause = pause_asked(*status, "UID FETCH")) {
        run.stop = std::move(pause);
        co_return Result<void>{};
    }
    // RFC 5530: another client has just expunged some of them. What didn't come is gone.
    if (status->is("EXPUNGEISSUED")) co_return Result<void>{};
    auto const& left = delivery.left();
    if (left.count() == 1) {
        receiver.failed(*left.first(), refusal(*status, Errc::item_damaged, "UID FETCH"));
    } else if (left.count() > 1) {
        auto [first, second] = halves(left);
        run.again.push_back(std::move(first));
        run.again.push_back(std::move(second));
    }
    co_return Result<void>{};
}

/// Sends all parts in one flight behind the EXAMINE if one is needed, then receives them.
awaitable<Result<void>> fly(Link& link, std::string const& folder,
                            std::optional<std::string> const& generation, std::vector<UidSet> parts,
                            ItemReceiver& receiver, Run& run) {
    std::vector<CommandTicket> tickets;
    auto turn = co_await link.connection().turn();
    auto const selection = co_await link.select(folder, false);
    if (!selection) co_return selection.error();
    for (auto const& part : parts) {
        auto ticket = co_await send_fetch(link, part);
        if (!ticket) co_return ticket.error();
        tickets.push_back(std::move(*ticket));
    }
    turn.release();
    auto const opened = co_await link.selected(*selection, Errc::folder_unreadable);
    if (!opened) {
        run.stop = opened.error();
    } else if (generation && std::to_string((*selection)->uidvalidity.value_or(0)) != *generation) {
        run.stop = Error{Errc::folder_replaced, "UIDVALIDITY is no longer " + *generation};
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto const received =
            co_await receive(link, tickets[i], std::move(parts[i]), receiver, run);
        if (!received) co_return received.error();
    }
    if (run.stop) co_return *run.stop;
    co_return Result<void>{};
}

}  // namespace

ItemMeta meta_of(FetchItems items) {
    ItemMeta meta;
    meta.number = items.uid.value_or(0);
    if (items.received)
        meta.received = {items.received->unix_seconds, items.received->zone_minutes};
    if (items.flags) meta.flags = std::move(*items.flags);
    std::erase_if(meta.flags, [](auto const& flag) { return equal_names(flag, "\\Recent"); });
    std::sort(meta.flags.begin(), meta.flags.end());
    meta.flags.erase(std::unique(meta.flags.begin(), meta.flags.end()), meta.flags.end());
    meta.size = items.body == BodyForm::present ? items.body_bytes : items.rfc822_size.value_or(0);
    return meta;
}

awaitable<Result<void>> fetch_bodies(Link& link, std::string folder,
                                     std::optional<std::string> generation, UidSet wanted,
                                     ItemReceiver& receiver) {
    if (wanted.empty()) co_return Result<void>{};
    Run run;
    run.again.push_back(std::move(wanted));
    auto flown = Result<void>{};
    while (flown && !run.again.empty()) {
        auto parts = run.again.front().split();
        run.again.pop_front();
        flown = co_await fly(link, folder, generation, std::move(parts), receiver, run);
        // A message that another client expunges at this moment is answered without its body, too:
        // by now the server has told itself that it is gone.
        if (run.again.empty() && !run.bodiless.empty()) {
            run.again.push_back(std::exchange(run.bodiless, {}));
            run.is_second_asking = true;
        }
    }
    co_return flown;
}

}  // namespace mailferry::imap
