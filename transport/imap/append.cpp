#include "transport/imap/append.hpp"

#include "config/base/assert.hpp"
#include "transport/imap/append_writer.hpp"
#include "transport/imap/crlf_reader.hpp"
#include "transport/imap/flags.hpp"
#include "transport/imap/server_error.hpp"

#include <algorithm>

namespace mailferry::imap {

using transport::StoredItem;
using transport::StoreItem;
using transport::StoreResult;

namespace {

/// What concerns the folder or the server, so that the next item would fare no better.
bool concerns_all(Errc code) {
    return code == Errc::over_quota || code == Errc::folder_refused || code == Errc::throttled ||
           code == Errc::unavailable;
}

/// Above this, a server that hasn't told its limit is asked before the octets are sent.
constexpr std::uint64_t ask_first_bytes = 1ULL << 20;

class Group {
public:
    Group(Link& link, AppendFolder folder, std::vector<StoreItem> items,
          transport::BeforeCommit before_commit)
        : link_(link),
          folder_(std::move(folder)),
          items_(std::move(items)),
          before_commit_(std::move(before_commit)) {}

    awaitable<Result<StoreResult>> run() {
        result_.generation = std::to_string(folder_.uidvalidity);
        result_.items.resize(items_.size());
        auto const prepared = co_await prepare();
        if (!prepared) co_return prepared.error();
        if (sent_.empty()) co_return result_;
        auto commands = build_commands();
        if (!commands) co_return commands.error();

        auto turn = co_await link_.connection().turn();
        AppendWriter writer(link_.connection(), before_commit_, commands->size() == 1);
        std::vector<CommandTicket> tickets;
        auto written = co_await write(writer, *commands, tickets);
        turn.release();
        // A single command that was refused while it was sent has its answer all the same.
        auto const is_answered =
            commands->size() == 1 && link_.connection().answered(tickets.front()).has_value();
        if (!written && !is_answered) co_return failure(written.error(), writer);
        co_return co_await collect(tickets, writer);
    }

private:
    /// Leaves out what the target said beforehand that it won't take.
    awaitable<Result<void>> prepare() {
        auto const limit = link_.facts().append_limit();
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (link_.facts().quirks.needs_crlf) {
                auto reader = co_await with_crlf(items_[i].reader);
                if (!reader) co_return reader.error();
                items_[i].reader = std::move(*reader);
            }
            auto const size = items_[i].reader->size();
            if (limit > 0 && size > limit) {
                result_.items[i].refused =
                    Error{Errc::item_too_large, std::to_string(size) + " octets, APPENDLIMIT is " +
                                                    std::to_string(limit)};
                continue;
            }
            result_.items[i].flags_kept =
                flags_kept(items_[i].flags, folder_, link_.facts().quirks);
            sent_.push_back(i);
        }
        co_return Result<void>{};
    }

    bool is_multi() const { return sent_.size() > 1 && link_.facts().has("MULTIAPPEND"); }

    Result<std::vector<Command>> build_commands() {
        std::vector<Command> commands;
        auto const begin = [&] {
            auto writer = link_.command();
            writer.text(" APPEND ").astring(link_.wire_name(folder_.id));
            return writer;
        };
        auto writer = begin();
        for (std::size_t n = 0; n < sent_.size(); ++n) {
            if (n > 0 && !is_multi()) writer = begin();
            auto const i = sent_[n];
            auto const size = items_[i].reader->size();
            auto const is_proven = size <= ask_first_bytes || link_.facts().append_limit() > 0 ||
                                   size <= link_.settings().largest_stored;
            writer.text(" ").flag_list(result_.items[i].flags_kept).text(" ");
            writer.date_time(storable_date(items_[i].received)).text(" ");
            writer.message(size, is_proven);
            if (is_multi() && n + 1 < sent_.size()) continue;
            auto command = std::move(writer).finish();
            if (!command) return command.error();
            commands.push_back(std::move(*command));
        }
        return commands;
    }

    awaitable<Result<void>> write(AppendWriter& writer, std::vector<Command> const& commands,
                                  std::vector<CommandTicket>& tickets) {
        std::size_t next_item = 0;
        for (auto const& command : commands) {
            std::vector<transport::ItemReader*> readers;
            auto const count = is_multi() ? sent_.size() : 1;
            for (std::size_t n = 0; n < count; ++n)
                readers.push_back(items_[sent_[next_item++]].reader.get());
            tickets.push_back(link_.connection().enrol(command.tag, nullptr));
            auto const written = co_await writer.write(command, std::move(readers), tickets.back());
            if (!written) co_return written.error();
            if (link_.facts().quirks.no_pipelining) {
                auto const flushed = co_await writer.flush();
                if (!flushed) co_return flushed.error();
                auto const status = co_await link_.connection().answer(tickets.back());
                if (!status) co_return status.error();
            }
        }
        co_return co_await writer.flush();
    }

