#pragma once

/// Wire to lines and literals: the first of three steps (fragment, parse, apply).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace mailferry::imap {

/// What a line's end announces: `{n}`, `{n+}` or `~{n}` directly before the line end.
struct LiteralHead {
    std::uint64_t bytes = 0;  ///< Up to 2^63-1.
    bool too_large = false;   ///< The number is larger; `bytes` is meaningless.
    friend bool operator==(LiteralHead const&, LiteralHead const&) = default;
};

/// The literal announced at the end of `line` (without its line end), if any.
std::optional<LiteralHead> announced_literal(std::string_view line);

/// Cuts a server's byte stream into lines and literal chunks. No I/O; it copies only lines that
/// the wire cut in two, and holds at most one line.
///
/// Protocol: call next(input) until it answers NeedMore; then all of `input` is consumed and the
/// next bytes of the wire may follow in any buffer. Views point into the caller's buffer or into
/// the fragmenter and live until the next call. A line ends with CRLF or a bare LF (some gateways).
/// A literal is never searched for line ends: its bytes can't pose as a response.
class Fragmenter {
public:
    struct NeedMore {};
    struct Line {
        std::string_view text;               ///< Without the line end, with the `{n}`.
        std::optional<LiteralHead> literal;  ///< Its octets come next, unless drop_literal().
    };
    struct LiteralChunk {
        std::string_view bytes;
        std::uint64_t bytes_left;
    };
    struct LineTooLong {};      ///< Fatal: the stream can't be resynchronised. Stays.
    struct LiteralTooLarge {};  ///< Fatal, as above: an announced size above 2^63-1.
    using Step = std::variant<NeedMore, Line, LiteralChunk, LineTooLong, LiteralTooLarge>;

    /// Lines that list numbers or flags of a whole folder (SEARCH, ESEARCH, SORT, VANISHED, FLAGS)
    /// may have `list_line_bytes_max`, all others `line_bytes_max` octets (at least 16) without
    /// the line end.
    Fragmenter(std::size_t line_bytes_max, std::size_t list_line_bytes_max);

    Step next(std::string_view& input);

    /// The line just given is text for people (`* OK see {5}`): what it ends with is no literal.
    /// Only directly after a Line.
    void drop_literal();

private:
    enum class State { line, literal, line_too_long, literal_too_large };

    Step next_line(std::string_view& input);
    bool fits(std::string_view head, std::size_t line_bytes) const;

    std::size_t line_bytes_max_;
    std::size_t list_line_bytes_max_;
    State state_ = State::line;
    std::uint64_t literal_bytes_left_ = 0;  ///< In State::literal: above zero.
    std::string partial_;                   ///< The beginning of a line that the wire cut.
    bool partial_given_ = false;            ///< partial_ was handed out by the last step.
};

}  // namespace mailferry::imap
