#include "transport/imap/fragmenter.hpp"

#include "config/base/assert.hpp"
#include "transport/imap/ascii.hpp"
#include "transport/imap/flags.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace mailferry::imap {
namespace {

constexpr std::size_t list_line_head_bytes = 11;  // "* VANISHED " is the longest.

bool lists_a_folder(std::string_view line_head) {
    constexpr std::array<std::string_view, 5> heads = {"* SEARCH ", "* ESEARCH ", "* SORT ",
                                                       "* VANISHED ", "* FLAGS "};
    return std::any_of(heads.begin(), heads.end(), [&](std::string_view head) {
        return equal_names(line_head.substr(0, head.size()), head);
    });
}

std::string_view take_front(std::string_view& input, std::size_t count) {
    auto const front = input.substr(0, count);
    input.remove_prefix(count);
    return front;
}

std::string_view without_cr(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

}  // namespace

std::optional<LiteralHead> announced_literal(std::string_view line) {
    if (line.size() < 3 || line.back() != '}') return std::nullopt;
    line.remove_suffix(1);
    if (line.back() == '+') line.remove_suffix(1);
    auto const brace = line.rfind('{');
    if (brace == line.npos || brace + 1 == line.size()) return std::nullopt;
    constexpr auto bytes_max = std::uint64_t(std::numeric_limits<std::int64_t>::max());
    LiteralHead head;
    for (char const c : line.substr(brace + 1)) {
        if (!is_digit(c)) return std::nullopt;
        auto const digit = static_cast<std::uint64_t>(c - '0');
        if (head.bytes > (bytes_max - digit) / 10) head.too_large = true;
        if (!head.too_large) head.bytes = head.bytes * 10 + digit;
    }
    return head;
}

Fragmenter::Fragmenter(std::size_t line_bytes_max, std::size_t list_line_bytes_max)
    : line_bytes_max_(line_bytes_max), list_line_bytes_max_(list_line_bytes_max) {
    // A line over the limit must be long enough to be known by its head.
    MAILFERRY_ASSERT(line_bytes_max > list_line_head_bytes);
}

Fragmenter::Step Fragmenter::next(std::string_view& input) {
    if (partial_given_) {
        partial_given_ = false;
        // One long list must not stay allocated for the life of the session.
        if (partial_.capacity() > line_bytes_max_ * 2) partial_ = std::string();
        partial_.clear();
    }
    switch (state_) {
    case State::line: return next_line(input);
    case State::literal: {
        if (input.empty()) return NeedMore{};
        auto const count = std::min<std::uint64_t>(input.size(), literal_bytes_left_);
        literal_bytes_left_ -= count;
        if (literal_bytes_left_ == 0) state_ = State::line;
        return LiteralChunk{take_front(input, count), literal_bytes_left_};
    }
    case State::line_too_long: return LineTooLong{};
    case State::literal_too_large: return LiteralTooLarge{};
    }
    return LineTooLong{};
}

Fragmenter::Step Fragmenter::next_line(std::string_view& input) {
    auto const line_end = input.find('\n');
    auto const rest = input.substr(0, line_end);
    auto const bytes = partial_.size() + rest.size();
    auto const last = !rest.empty() ? rest.back() : partial_.empty() ? '\0' : partial_.back();
    auto const line_bytes = bytes - (last == '\r' ? 1 : 0);
    if (line_bytes > line_bytes_max_) {
        auto head = partial_.substr(0, list_line_head_bytes);
        head.append(rest.substr(0, list_line_head_bytes - head.size()));
        if (!fits(head, line_bytes)) {
            state_ = State::line_too_long;
            return LineTooLong{};
        }
    }
    if (line_end == input.npos) {
        partial_.append(take_front(input, input.size()));
        return NeedMore{};
    }
    auto line = take_front(input, line_end + 1).substr(0, line_end);
    if (!partial_.empty()) {
        line = partial_.append(line);
        partial_given_ = true;
    }
    line = without_cr(line);
    auto const literal = announced_literal(line);
    if (literal && literal->too_large) {
        state_ = State::literal_too_large;
    } else if (literal && literal->bytes > 0) {
        state_ = State::literal;
        literal_bytes_left_ = literal->bytes;
    }
    return Line{line, literal};
}

bool Fragmenter::fits(std::string_view head, std::size_t line_bytes) const {
    return line_bytes <= list_line_bytes_max_ && lists_a_folder(head);
}

void Fragmenter::drop_literal() {
    MAILFERRY_ASSERT(state_ != State::line_too_long);
    state_ = State::line;
    literal_bytes_left_ = 0;
}

}  // namespace mailferry::imap
