#pragma once

/// One IMAP connection: bytes in and out, commands in flight, answers to their commands. It knows
/// no mailbox and no folder.

#include "async/event.hpp"
#include "transport/imap/command.hpp"
#include "transport/imap/response.hpp"
#include "transport/imap/response_parser.hpp"
#include "transport/imap/sequence_set.hpp"
#include "transport/stream/stream.hpp"

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mailferry::imap {

struct ConnectionLimits {
    std::uint64_t unasked_bytes_max = 16ULL << 20;  ///< What no command asked for, in a row.
    std::uint32_t surplus_continuations_max = 2;
};

/// Takes what the server says while the command is in flight and no older one took it. True: this
/// was meant for the command; what nobody takes counts as unasked. Called from the reading loop:
/// must not wait.
using DataHandler = std::function<bool(imap::Event&)>;

/// One command in flight. Dropping it lets go of the handler, not of the command.
class PendingCommand;

class CommandTicket {
public:
    CommandTicket() = default;
    explicit CommandTicket(std::shared_ptr<PendingCommand> pending)
        : pending_(std::move(pending)) {}
    CommandTicket(CommandTicket&&) = default;
    CommandTicket& operator=(CommandTicket&& other) noexcept;
    ~CommandTicket();

private:
    friend class Connection;
    std::shared_ptr<PendingCommand> pending_;
};

/// Runs on one executor. Any number of commands may be in flight. Untagged data goes to the oldest
/// one that has a use for it, message bodies to the one that asked for their UID: Dovecot, for one,
/// works on several FETCHes at once and completes the first behind the data of the second.
/// Reading goes on while somebody writes, and the other way round.
///
/// The first failure (lost, silent, BYE, out of step) ends the connection: every command in flight
/// and every later call answers with it. Cancelling a call that has begun to write, or that reads
/// bodies, ends the connection, too.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    using Begin = ResponseParser::Begin;

    /// Starts the reading loop; the loop keeps the connection alive until it is cut.
    static std::shared_ptr<Connection> start(asio::any_io_executor executor,
                                             std::unique_ptr<transport::Stream> stream, Begin begin,
                                             ConnectionLimits limits = {});

    /// The first response; only with Begin::greeting. BYE is an error.
    awaitable<Result<Status>> greeting();

    /// The right to write. While it is held nobody else's command gets in between.
    awaitable<AsyncMutex::Guard> turn() { return write_turn_.lock(); }
    std::string next_tag() { return "a" + std::to_string(++last_tag_); }

    // With the turn:

    /// Enrols a command; its first byte must be the next one written. `bodies`: the messages whose
    /// bodies it asks for; somebody must then call next_body_event() until the answer has come.
    CommandTicket enrol(std::string_view tag, DataHandler on_data, UidSet bodies = {});
    awaitable<Result<void>> write(std::span<std::byte const> bytes);
    /// Waits for `+`. False: the command was answered instead and is over.
    awaitable<Result<bool>> invited(CommandTicket const& ticket);
    /// A whole command without message octets. Its text is wiped afterwards.
    awaitable<Result<CommandTicket>> send(Command command, DataHandler on_data, UidSet bodies = {});

    // With or without:

    /// The answer: OK, NO or BAD. The ticket outlives the call; several may wait for it.
    awaitable<Result<Status>> answer(CommandTicket const& ticket);
    /// The answer if it is already there.
    std::optional<Status> const& answered(CommandTicket const& ticket) const;
    /// The next event of a command that asked for bodies: BodyBegin, BodyBytes, BodyEnd, FetchEnd,
    /// and nothing when its answer has come. Nothing more is read from the wire before the next
    /// call: who is slow to call stops the server. Views live until the next call.
    awaitable<Result<std::optional<imap::Event>>> next_body_event(CommandTicket const& ticket);

    /// turn(), send() and answer() in one.
    awaitable<Result<Status>> run(Command command, DataHandler on_data = nullptr);

    /// From the answered command on, bytes are compressed both ways (RFC 4978). Only with the turn
    /// and nothing else in flight.
    awaitable<Result<Status>> run_compress();

    /// While one of these lives, the peer's silence is our own doing.
    class Pause {
    public:
        explicit Pause(Connection& connection);
        ~Pause();
        Pause(Pause const&) = delete;
        Pause& operator=(Pause const&) = delete;

    private:
        Connection& connection_;
    };

    /// A literal was sent without asking: some servers answer each with a `+` all the same.
    void note_unasked_literal() { ++unasked_literals_; }
    void acknowledge_at_once() { stream_->acknowledge_at_once(); }
    void cut() { fail({Errc::connection_lost, "cut by us"}); }
    /// Ends the connection for this reason; the first reason stays.
    void fail(Error error);
    std::optional<Error> const& failure() const { return failure_; }
    std::size_t commands_in_flight() const { return pending_.size(); }

private:
    friend class CommandTicket;

    Connection(asio::any_io_executor executor, std::unique_ptr<transport::Stream> stream,
               Begin begin, ConnectionLimits limits);

    awaitable<void> read_loop();
    awaitable<std::optional<imap::Event>> next_event();
    void dispatch(imap::Event event);
    void on_tagged(Tagged tagged);
    void on_continuation();
    void on_data(imap::Event& event);
    std::shared_ptr<PendingCommand> body_owner(imap::Event const& event);
    std::shared_ptr<PendingCommand> asker_of(std::optional<std::uint32_t> uid) const;
    void lend_reading(std::shared_ptr<PendingCommand> to, imap::Event first);
    void count_unasked();
    void update_watch();

    asio::any_io_executor executor_;
    std::unique_ptr<transport::Stream> stream_;
    ResponseParser parser_;
    ConnectionLimits const limits_;
    std::array<std::byte, 32 * 1024> buffer_;
    std::string_view input_;         ///< Read and not yet parsed; points into buffer_.
    std::uint64_t event_bytes_ = 0;  ///< Wire bytes of the event just parsed.
    std::uint64_t unasked_bytes_ = 0;

    AsyncMutex write_turn_;
    ::mailferry::Event changed_;  ///< Answers, invitations, reading given back, failure.
    std::deque<std::shared_ptr<PendingCommand>> pending_;
    std::shared_ptr<PendingCommand> borrower_;    ///< Reads at present instead of the loop.
    std::shared_ptr<PendingCommand> body_owner_;  ///< Whose message is being read.
    bool in_body_ = false;                        ///< Between BodyBegin and FetchEnd.
    PendingCommand* waits_for_continuation_ = nullptr;
    std::uint64_t last_tag_ = 0;
    std::uint32_t surplus_continuations_ = 0;
    std::uint64_t unasked_literals_ = 0;  ///< `{n+}` sent: some servers answer each with `+`.
    std::uint32_t pauses_ = 0;
    bool writing_ = false;
    bool greeting_due_;
    bool compress_next_ = false;
    std::optional<Status> greeting_;
    std::optional<Error> farewell_;  ///< After BYE: why the end of the stream comes.
    std::optional<Error> failure_;
};

}  // namespace mailferry::imap