    /// Why the call ends without all its answers.
    Error failure(Error error, AppendWriter const& writer) const {
        if (!writer.committed()) return error.in("APPEND");
        error.code = Errc::doubtful;
        return error.in("APPEND: the answer is lost");
    }

    awaitable<Result<StoreResult>> collect(std::vector<CommandTicket> const& tickets,
                                           AppendWriter const& writer) {
        std::vector<Status> statuses;
        for (auto const& ticket : tickets) {
            auto const status = co_await link_.connection().answer(ticket);
            if (!status) co_return failure(status.error(), writer);
            statuses.push_back(*status);
        }
        if (is_multi()) co_return finish_multi(statuses.front());
        co_return finish_singles(statuses);
    }

    Result<StoreResult> finish_multi(Status const& status) {
        if (status.kind != StatusKind::ok) {
            auto const error = append_refusal(status, "APPEND");
            if (concerns_all(error.code)) return error;
            for (auto const i : sent_) result_.items[i].refused = error;
            result_.group_refused = true;
            return result_;
        }
        auto const told = status.code ? status.code->append_uid() : std::nullopt;
        // A server that stored another number of messages than we sent: recovery looks.
        if (told && told->count() != sent_.size())
            return Error{Errc::doubtful, "APPENDUID names another number of messages than was sent",
                         text_of(status)};
        for (std::size_t n = 0; n < sent_.size(); ++n) take_stored(sent_[n], told, n);
        return result_;
    }

    Result<StoreResult> finish_singles(std::vector<Status> const& statuses) {
        std::optional<Error> common;
        bool any_other = false;
        for (std::size_t n = 0; n < statuses.size(); ++n) {
            auto const& status = statuses[n];
            if (status.kind == StatusKind::ok) {
                take_stored(sent_[n], status.code ? status.code->append_uid() : std::nullopt, 0);
                any_other = true;
                continue;
            }
            auto error = append_refusal(status, "APPEND");
            if (!concerns_all(error.code))
                any_other = true;
            else if (!common)
                common = error;
            result_.items[sent_[n]].refused = std::move(error);
        }
        if (common && !any_other) return *common;
        return result_;
    }

    void take_stored(std::size_t i, std::optional<AppendUid> const& told, std::uint64_t index) {
        auto& largest = link_.settings().largest_stored;
        largest = std::max(largest, items_[i].reader->size());
        if (!told) return;
        result_.generation = std::to_string(told->uidvalidity);
        result_.items[i].number = told->at(index).value_or(0);
    }

    Link& link_;
    AppendFolder const folder_;
    std::vector<StoreItem> items_;
    transport::BeforeCommit before_commit_;
    std::vector<std::size_t> sent_;  ///< Indices of the items that go out.
    StoreResult result_;
};

}  // namespace

transport::Flags flags_kept(transport::Flags const& flags, AppendFolder const& folder,
                            Quirks const& quirks) {
    auto kept = storable_flags(flags, folder.permanent_flags).kept;
    if (quirks.no_keywords)
        std::erase_if(kept, [](auto const& flag) { return !flag.starts_with('\\'); });
    return kept;
}

DateTime storable_date(transport::ReceivedDate date) {
    constexpr std::int64_t first = 86'400;            // 1970-01-02 00:00:00 UTC
    constexpr std::int64_t last = 2'147'472'000 - 1;  // 2038-01-18 23:59:59 UTC
    auto const instant = std::clamp(date.unix_seconds, first, last);
    auto const keeps_zone =
        instant == date.unix_seconds && date.zone_minutes > -1'440 && date.zone_minutes < 1'440;
    return {instant, keeps_zone ? date.zone_minutes : std::int16_t{0}};
}

awaitable<Result<StoreResult>> append_group(Link& link, AppendFolder folder,
                                            std::vector<StoreItem> items,
                                            transport::BeforeCommit before_commit) {
    Group group(link, std::move(folder), std::move(items), std::move(before_commit));
    co_return co_await group.run();
}

}  // namespace mailferry::imap
