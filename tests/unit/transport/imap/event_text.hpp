#pragma once

/// Parser events as one line of text, for tables and for comparing two ways of slicing.

#include "transport/imap/response_parser.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

namespace mailferry::imap {

inline std::string text_of(std::optional<std::string> const& value) { return value.value_or("-"); }

template <class Number>
requires std::is_integral_v<Number> std::string text_of(std::optional<Number> const& value) {
    return value ? std::to_string(*value) : "-";
}

inline std::string text_of(std::optional<char> value) {
    return value ? std::string(1, *value) : "-";
}

inline std::string text_of(std::vector<std::string> const& names) {
    std::string text;
    for (auto const& name : names) text += (text.empty() ? "" : " ") + name;
    return text;
}

inline std::string text_of(Status const& status) {
    constexpr std::string_view kinds[] = {"ok", "no", "bad", "bye", "preauth"};
    std::string text(kinds[static_cast<std::size_t>(status.kind)]);
    if (status.code) text += " [" + status.code->name + "|" + status.code->arguments + "]";
    return text + " " + status.text;
}

inline std::string text_of(std::vector<NamespaceEntry> const& entries) {
    std::string text;
    for (auto const& entry : entries)
        text += "<" + entry.prefix + "," + text_of(entry.delimiter) + ">";
    return text;
}

inline std::string text_of(FetchItems const& items) {
    std::string text = std::to_string(items.sequence) + " uid=" + text_of(items.uid);
    if (items.flags) text += " flags=" + text_of(*items.flags);
    if (items.internaldate) text += " date=" + *items.internaldate;
    if (items.received) text += " at=" + std::to_string(items.received->unix_seconds);
    if (items.rfc822_size) text += " size=" + text_of(items.rfc822_size);
    if (items.modseq) text += " modseq=" + text_of(items.modseq);
    if (items.x_guid) text += " guid=" + *items.x_guid;
    if (items.email_id) text += " emailid=" + *items.email_id;
    if (items.gm_msgid) text += " gm=" + text_of(items.gm_msgid);
    if (items.header) text += " header=" + *items.header;
    if (items.body == BodyForm::nil) text += " nil-body";
    if (items.body == BodyForm::present) text += " body=" + std::to_string(items.body_bytes);
    return text;
}

struct EventText {
    std::string operator()(NeedMore const&) const { return "more"; }
    std::string operator()(Greeting const& e) const {
        return "greeting(" + text_of(e.status) + ")";
    }
    std::string operator()(Untagged const& e) const { return "status(" + text_of(e.status) + ")"; }
    std::string operator()(Tagged const& e) const {
        return "tagged(" + e.tag + " " + text_of(e.status) + ")";
    }
    std::string operator()(Continuation const& e) const { return "continue(" + e.text + ")"; }
    std::string operator()(Capability const& e) const {
        return "capability(" + text_of(e.names) + ")";
    }
    std::string operator()(Enabled const& e) const { return "enabled(" + text_of(e.names) + ")"; }
    std::string operator()(ListEntry const& e) const {
        constexpr std::string_view verbs[] = {"list", "lsub", "xlist"};
        return std::string(verbs[static_cast<std::size_t>(e.verb)]) + "(" + text_of(e.attributes) +
               "|" + text_of(e.delimiter) + "|" + e.name + ")";
    }
    std::string operator()(StatusData const& e) const {
        return "status-data(" + e.name + " messages=" + text_of(e.messages) +
               " uidnext=" + text_of(e.uidnext) + " uidvalidity=" + text_of(e.uidvalidity) +
               " modseq=" + text_of(e.highestmodseq) + " unseen=" + text_of(e.unseen) +
               " size=" + text_of(e.size) + " limit=" + text_of(e.appendlimit) +
               " id=" + text_of(e.mailbox_id) + " guid=" + text_of(e.x_guid) + ")";
    }
    std::string operator()(SearchResult const& e) const {
        return "search(" + e.numbers.to_string() + " modseq=" + text_of(e.modseq) + ")";
    }
    std::string operator()(Esearch const& e) const {
        return "esearch(" + e.tag + (e.uid ? " uid" : "") + " min=" + text_of(e.min) +
               " max=" + text_of(e.max) + " count=" + text_of(e.count) +
               " all=" + (e.all ? e.all->to_string() : "-") + " modseq=" + text_of(e.modseq) + ")";
    }
    std::string operator()(Vanished const& e) const {
        return std::string("vanished(") + (e.earlier ? "earlier " : "") + e.uids.to_string() + ")";
    }
    std::string operator()(Exists const& e) const {
        return "exists(" + std::to_string(e.messages) + ")";
    }
    std::string operator()(Recent const& e) const {
        return "recent(" + std::to_string(e.messages) + ")";
    }
    std::string operator()(Expunge const& e) const {
        return "expunge(" + std::to_string(e.sequence) + ")";
    }
    std::string operator()(Flags const& e) const { return "flags(" + text_of(e.flags) + ")"; }
    std::string operator()(Namespace const& e) const {
        return "namespace(" + text_of(e.personal) + "|" + text_of(e.other) + "|" +
               text_of(e.shared) + ")";
    }
    std::string operator()(Quota const& e) const {
        auto text = "quota(" + e.root;
        for (auto const& resource : e.resources)
            text += " " + resource.name + "=" + std::to_string(resource.usage) + "/" +
                    std::to_string(resource.limit);
        return text + ")";
    }
    std::string operator()(QuotaRoot const& e) const {
        return "quotaroot(" + e.name + "|" + text_of(e.roots) + ")";
    }
    std::string operator()(Id const& e) const {
        std::string text = "id(";
        for (auto const& [name, value] : e.fields) text += name + "=" + value + ";";
        return text + ")";
    }
    std::string operator()(FetchBegin const& e) const {
        return "fetch(" + std::to_string(e.sequence) + ")";
    }
    std::string operator()(BodyBegin const& e) const {
        return "body(" + std::to_string(e.bytes) + " uid=" + text_of(e.uid) +
               " size=" + text_of(e.rfc822_size) + ")";
    }
    std::string operator()(BodyBytes const& e) const { return std::string(e.bytes); }
    std::string operator()(BodyEnd const&) const { return "body-end"; }
    std::string operator()(FetchEnd const& e) const { return "fetched(" + text_of(e.items) + ")"; }
    std::string operator()(Other const& e) const {
        return "other(" + e.name + (e.oversized ? " oversized" : "") + ")";
    }
    std::string operator()(ProtocolError const& e) const {
        return "error(" + std::string(e.reason) + ")";
    }
};

/// All events of `wire`, fed in pieces of the sizes that `next_piece` names (0: the rest). Body
/// bytes are joined as bytes(...). Ends with "more" or the error.
inline std::string events_of(std::string_view wire, std::function<std::size_t()> const& next_piece,
                             ParserLimits const& limits = {},
                             ResponseParser::Begin begin = ResponseParser::Begin::response) {
    ResponseParser parser(limits, begin);
    std::string text, body;
    for (;;) {
        auto const wanted = next_piece();
        // A copy of its own, so that a sanitizer sees a view that outlives its buffer.
        auto const piece = std::string(wire.substr(0, wanted == 0 ? wire.size() : wanted));
        wire.remove_prefix(piece.size());
        std::string_view input = piece;
        for (;;) {
            auto const event = parser.next(input);
            if (std::holds_alternative<NeedMore>(event)) break;
            auto const event_text = std::visit(EventText(), event);
            if (std::holds_alternative<BodyBytes>(event)) {
                body += event_text;
                continue;
            }
            if (!body.empty()) text += "bytes(" + body + ") ";
            body.clear();
            text += event_text;
            if (std::holds_alternative<ProtocolError>(event)) return text;
            text += " ";
        }
        if (!input.empty()) return text + "input left over";
        if (wire.empty()) return text + (body.empty() ? "" : "bytes(" + body + ") ") + "more";
    }
}

inline std::string events_of(std::string_view wire, std::size_t piece_bytes,
                             ParserLimits const& limits = {},
                             ResponseParser::Begin begin = ResponseParser::Begin::response) {
    return events_of(
        wire, [piece_bytes] { return piece_bytes; }, limits, begin);
}

}  // namespace mailferry::imap
