#include "transport/imap/fetch_items.hpp"

#include "transport/imap/response_values.hpp"

#include <string_view>

namespace mailferry::imap {
namespace {

FetchItem outcome(bool ok, Lexer const& lexer) {
    if (ok) return FetchItem::done;
    return lexer.starved() ? FetchItem::starved : FetchItem::invalid;
}

FetchItem parse_body(Lexer& lexer, FetchItems& items, std::string& short_body) {
    if (items.body != BodyForm::absent) return FetchItem::second_body;
    if (lexer.at_literal_head()) return FetchItem::body_literal;
    auto value = lexer.take_nstring();
    if (!value) return outcome(false, lexer);
    if (value->is_nil) {
        items.body = BodyForm::nil;
        return FetchItem::done;
    }
    short_body = std::move(value->value);
    return FetchItem::short_body;
}

FetchItem parse_header(Lexer& lexer, FetchItems& items) {
    if (lexer.at_literal_head()) return FetchItem::header_literal;
    auto value = lexer.take_nstring();
    if (!value) return outcome(false, lexer);
    if (!value->is_nil) items.header = std::move(value->value);
    return FetchItem::done;
}

bool parse_internaldate(Lexer& lexer, FetchItems& items) {
    auto value = lexer.take_nstring();
    if (!value) return false;
    if (value->is_nil) return true;
    items.received = parse_date_time(value->value);
    items.internaldate = std::move(value->value);
    return true;
}

// RFC 7162 puts the number in parentheses.
bool parse_modseq(Lexer& lexer, FetchItems& items) {
    bool const has_parenthesis = lexer.take('(');
    lexer.skip_blanks();
    items.modseq = lexer.take_number63();
    lexer.skip_blanks();
    return items.modseq && (!has_parenthesis || lexer.take(')'));
}

bool parse_email_id(Lexer& lexer, FetchItems& items) {
    auto const id = lexer.take_word_list(1);
    if (!id) return false;
    if (!id->empty()) items.email_id = checked_object_id(id->front());
    return true;
}

bool parse_x_guid(Lexer& lexer, FetchItems& items) {
    auto const guid = lexer.take_string_or_word();
    if (!guid) return false;
    items.x_guid = checked_object_id(*guid);
    return true;
}

bool parse_flags(Lexer& lexer, FetchItems& items, std::size_t flags_max) {
    items.flags = lexer.take_word_list(flags_max);
    return items.flags.has_value();
}

bool is_body(std::string_view name) {
    return name == "BODY[]" || name == "BINARY[]" || name == "RFC822";
}

bool is_header(std::string_view name) {
    return name.starts_with("BODY[HEADER") || name == "RFC822.HEADER";
}

}  // namespace

FetchItem parse_fetch_item(Lexer& lexer, FetchItems& items, std::string& short_body,
                           std::size_t flags_max) {
    auto const name = lexer.take_item_name();
    if (!name) return outcome(false, lexer);
    lexer.skip_blanks();
    if (is_body(*name)) return parse_body(lexer, items, short_body);
    if (is_header(*name)) return parse_header(lexer, items);
    if (*name == "UID") {
        items.uid = lexer.take_nonzero32();
        return outcome(items.uid.has_value(), lexer);
    }
    if (*name == "RFC822.SIZE") {
        items.rfc822_size = lexer.take_number63();
        return outcome(items.rfc822_size.has_value(), lexer);
    }
    if (*name == "FLAGS") return outcome(parse_flags(lexer, items, flags_max), lexer);
    if (*name == "INTERNALDATE") return outcome(parse_internaldate(lexer, items), lexer);
    if (*name == "MODSEQ") return outcome(parse_modseq(lexer, items), lexer);
    if (*name == "X-GUID") return outcome(parse_x_guid(lexer, items), lexer);
    if (*name == "EMAILID") return outcome(parse_email_id(lexer, items), lexer);
    if (*name == "X-GM-MSGID") {
        items.gm_msgid = lexer.take_number63();
        return outcome(items.gm_msgid.has_value(), lexer);
    }
    return outcome(lexer.skip_value(), lexer);
}

}  // namespace mailferry::imap
