#include "transport/imap/response_parser.hpp"

#include "transport/imap/ascii.hpp"
#include "transport/imap/lexer.hpp"
#include "transport/imap/response_values.hpp"

#include <algorithm>

namespace mailferry::imap {
namespace {

constexpr std::size_t excerpt_bytes_max = 200;
constexpr std::size_t tag_bytes_max = 64;

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

bool is_tag(std::string_view word) {
    return !word.empty() && word.size() <= tag_bytes_max && word.front() != '*' &&
           std::all_of(word.begin(), word.end(),
                       [](char c) { return (is_atom_char(c) || c == ']') && c != '+'; });
}

}  // namespace

ResponseParser::ResponseParser(ParserLimits const& limits, Begin begin)
    : limits_(limits),
      fragmenter_(limits.line_bytes_max, limits.list_line_bytes_max),
      greeting_due_(begin == Begin::greeting) {}

Event ResponseParser::next(std::string_view& input) {
    for (;;) {
        if (events_given_ < events_.size()) {
            auto event = std::move(events_[events_given_++]);
            if (events_given_ == events_.size()) {
                events_.clear();
                events_given_ = 0;
            }
            return event;
        }
        if (fault_) return *fault_;
        auto const step = fragmenter_.next(input);
        if (std::holds_alternative<Fragmenter::NeedMore>(step)) return NeedMore{};
        if (auto const* line = std::get_if<Fragmenter::Line>(&step)) {
            on_line(*line);
        } else if (auto const* chunk = std::get_if<Fragmenter::LiteralChunk>(&step)) {
            on_literal_bytes(chunk->bytes);
            if (chunk->bytes_left == 0) on_literal_end();
        } else {
            fail("line too long");
        }
    }
}

void ResponseParser::on_line(Fragmenter::Line const& line) {
    if (place_ == Place::between) return on_first_line(line);
    if (line.literal && line.literal->too_large) return fail("literal too large", line.text);
    switch (place_) {
    case Place::fetch: return on_fetch_text(line.text, line);
    case Place::held_response:
        if (held_.size() + line.text.size() > limits_.response_bytes_max)
            return fail("response too long", line.text);
        held_ += line.text;
        if (line.literal) return hold_literal(line.literal->bytes);
        return finish_held();
    case Place::skipped_response:
        if (line.literal) {
            begin_literal(Literal::skipped, line.literal->bytes);
            return;
        }
        place_ = Place::between;
        give(Other{std::move(skipped_name_)});
        return;
    case Place::between: break;
    }
}

void ResponseParser::on_first_line(Fragmenter::Line const& line) {
    oversized_ = false;
    literals_ = 0;
    if (line.text.empty()) {
        if (++blank_lines_ > limits_.blank_lines_max) fail("too many blank lines");
        return;
    }
    blank_lines_ = 0;
    if (on_text_line(line.text)) {
        // Text for people: what looks like a literal at its end is none.
        if (line.literal) fragmenter_.drop_literal();
        return;
    }
    if (fault_) return;
    if (line.literal && line.literal->too_large) return fail("literal too large", line.text);
    on_untagged(line);
}

/// Takes lines that end in text: greeting, status, completion, continuation. False for others and
/// after a failure.
bool ResponseParser::on_text_line(std::string_view line) {
    bool const is_untagged = line.starts_with("* ");
    auto const rest = is_untagged ? line.substr(2) : std::string_view();
    auto const word = first_word(is_untagged ? rest : line);
    auto const after_word = (is_untagged ? rest : line).substr(word.size());
    auto const kind = is_untagged ? status_kind(word) : std::nullopt;
    if (greeting_due_) {
        if (!kind || *kind == StatusKind::no || *kind == StatusKind::bad) {
            fail("no greeting", line);
            return false;
        }
        greeting_due_ = false;
        give(Greeting{parse_status(*kind, after_word)});
        return true;
    }
    if (kind == StatusKind::preauth) {
        fail("PREAUTH after the greeting", line);
        return false;
    }
    if (kind) {
        give(Untagged{parse_status(*kind, after_word)});
        return true;
    }
    if (is_untagged) return false;
    if (word == "+") {
        give(Continuation{std::string(line.substr(std::min<std::size_t>(line.size(), 2)))});
        return true;
    }
    return on_tagged(line);
}

bool ResponseParser::on_tagged(std::string_view line) {
    auto const tag = first_word(line);
    auto const after_tag = line.substr(std::min(line.size(), tag.size() + 1));
    auto const word = first_word(after_tag);
    auto const kind = is_tag(tag) ? status_kind(word) : std::nullopt;
    if (!kind || *kind == StatusKind::bye || *kind == StatusKind::preauth) {
        fail("neither tagged nor untagged response", line);
        return false;
    }
    give(Tagged{std::string(tag), parse_status(*kind, after_tag.substr(word.size()))});
    return true;
}

void ResponseParser::on_untagged(Fragmenter::Line const& line) {
    Lexer lexer(line.text.substr(2));
    lexer.skip_blanks();
    auto name = upper_case(lexer.take_word());
    if (name.empty()) return fail("untagged response without a name", line.text);
    std::optional<std::uint32_t> number;
    if (std::all_of(name.begin(), name.end(), is_digit)) {
        number = Lexer(name).take_number32();
        lexer.skip_blanks();
        name = upper_case(lexer.take_word());
        if (!number || name.empty()) return fail("malformed message number", line.text);
    }
    if (number && (name == "FETCH" || name == "UIDFETCH")) {
        lexer.skip_blanks();
        if (*number == 0 || !lexer.take('(')) return fail("malformed FETCH response", line.text);
        begin_fetch(*number, name == "UIDFETCH");
        return on_fetch_text(lexer.rest(), line);
    }
    if (number && name == "EXISTS") return give(Exists{*number});
    if (number && name == "RECENT") return give(Recent{*number});
    if (number && name == "EXPUNGE") return give(Expunge{*number});
    if (number || !is_known_response(name)) {
        if (!line.literal) return give(Other{std::move(name)});
        place_ = Place::skipped_response;
        skipped_name_ = std::move(name);
        begin_literal(Literal::skipped, line.literal->bytes);
        return;
    }
    if (!line.literal) return give_values(line.text.substr(2));
    place_ = Place::held_response;
    held_ = line.text.substr(2);
    hold_literal(line.literal->bytes);
}

void ResponseParser::begin_fetch(std::uint32_t number, bool is_uid) {
    place_ = Place::fetch;
    held_.clear();
    items_ = FetchItems();
    items_.sequence = number;
    if (is_uid) items_.uid = number;
    give(FetchBegin{number});
}

/// `text` is what the line brings of the items; an item that an earlier line left unfinished
/// stands in held_.
void ResponseParser::on_fetch_text(std::string_view text, Fragmenter::Line const& line) {
    if (!held_.empty()) {
        if (held_.size() + text.size() > limits_.response_bytes_max)
            return fail("response too long", line.text);
        text = held_.append(text);
    }
    Lexer lexer(text);
    for (;;) {
        lexer.skip_blanks();
        if (lexer.take(')')) {
            lexer.skip_blanks();
            if (!lexer.at_end() || line.literal)
                return fail("octets after a FETCH response", line.text);
            return end_fetch();
        }
        auto const item_begin = lexer.position();
        auto const item = parse_fetch_item(lexer, items_, short_body_, limits_.list_items_max);
        switch (item) {
        case FetchItem::done: continue;
        case FetchItem::short_body: give_short_body(); continue;
        case FetchItem::second_body: return fail("two bodies in one FETCH response", line.text);
        case FetchItem::invalid: return fail("malformed FETCH response", line.text);
        case FetchItem::body_literal:
        case FetchItem::header_literal:
        case FetchItem::starved: break;
        }
        // The lexer met the announcement that the fragmenter did: the one at the line's end.
        if (!line.literal) return fail("malformed FETCH response", line.text);
        if (item != FetchItem::starved) return on_fetch_literal(item, line.literal->bytes);
        held_ = std::string(text.substr(item_begin));
        return hold_literal(line.literal->bytes);
    }
}

void ResponseParser::on_fetch_literal(FetchItem item, std::uint64_t bytes) {
    held_.clear();
    if (item == FetchItem::header_literal) {
        bool const fits = bytes <= limits_.header_bytes_max;
        items_.header = fits ? std::optional<std::string>(std::string()) : std::nullopt;
        begin_literal(fits ? Literal::header : Literal::skipped, bytes);
        return;
    }
    items_.body = BodyForm::present;
    items_.body_bytes = bytes;
    give(BodyBegin{bytes, items_.uid, items_.rfc822_size});
    begin_literal(Literal::body, bytes);
}

void ResponseParser::give_short_body() {
    items_.body = BodyForm::present;
    items_.body_bytes = short_body_.size();
    give(BodyBegin{short_body_.size(), items_.uid, items_.rfc822_size});
    if (!short_body_.empty()) give(BodyBytes{short_body_});
    give(BodyEnd{});
}

void ResponseParser::end_fetch() {
    place_ = Place::between;
    held_.clear();
    give(FetchEnd{std::move(items_)});
}

/// held_ ends with the literal's announcement: the octets follow behind it, or none in their
/// place if there are too many to hold.
void ResponseParser::hold_literal(std::uint64_t bytes) {
    bool const fits = bytes <= limits_.literal_bytes_max;
    if (!fits) {
        oversized_ = true;
        held_.resize(held_.rfind('{'));
        held_ += "{0}";
    }
    held_ += "\r\n";
    if (fits && held_.size() + bytes > limits_.response_bytes_max) return fail("response too long");
    begin_literal(fits ? Literal::held : Literal::skipped, bytes);
}

void ResponseParser::begin_literal(Literal kind, std::uint64_t bytes) {
    if (++literals_ > limits_.literals_max) return fail("too many literals in one response");
    if (kind == Literal::skipped && bytes > limits_.skipped_literal_bytes_max)
        return fail("literal too large");
    literal_ = kind;
    if (bytes == 0) on_literal_end();
}

void ResponseParser::on_literal_bytes(std::string_view bytes) {
    switch (literal_) {
    case Literal::body: give(BodyBytes{bytes}); return;
    case Literal::header: items_.header->append(bytes); return;
    case Literal::held: held_.append(bytes); return;
    case Literal::skipped:
    case Literal::none: return;
    }
}

void ResponseParser::on_literal_end() {
    if (literal_ == Literal::body) give(BodyEnd{});
    literal_ = Literal::none;
}

void ResponseParser::finish_held() {
    place_ = Place::between;
    if (oversized_) {
        auto const name = Lexer(held_).take_word();
        give(Other{upper_case(name), true});
    } else {
        give_values(held_);
    }
    held_ = std::string();
}

/// `text`: a whole known response without its `* `.
void ResponseParser::give_values(std::string_view text) {
    Lexer lexer(text);
    lexer.skip_blanks();
    auto const name = upper_case(lexer.take_word());
    auto event = parse_untagged(name, lexer.rest(), limits_.list_items_max);
    if (!event) return fail("malformed response", text);
    give(std::move(*event));
}

void ResponseParser::give(Event event) { events_.push_back(std::move(event)); }

void ResponseParser::fail(std::string_view reason, std::string_view excerpt) {
    fault_ = ProtocolError{reason, std::string(excerpt.substr(0, excerpt_bytes_max))};
}

}  // namespace mailferry::imap
