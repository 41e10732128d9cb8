#include "transport/imap/command.hpp"

#include "config/base/assert.hpp"
#include "transport/imap/ascii.hpp"

#include <algorithm>

namespace mailferry::imap {
namespace {

constexpr std::size_t quoted_bytes_max = 999;
constexpr std::uint64_t literal_minus_bytes_max = 4'096;
constexpr std::size_t uids_bytes_max = 60'000;

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

bool is_sendable_flag(std::string_view flag) {
    if (!flag.empty() && flag.front() == '\\') flag.remove_prefix(1);
    return is_atom(flag);
}

}  // namespace

bool goes_unasked(LiteralMode mode, std::uint64_t bytes) {
    return mode == LiteralMode::plus ||
           (mode == LiteralMode::minus && bytes <= literal_minus_bytes_max);
}

CommandWriter::CommandWriter(std::string_view tag, LiteralMode mode) : mode_(mode) {
    MAILFERRY_ASSERT(is_atom(tag));
    command_.tag = tag;
    command_.segments.push_back({std::string(tag), false, std::nullopt});
}

CommandWriter& CommandWriter::text(std::string_view words) {
    MAILFERRY_ASSERT(is_printable(words));
    command_.segments.back().text += words;
    return *this;
}

CommandWriter& CommandWriter::astring(std::string_view value) {
    if (value.find_first_of(std::string_view("\0\r\n", 3)) != value.npos) {
        refuse("a name holds NUL, CR or LF");
        return *this;
    }
    if (value.size() > quoted_bytes_max || !is_printable(value)) {
        begin_literal(value.size(), true);
        reserved_text(value) += value;
        return *this;
    }
    auto& quoted = reserved_text(value);
    quoted += '"';
    for (char const c : value) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    quoted += '"';
    return *this;
}

CommandWriter& CommandWriter::uids(UidSet const& set) {
    auto const set_text = set.to_string();
    MAILFERRY_ASSERT(!set_text.empty() && set_text.size() <= uids_bytes_max);
    return text(set_text);
}

CommandWriter& CommandWriter::flag_list(std::span<std::string const> flags) {
    std::string list = "(";
    for (auto const& flag : flags) {
        if (!is_sendable_flag(flag)) {
            refuse("a flag is no atom");
            return *this;
        }
        if (list.size() > 1) list += ' ';
        list += flag;
    }
    return text(list.append(")"));
}

CommandWriter& CommandWriter::date_time(DateTime const& value) {
    return text("\"" + format_date_time(value) + "\"");
}

CommandWriter& CommandWriter::search_date(std::chrono::sys_days day) {
    return text(format_search_date(day));
}

CommandWriter& CommandWriter::number(std::uint64_t value) { return text(std::to_string(value)); }

CommandWriter& CommandWriter::message(std::uint64_t bytes, bool unasked) {
    begin_literal(bytes, unasked);
    auto& segments = command_.segments;
    // The octets belong to the segment that announces them; what follows is the next one's.
    if (segments.back().text.empty()) segments.pop_back();
    segments.back().message_bytes = bytes;
    segments.emplace_back();
    return *this;
}

CommandWriter& CommandWriter::initial_response(std::string_view base64) {
    reserved_text(base64);
    return text(base64.empty() ? "=" : base64);
}

Result<Command> CommandWriter::finish() && {
    if (!refusal_.empty())
        return Error{Errc::folder_refused, "command not sent: " + std::string(refusal_)};
    command_.segments.back().text += "\r\n";
    return std::move(command_);
}

void CommandWriter::begin_literal(std::uint64_t bytes, bool unasked) {
    bool const waits = !unasked || !goes_unasked(mode_, bytes);
    auto& segment = command_.segments.back();
    segment.text.append("{").append(std::to_string(bytes)).append(waits ? "}\r\n" : "+}\r\n");
    segment.awaits_continuation = waits;
    if (waits) command_.segments.emplace_back();
}

// The value may be a password: room for it and for what follows, so that growing leaves no copy.
std::string& CommandWriter::reserved_text(std::string_view value) {
    auto& segment = command_.segments.back().text;
    segment.reserve(segment.size() + 2 * value.size() + 64);
    return segment;
}

void CommandWriter::refuse(std::string_view reason) {
    if (refusal_.empty()) refusal_ = reason;
}

}  // namespace mailferry::imap
