#include "transport/imap/append_writer.hpp"

#include "config/base/assert.hpp"

#include <utility>

namespace mailferry::imap {
namespace {

constexpr std::size_t write_bytes = 64 * 1024;

/// So much of a refused command is sent to its end to keep the connection; more isn't worth it.
constexpr std::uint64_t wasted_bytes_max = 1ULL << 20;

std::string_view text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace

awaitable<Result<void>> AppendWriter::write(Command const& command,
                                            std::vector<transport::ItemReader*> readers,
                                            CommandTicket const& ticket) {
    std::size_t next = 0;
    for (auto const& segment : command.segments) {
        auto const is_last = segment.message_bytes && next + 1 == readers.size();
        // An empty last message has no octet to hold back: its announcement may be enough.
        if (is_last && *segment.message_bytes == 0) {
            auto const passed = co_await pass_gate();
            if (!passed) co_return passed.error();
            committed_ = true;
        }
        auto const written = co_await put(segment.text);
        if (!written) co_return written.error();
        if (segment.awaits_continuation) {
            auto const flushed = co_await flush();
            if (!flushed) co_return flushed.error();
            auto const invited = co_await connection_.invited(ticket);
            if (!invited) co_return invited.error();
            if (!*invited) co_return Result<void>{};
        } else if (segment.message_bytes) {
            connection_.note_unasked_literal();
        }
        if (!segment.message_bytes) continue;
        MAILFERRY_ASSERT(next < readers.size() && readers[next]->size() == *segment.message_bytes);
        auto const sent = co_await write_message(*readers[next++], is_last, ticket);
        if (!sent) co_return sent.error();
    }
    co_return Result<void>{};
}

awaitable<Result<void>> AppendWriter::write_message(transport::ItemReader& reader, bool is_last,
                                                    CommandTicket const& ticket) {
    auto left = reader.size();
    reader.rewind();
    while (left > 0) {
        if (is_hopeless(ticket, left)) {
            connection_.fail({Errc::connection_lost, "APPEND refused before it was sent"});
            co_return *connection_.failure();
        }
        Result<std::span<std::byte const>> piece = std::span<std::byte const>();
        {
            Connection::Pause const pause(connection_);
            piece = co_await reader.next();
        }
        if (piece && (piece->empty() || piece->size() > left))
            piece = Error{Errc::corrupt, "an item's bytes don't match its size"};
        if (!piece) {
            connection_.fail({Errc::connection_lost, "an item couldn't be read to its end"});
            co_return piece.error();
        }
        auto text = text_of(*piece);
        left -= text.size();
        if (left == 0 && is_last && !gate_passed_) {
            auto const before = co_await put(text.substr(0, text.size() - 1));
            if (!before) co_return before.error();
            auto const passed = co_await pass_gate();
            if (!passed) co_return passed.error();
            committed_ = true;
            text.remove_prefix(text.size() - 1);
        }
        auto const written = co_await put(text);
        if (!written) co_return written.error();
    }
    co_return Result<void>{};
}

/// With everything else on its way, waits until the intention is safe.
awaitable<Result<void>> AppendWriter::pass_gate() {
    if (gate_passed_) co_return Result<void>{};
    auto const flushed = co_await flush();
    if (!flushed) co_return flushed.error();
    Connection::Pause const pause(connection_);
    auto const safe = co_await before_commit_();
    if (!safe) {
        connection_.fail({Errc::connection_lost, "a store was called off before its commit"});
        co_return safe.error();
    }
    if (connection_.failure()) co_return *connection_.failure();
    gate_passed_ = true;
    co_return Result<void>{};
}

awaitable<Result<void>> AppendWriter::put(std::string_view text) {
    gathered_.append(text);
    if (gathered_.size() < write_bytes) co_return Result<void>{};
    co_return co_await flush();
}

awaitable<Result<void>> AppendWriter::flush() {
    if (gathered_.empty()) co_return Result<void>{};
    auto const written = co_await connection_.write(transport::bytes_of(gathered_));
    gathered_.clear();
    co_return written;
}

bool AppendWriter::is_hopeless(CommandTicket const& ticket, std::uint64_t bytes_left) const {
    auto const& status = connection_.answered(ticket);
    return is_only_command_ && status && status->kind != StatusKind::ok &&
           bytes_left > wasted_bytes_max;
}

}  // namespace mailferry::imap
