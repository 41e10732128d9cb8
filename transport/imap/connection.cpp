#include "transport/imap/connection.hpp"

#include "config/base/assert.hpp"
#include "transport/imap/server_error.hpp"
#include "transport/stream/deflate.hpp"

#include <string.h>

#include <algorithm>
#include <utility>

namespace mailferry::imap {
namespace {

/// How long a failed write waits for the reason, which the server may have sent before it closed.
constexpr std::chrono::milliseconds last_words_limit{500};

template <class Function>
class OnException {
public:
    explicit OnException(Function function)
        : function_(std::move(function)), exceptions_(std::uncaught_exceptions()) {}
    ~OnException() {
        if (std::uncaught_exceptions() > exceptions_) function_();
    }

private:
    Function function_;
    int exceptions_;
};

Error cancelled() { return {Errc::connection_lost, "cancelled in the midst of a command"}; }

}  // namespace

class PendingCommand {
public:
    std::weak_ptr<Connection> connection;
    std::string tag;
    DataHandler on_data;
    UidSet bodies;
    bool compresses = false;
    bool is_invited = false;
    std::optional<imap::Event> first;  ///< The event for whose sake the reading was lent.
    std::optional<Status> status;
};

CommandTicket& CommandTicket::operator=(CommandTicket&& other) noexcept {
    CommandTicket old(std::exchange(pending_, std::move(other.pending_)));
    return *this;
}

CommandTicket::~CommandTicket() {
    if (!pending_) return;
    pending_->on_data = nullptr;
    pending_->bodies = {};
    // Somebody who was to read everything leaves half-way: nobody can find the next boundary.
    auto const connection = pending_->connection.lock();
    if (connection && connection->borrower_ == pending_) connection->fail(cancelled());
}

Connection::Connection(asio::any_io_executor executor, std::unique_ptr<transport::Stream> stream,
                       Begin begin, ConnectionLimits limits)
    : executor_(executor),
      stream_(std::move(stream)),
      parser_({}, begin),
      limits_(limits),
      write_turn_(executor),
      changed_(executor),
      greeting_due_(begin == Begin::greeting) {}

std::shared_ptr<Connection> Connection::start(asio::any_io_executor executor,
                                              std::unique_ptr<transport::Stream> stream,
                                              Begin begin, ConnectionLimits limits) {
    std::shared_ptr<Connection> const self(
        new Connection(executor, std::move(stream), begin, limits));
    self->update_watch();
    asio::co_spawn(
        executor,
        [](std::shared_ptr<Connection> connection) -> awaitable<void> {
            OnException const guard([&] { connection->fail(cancelled()); });
            co_await connection->read_loop();
        }(self),
        asio::detached);
    return self;
}

awaitable<Result<Status>> Connection::greeting() {
    while (!greeting_ && !failure_) co_await changed_.wait();
    if (!greeting_) co_return *failure_;
    if (greeting_->kind == StatusKind::bye)
        co_return farewell(*greeting_, "the server turned us away");
    co_return *greeting_;
}

CommandTicket Connection::enrol(std::string_view tag, DataHandler on_data, UidSet bodies) {
    auto const pending = std::make_shared<PendingCommand>();
    pending->connection = weak_from_this();
    pending->tag = tag;
    pending->on_data = std::move(on_data);
    pending->bodies = std::move(bodies);
    if (!failure_) pending_.push_back(pending);
    update_watch();
    return CommandTicket(pending);
}

awaitable<Result<void>> Connection::write(std::span<std::byte const> bytes) {
    if (failure_) co_return *failure_;
    MAILFERRY_ASSERT(!writing_);
    writing_ = true;
    OnException const guard([this] { fail(cancelled()); });
    auto const written = co_await stream_->write_all(bytes);
    writing_ = false;
    if (!written) {
        for (bool more = true; more && !failure_;)
            more = co_await changed_.wait_for(last_words_limit);
        fail(farewell_.value_or(written.error()));
        co_return *failure_;
    }
    co_return Result<void>{};
}

awaitable<Result<bool>> Connection::invited(CommandTicket const& ticket) {
    auto& pending = *ticket.pending_;
    MAILFERRY_ASSERT(waits_for_continuation_ == nullptr);
    OnException const guard([this] { fail(cancelled()); });
    waits_for_continuation_ = &pending;
    pending.is_invited = false;
    while (!pending.is_invited && !pending.status && !failure_) co_await changed_.wait();
    waits_for_continuation_ = nullptr;
    if (pending.status) co_return false;
    if (failure_) co_return *failure_;
    co_return true;
}

awaitable<Result<CommandTicket>> Connection::send(Command command, DataHandler on_data,
                                                  UidSet bodies) {
    auto ticket = enrol(command.tag, std::move(on_data), std::move(bodies));
    for (auto& segment : command.segments) {
        MAILFERRY_ASSERT(!segment.message_bytes);
        if (segment.text.find("+}\r\n") != std::string::npos) note_unasked_literal();
        auto const written = co_await write(transport::bytes_of(segment.text));
        ::explicit_bzero(segment.text.data(), segment.text.size());
        if (!written) co_return written.error();
        if (!segment.awaits_continuation) continue;
        auto const go_on = co_await invited(ticket);
        if (!go_on) co_return go_on.error();
        if (!*go_on) break;
    }
    co_return ticket;
}

awaitable<Result<Status>> Connection::answer(CommandTicket const& ticket) {
    auto const pending = ticket.pending_;
    while (!pending->status && !failure_) co_await changed_.wait();
    if (pending->status) co_return *pending->status;
    co_return *failure_;
}

std::optional<Status> const& Connection::answered(CommandTicket const& ticket) const {
    return ticket.pending_->status;
}

awaitable<Result<std::optional<imap::Event>>> Connection::next_body_event(
    CommandTicket const& ticket) {
    auto const pending = ticket.pending_;
    OnException const guard([&] {
        if (borrower_ == pending) fail(cancelled());
    });
    for (;;) {
        while (borrower_ != pending && !pending->status && !failure_) co_await changed_.wait();
        if (pending->status) co_return std::optional<imap::Event>{};
        if (failure_) co_return *failure_;
        if (pending->first) co_return std::exchange(pending->first, std::nullopt);
        auto event = co_await next_event();
        if (!event) co_return *failure_;
        auto const owner = body_owner(*event);
        if (owner == pending) co_return event;
        if (owner)
            lend_reading(owner, std::move(*event));
        else
            dispatch(std::move(*event));
    }
}

awaitable<Result<Status>> Connection::run(Command command, DataHandler on_data) {
    auto turn = co_await write_turn_.lock();
    auto ticket = co_await send(std::move(command), std::move(on_data));
    turn.release();
    if (!ticket) co_return ticket.error();
    co_return co_await answer(*ticket);
}

awaitable<Result<Status>> Connection::run_compress() {
    MAILFERRY_ASSERT(pending_.empty());
    auto const tag = next_tag();
    auto ticket = enrol(tag, nullptr);
    ticket.pending_->compresses = true;
    auto const written = co_await write(transport::bytes_of(tag + " COMPRESS DEFLATE\r\n"));
    if (!written) co_return written.error();
    co_return co_await answer(ticket);
}

Connection::Pause::Pause(Connection& connection) : connection_(connection) {
    ++connection_.pauses_;
    connection_.update_watch();
}

Connection::Pause::~Pause() {
    --connection_.pauses_;
    connection_.update_watch();
}

void Connection::fail(Error error) {
    if (failure_) return;
    failure_ = std::move(error);
    stream_->watch_idle(false);
    stream_->cut();
    pending_.clear();
    borrower_.reset();
    changed_.notify_all();
}

void Connection::update_watch() {
    auto const expects = !pending_.empty() || writing_ || greeting_due_;
    if (!failure_) stream_->watch_idle(expects && pauses_ == 0);
}

awaitable<void> Connection::read_loop() {
    while (!failure_) {
        auto event = co_await next_event();
        if (!event) break;
        auto const owner = body_owner(*event);
        if (!owner) {
            dispatch(std::move(*event));
            continue;
        }
        lend_reading(owner, std::move(*event));
        while (borrower_ && !failure_) co_await changed_.wait();
    }
}

void Connection::lend_reading(std::shared_ptr<PendingCommand> to, imap::Event first) {
    to->first = std::move(first);
    borrower_ = std::move(to);
    changed_.notify_all();
}

/// Whose message the event belongs to; null if it belongs to none.
std::shared_ptr<PendingCommand> Connection::body_owner(imap::Event const& event) {
    if (auto const* const begin = std::get_if<BodyBegin>(&event)) {
        in_body_ = true;
        body_owner_ = asker_of(begin->uid);
        return body_owner_;
    }
    if (std::holds_alternative<BodyBytes>(event) || std::holds_alternative<BodyEnd>(event))
        return body_owner_;
    auto const* const end = std::get_if<FetchEnd>(&event);
    if (end == nullptr) return nullptr;
    if (std::exchange(in_body_, false)) return std::exchange(body_owner_, nullptr);
    return end->items.body == BodyForm::absent ? nullptr : asker_of(end->items.uid);
}

/// Without a UID it can only be guessed: the oldest one, which finds out at the end.
std::shared_ptr<PendingCommand> Connection::asker_of(std::optional<std::uint32_t> uid) const {
    for (auto const& pending : pending_)
        if (uid ? pending->bodies.contains(*uid) : !pending->bodies.empty()) return pending;
    return nullptr;
}

/// Nothing: the connection has failed.
awaitable<std::optional<imap::Event>> Connection::next_event() {
    event_bytes_ = 0;
    for (;;) {
        auto const before = input_.size();
        auto event = parser_.next(input_);
        event_bytes_ += before - input_.size();
        if (auto const* const fault = std::get_if<ProtocolError>(&event)) {
            fail({Errc::protocol_error, std::string(fault->reason), fault->excerpt});
            co_return std::nullopt;
        }
        if (!std::holds_alternative<NeedMore>(event)) co_return event;
        if (failure_) co_return std::nullopt;
        auto const read = co_await stream_->read_some(buffer_);
        if (!read || *read == 0) {
            auto const reason =
                read ? Error{Errc::connection_lost, "the server closed the connection"}
                     : read.error();
            fail(farewell_.value_or(reason));
            co_return std::nullopt;
        }
        input_ = {reinterpret_cast<char const*>(buffer_.data()), *read};
    }
}

void Connection::dispatch(imap::Event event) {
    if (auto* const tagged = std::get_if<Tagged>(&event)) {
        on_tagged(std::move(*tagged));
    } else if (std::holds_alternative<Continuation>(event)) {
        on_continuation();
    } else if (auto* const greeting = std::get_if<Greeting>(&event)) {
        greeting_ = std::move(greeting->status);
        greeting_due_ = false;
        update_watch();
        changed_.notify_all();
    } else {
        on_data(event);
    }
}

void Connection::on_tagged(Tagged tagged) {
    auto const found = std::find_if(pending_.begin(), pending_.end(), [&](auto const& pending) {
        return pending->tag == tagged.tag;
    });
    if (found == pending_.end())
        return fail({Errc::protocol_error, "answer to a command that was not sent", tagged.tag});
    auto const pending = *found;
    pending_.erase(found);
    if (pending->compresses && tagged.status.kind == StatusKind::ok) {
        // What follows the line is compressed already.
        stream_ = std::make_unique<transport::DeflateStream>(std::move(stream_), input_);
        input_ = {};
    }
    pending->status = std::move(tagged.status);
    if (borrower_ == pending) borrower_.reset();
    unasked_bytes_ = 0;
    update_watch();
    changed_.notify_all();
}

void Connection::on_continuation() {
    if (waits_for_continuation_ != nullptr && !waits_for_continuation_->is_invited) {
        waits_for_continuation_->is_invited = true;
        changed_.notify_all();
        return;
    }
    if (unasked_literals_ > 0) {
        --unasked_literals_;
    } else if (++surplus_continuations_ > limits_.surplus_continuations_max) {
        fail({Errc::protocol_error, "continuation that nothing asked for"});
    }
}

void Connection::on_data(imap::Event& event) {
    if (auto const* const untagged = std::get_if<Untagged>(&event);
        untagged != nullptr && untagged->status.kind == StatusKind::bye)
        farewell_ = farewell(untagged->status, "the server closed the connection");
    for (auto const& pending : pending_)
        if (pending->on_data && pending->on_data(event)) return;
    count_unasked();
}

void Connection::count_unasked() {
    unasked_bytes_ += event_bytes_;
    if (unasked_bytes_ > limits_.unasked_bytes_max)
        fail({Errc::protocol_error, "too much data that nothing asked for"});
}

}  // namespace mailferry::imap
