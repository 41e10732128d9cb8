#pragma once

/// Puts APPEND commands with their messages on the wire, and holds back what lets the server
/// commit.

#include "transport/imap/connection.hpp"
#include "transport/session.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mailferry::imap {

/// For one group, used with the connection's turn. Text and octets are gathered into writes of
/// 64 KiB. An item that can't be read to its end breaks the connection: its literal can't be ended.
class AppendWriter {
public:
    /// `is_only_command`: a refusal half-way may end the connection instead of sending the rest.
    AppendWriter(Connection& connection, transport::BeforeCommit const& before_commit,
                 bool is_only_command)
        : connection_(connection),
          before_commit_(before_commit),
          is_only_command_(is_only_command) {}

    /// Writes one command; `readers` are its messages in order. Resolves when all is gathered, or
    /// when the command was answered before a literal it had to ask for. Before the last octet of
    /// its last message, unless that was done for an earlier command: awaits before_commit.
    awaitable<Result<void>> write(Command const& command,
                                  std::vector<transport::ItemReader*> readers,
                                  CommandTicket const& ticket);
    awaitable<Result<void>> flush();

    /// Whether before_commit has resolved and the octet it guards was given to the connection.
    bool committed() const { return committed_; }

private:
    awaitable<Result<void>> put(std::string_view text);
    awaitable<Result<void>> pass_gate();
    awaitable<Result<void>> write_message(transport::ItemReader& reader, bool is_last,
                                          CommandTicket const& ticket);
    bool is_hopeless(CommandTicket const& ticket, std::uint64_t bytes_left) const;

    Connection& connection_;
    transport::BeforeCommit const& before_commit_;
    bool const is_only_command_;
    std::string gathered_;
    bool gate_passed_ = false;
    bool committed_ = false;
};

}  // namespace mailferry::imap
