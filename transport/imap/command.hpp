#pragma once

/// Builds commands. Whatever comes from data goes through here, so that no name, flag or password
/// can carry a line end into the stream.

#include "config/base/error.hpp"
#include "transport/imap/date_time.hpp"
#include "transport/imap/sequence_set.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::imap {

/// Which literals may be sent without asking (RFC 7888).
enum class LiteralMode {
    sync,   ///< None: `{n}`, then wait for `+`.
    plus,   ///< LITERAL+: all as `{n+}`.
    minus,  ///< LITERAL- or IMAP4rev2: `{n+}` up to 4,096 octets, else `{n}`.
};

/// Whether a literal of this size goes out without waiting.
bool goes_unasked(LiteralMode mode, std::uint64_t bytes);

/// A stretch of a command. Send `text`; then, if `awaits_continuation`, wait for `+` and send
/// nothing meanwhile; then, if `message_bytes`, send exactly so many octets of the next message.
/// Then go on with the next segment.
struct CommandSegment {
    std::string text;
    bool awaits_continuation = false;
    std::optional<std::uint64_t> message_bytes;
};

/// A whole command with its final CRLF. `segments` may hold a password: wipe after sending.
struct Command {
    std::string tag;
    std::vector<CommandSegment> segments;
};

/// Appends the parts of one command. The writer sets no blanks by itself except inside lists.
/// Arguments that can't be sent are remembered; finish() then fails, and nothing was sent.
class CommandWriter {
public:
    /// `tag` is letters and digits.
    CommandWriter(std::string_view tag, LiteralMode mode);

    /// Our own words, blanks included: " UID FETCH ". Asserts printable ASCII: never data.
    CommandWriter& text(std::string_view words);
    /// A name, user id or password: quoted if all octets are 0x20-0x7E and fewer than 1,000, else
    /// as literal. NUL, CR and LF are refused.
    CommandWriter& astring(std::string_view value);
    /// "1:3,7". The set isn't empty and its text at most 60,000 octets (UidSet::split()).
    CommandWriter& uids(UidSet const& set);
    /// "(\Seen $Forwarded)". A flag that is no atom (with `\` or without) is refused.
    CommandWriter& flag_list(std::span<std::string const> flags);
    /// "03-Mar-2019 09:15:02 +0100" in quotes.
    CommandWriter& date_time(DateTime const& value);
    /// 3-Mar-2019
    CommandWriter& search_date(std::chrono::sys_days day);
    CommandWriter& number(std::uint64_t value);
    /// Announces a message whose octets the caller sends. What is written next follows directly
    /// behind the last octet. `unasked` = false forces a synchronising literal, whatever the mode.
    CommandWriter& message(std::uint64_t bytes, bool unasked = true);
    /// A base64 initial response or nothing: "=" stands for an empty one (RFC 4959).
    CommandWriter& initial_response(std::string_view base64);

    /// Fails with Errc::folder_refused, naming which kind of argument can't be sent.
    Result<Command> finish() &&;

private:
    void begin_literal(std::uint64_t bytes, bool unasked);
    std::string& reserved_text(std::string_view value);
    void refuse(std::string_view reason);

    LiteralMode mode_;
    Command command_;
    std::string_view refusal_;  ///< Static text; empty as long as all is well.
};

}  // namespace mailferry::imap
