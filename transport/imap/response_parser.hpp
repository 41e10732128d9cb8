#pragma once

/// Wire bytes to response values: the second of three steps (fragment, parse, apply).

#include "transport/imap/fetch_items.hpp"
#include "transport/imap/fragmenter.hpp"
#include "transport/imap/response.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::imap {

/// What a hostile or broken server may make us hold. Beyond them the parser gives ProtocolError.
struct ParserLimits {
    std::size_t line_bytes_max = 64 * 1024;
    std::size_t list_line_bytes_max = 1024 * 1024;  ///< SEARCH, ESEARCH, SORT, VANISHED, FLAGS.
    std::size_t literal_bytes_max = 64 * 1024;      ///< Held; a larger one is passed over.
    std::size_t header_bytes_max = 1024 * 1024;     ///< BODY[HEADER...] of one message.
    std::size_t skipped_literal_bytes_max = 16 * 1024 * 1024;
    std::size_t response_bytes_max = 1024 * 1024;  ///< Lines and held literals of one response.
    std::size_t literals_max = 256;                ///< In one response.
    std::size_t list_items_max = 4'096;            ///< Flags, capabilities, quota resources...
    std::size_t blank_lines_max = 16;              ///< In a row; they mean nothing.
};

/// One per connection. Sans-io: fed with byte spans of any size, it gives the same events
/// (BodyBytes joined) however the wire cut them.
///
/// Protocol: call next(input) until it answers NeedMore; then all of `input` is consumed. To push
/// back, just don't call: `input` keeps what wasn't read. `input` must stay where it is until
/// NeedMore or the next event; a BodyBytes view points into it.
/// A message body is never held: memory doesn't depend on its size. Message bodies are the values
/// of BODY[], BODY[]<n>, BINARY[] and RFC822, as literal, quoted string or NIL, at any place among
/// the items, once per FETCH response.
class ResponseParser {
public:
    enum class Begin { greeting, response };

    /// Begin::response after STARTTLS, where no second greeting comes.
    explicit ResponseParser(ParserLimits const& limits = {}, Begin begin = Begin::greeting);

    Event next(std::string_view& input);

private:
    enum class Place { between, fetch, held_response, skipped_response };
    enum class Literal { none, body, header, held, skipped };

    void on_line(Fragmenter::Line const& line);
    void on_first_line(Fragmenter::Line const& line);
    bool on_text_line(std::string_view line);
    bool on_tagged(std::string_view line);
    void on_untagged(Fragmenter::Line const& line);
    void begin_fetch(std::uint32_t number, bool is_uid);
    void on_fetch_text(std::string_view text, Fragmenter::Line const& line);
    void on_fetch_literal(FetchItem item, std::uint64_t bytes);
    void give_short_body();
    void end_fetch();
    void hold_literal(std::uint64_t bytes);
    void begin_literal(Literal kind, std::uint64_t bytes);
    void on_literal_bytes(std::string_view bytes);
    void on_literal_end();
    void finish_held();
    void give_values(std::string_view text);
    void give(Event event);
    void fail(std::string_view reason, std::string_view excerpt = {});

    ParserLimits limits_;
    Fragmenter fragmenter_;
    bool greeting_due_;
    Place place_ = Place::between;
    Literal literal_ = Literal::none;
    bool oversized_ = false;    ///< A literal of this response was passed over.
    std::size_t literals_ = 0;  ///< In this response so far.
    std::size_t blank_lines_ = 0;
    std::string skipped_name_;  ///< In Place::skipped_response.
    std::string held_;        ///< The response so far; of a FETCH only from the unfinished item on.
    std::string short_body_;  ///< A body that came as quoted string.
    FetchItems items_;
    std::vector<Event> events_;  ///< Found in one line, not yet given.
    std::size_t events_given_ = 0;
    std::optional<ProtocolError> fault_;
};

}  // namespace mailferry::imap
