#include "transport/imap/response_values.hpp"

#include "config/base/assert.hpp"
#include "transport/imap/ascii.hpp"
#include "transport/imap/flags.hpp"
#include "transport/imap/lexer.hpp"

#include <algorithm>
#include <array>

namespace mailferry::imap {
namespace {

using Parse = std::optional<Event> (*)(Lexer&, std::size_t items_max);

std::optional<std::vector<std::string>> take_names(Lexer& lexer, std::size_t items_max) {
    std::vector<std::string> names;
    for (;;) {
        lexer.skip_blanks();
        if (lexer.at_end()) return names;
        auto const word = lexer.take_word();
        if (word.empty() || names.size() == items_max) return std::nullopt;
        names.push_back(upper_case(word));
    }
}

std::optional<Event> parse_capability(Lexer& lexer, std::size_t items_max) {
    auto names = take_names(lexer, items_max);
    if (!names) return std::nullopt;
    return Capability{std::move(*names)};
}

std::optional<Event> parse_enabled(Lexer& lexer, std::size_t items_max) {
    auto names = take_names(lexer, items_max);
    if (!names) return std::nullopt;
    return Enabled{std::move(*names)};
}

std::optional<Event> parse_flags(Lexer& lexer, std::size_t items_max) {
    auto flags = lexer.take_word_list(items_max);
    if (!flags) return std::nullopt;
    return Flags{std::move(*flags)};
}

// What may follow the name (OLDNAME, CHILDINFO of RFC 5258) is of no use here.
template <ListEntry::Verb verb>
std::optional<Event> parse_list(Lexer& lexer, std::size_t items_max) {
    ListEntry entry;
    entry.verb = verb;
    auto attributes = lexer.take_word_list(items_max);
    if (!attributes) return std::nullopt;
    entry.attributes = std::move(*attributes);
    lexer.skip_blanks();
    auto const delimiter = lexer.take_delimiter();
    if (!delimiter) return std::nullopt;
    entry.delimiter = *delimiter;
    lexer.skip_blanks();
    auto name = lexer.take_name();
    if (!name) return std::nullopt;
    entry.name = std::move(*name);
    return entry;
}

bool take_parenthesised_id(Lexer& lexer, std::optional<std::string>& id) {
    if (lexer.peek() != '(') return lexer.skip_value();
    auto const ids = lexer.take_word_list(1);
    if (ids && !ids->empty()) id = checked_object_id(ids->front());
    return ids.has_value();
}

bool take_guid(Lexer& lexer, std::optional<std::string>& guid) {
    auto const text = lexer.take_string_or_word();
    if (text) guid = checked_object_id(*text);
    return text.has_value();
}

bool take_status_item(Lexer& lexer, std::string_view name, StatusData& data) {
    struct Counter {
        std::string_view name;
        std::optional<std::uint32_t>& value;
    };
    struct Amount {
        std::string_view name;
        std::optional<std::uint64_t>& value;
    };
    auto const counters = std::to_array<Counter>({{"MESSAGES", data.messages},
                                                  {"RECENT", data.recent},
                                                  {"UIDNEXT", data.uidnext},
                                                  {"UIDVALIDITY", data.uidvalidity},
                                                  {"UNSEEN", data.unseen},
                                                  {"DELETED", data.deleted}});
    auto const amounts =
        std::to_array<Amount>({{"HIGHESTMODSEQ", data.highestmodseq}, {"SIZE", data.size}});
    for (auto const& counter : counters)
        if (name == counter.name) return (counter.value = lexer.take_number32()).has_value();
    for (auto const& amount : amounts)
        if (name == amount.name) return (amount.value = lexer.take_number63()).has_value();
    if (name == "APPENDLIMIT" && is_digit(lexer.peek()))
        return (data.appendlimit = lexer.take_number63()).has_value();
    if (name == "MAILBOXID") return take_parenthesised_id(lexer, data.mailbox_id);
    if (name == "X-GUID") return take_guid(lexer, data.x_guid);
    return lexer.skip_value();
}

std::optional<Event> parse_status_data(Lexer& lexer, std::size_t items_max) {
    StatusData data;
    auto name = lexer.take_name();
    if (!name) return std::nullopt;
    data.name = std::move(*name);
    lexer.skip_blanks();
    if (!lexer.take('(')) return std::nullopt;
    for (std::size_t items = 0; items <= items_max; ++items) {
        lexer.skip_blanks();
        if (lexer.take(')')) return data;
        auto const item = upper_case(lexer.take_word());
        lexer.skip_blanks();
        if (item.empty() || !take_status_item(lexer, item, data)) return std::nullopt;
    }
    return std::nullopt;
}

bool take_search_modseq(Lexer& lexer, SearchResult& result) {
    if (!lexer.take('(')) return false;
    lexer.skip_blanks();
    if (!equal_names(lexer.take_word(), "MODSEQ")) return false;
    lexer.skip_blanks();
    result.modseq = lexer.take_number63();
    lexer.skip_blanks();
    return result.modseq && lexer.take(')');
}

// The line's own limit bounds the numbers.
std::optional<Event> parse_search(Lexer& lexer, std::size_t) {
    SearchResult result;
    std::vector<UidRun> numbers;
    for (;;) {
        lexer.skip_blanks();
        if (lexer.at_end()) break;
        if (lexer.peek() == '(') {
            if (!take_search_modseq(lexer, result)) return std::nullopt;
            continue;
        }
        auto const number = lexer.take_nonzero32();
        if (!number) return std::nullopt;
        if (!numbers.empty() && std::uint64_t{numbers.back().last} + 1 == *number)
            numbers.back().last = *number;
        else
            numbers.push_back({*number, *number});
    }
    result.numbers = UidSet(std::move(numbers));
    return result;
}

bool take_esearch_tag(Lexer& lexer, Esearch& result) {
    if (!lexer.take('(')) return true;
    lexer.skip_blanks();
    bool const is_tag = equal_names(lexer.take_word(), "TAG");
    lexer.skip_blanks();
    auto tag = lexer.take_string_or_word();
    if (!is_tag || !tag || !lexer.take(')')) return false;
    result.tag = std::move(*tag);
    return true;
}

bool take_esearch_item(Lexer& lexer, std::string_view name, Esearch& result) {
    if (name == "MIN") return (result.min = lexer.take_nonzero32()).has_value();
    if (name == "MAX") return (result.max = lexer.take_nonzero32()).has_value();
    if (name == "COUNT") return (result.count = lexer.take_number32()).has_value();
    if (name == "MODSEQ") return (result.modseq = lexer.take_number63()).has_value();
    if (name == "ALL") return (result.all = UidSet::parse(lexer.take_word())).has_value();
    return lexer.skip_value();
}

std::optional<Event> parse_esearch(Lexer& lexer, std::size_t items_max) {
    Esearch result;
    lexer.skip_blanks();
    if (!take_esearch_tag(lexer, result)) return std::nullopt;
    for (std::size_t items = 0; items <= items_max; ++items) {
        lexer.skip_blanks();
        if (lexer.at_end()) return result;
        auto const name = upper_case(lexer.take_word());
        if (name == "UID") {
            result.uid = true;
            continue;
        }
        lexer.skip_blanks();
        if (name.empty() || !take_esearch_item(lexer, name, result)) return std::nullopt;
    }
    return std::nullopt;
}

std::optional<Event> parse_vanished(Lexer& lexer, std::size_t) {
    Vanished result;
    lexer.skip_blanks();
    if (lexer.peek() == '(') {
        auto const tags = lexer.take_word_list(1);
        if (!tags || tags->empty() || !equal_names(tags->front(), "EARLIER")) return std::nullopt;
        result.earlier = true;
    }
    lexer.skip_blanks();
    auto uids = UidSet::parse(lexer.take_word());
    if (!uids) return std::nullopt;
    result.uids = std::move(*uids);
    return result;
}

bool take_namespace_entries(Lexer& lexer, std::vector<NamespaceEntry>& entries,
                            std::size_t items_max) {
    lexer.skip_blanks();
    if (!lexer.take('(')) return equal_names(lexer.take_word(), "NIL");
    for (;;) {
        lexer.skip_blanks();
        if (lexer.take(')')) return true;
        if (!lexer.take('(') || entries.size() == items_max) return false;
        auto prefix = lexer.take_string();
        lexer.skip_blanks();
        auto const delimiter = prefix ? lexer.take_delimiter() : std::nullopt;
        if (!delimiter) return false;
        lexer.skip_blanks();
        while (!lexer.take(')')) {
            if (!lexer.skip_value()) return false;
            lexer.skip_blanks();
        }
        entries.push_back({std::move(*prefix), *delimiter});
    }
}

std::optional<Event> parse_namespace(Lexer& lexer, std::size_t items_max) {
    Namespace result;
    for (auto* entries : {&result.personal, &result.other, &result.shared})
        if (!take_namespace_entries(lexer, *entries, items_max)) return std::nullopt;
    return result;
}

std::optional<Event> parse_quota(Lexer& lexer, std::size_t items_max) {
    Quota quota;
    auto root = lexer.take_name();
    if (!root) return std::nullopt;
    quota.root = std::move(*root);
    lexer.skip_blanks();
    if (!lexer.take('(')) return std::nullopt;
    for (;;) {
        lexer.skip_blanks();
        if (lexer.take(')')) return quota;
        if (quota.resources.size() == items_max) return std::nullopt;
        QuotaResource resource;
        resource.name = upper_case(lexer.take_word());
        lexer.skip_blanks();
        auto const usage = lexer.take_number63();
        lexer.skip_blanks();
        auto const limit = lexer.take_number63();
        if (resource.name.empty() || !usage || !limit) return std::nullopt;
        resource.usage = *usage;
        resource.limit = *limit;
        quota.resources.push_back(std::move(resource));
    }
}

std::optional<Event> parse_quota_root(Lexer& lexer, std::size_t items_max) {
    QuotaRoot result;
    auto name = lexer.take_name();
    if (!name) return std::nullopt;
    result.name = std::move(*name);
    for (;;) {
        lexer.skip_blanks();
        if (lexer.at_end()) return result;
        auto root = lexer.take_name();
        if (!root || result.roots.size() == items_max) return std::nullopt;
        result.roots.push_back(std::move(*root));
    }
}

std::optional<Event> parse_id(Lexer& lexer, std::size_t items_max) {
    Id id;
    lexer.skip_blanks();
    if (!lexer.take('(')) {
        if (!equal_names(lexer.take_word(), "NIL")) return std::nullopt;
        return id;
    }
    for (;;) {
        lexer.skip_blanks();
        if (lexer.take(')')) return id;
        auto name = lexer.take_string();
        lexer.skip_blanks();
        auto value = name ? lexer.take_nstring() : std::nullopt;
        if (!value || id.fields.size() == items_max) return std::nullopt;
        id.fields.emplace_back(std::move(*name), std::move(value->value));
    }
}

Parse parser_of(std::string_view name) {
    struct Row {
        std::string_view name;
        Parse parse;
    };
    static constexpr auto rows = std::to_array<Row>({
        {"CAPABILITY", parse_capability},
        {"ENABLED", parse_enabled},
        {"FLAGS", parse_flags},
        {"LIST", parse_list<ListEntry::Verb::list>},
        {"LSUB", parse_list<ListEntry::Verb::lsub>},
        {"XLIST", parse_list<ListEntry::Verb::xlist>},
        {"STATUS", parse_status_data},
        {"SEARCH", parse_search},
        {"SORT", parse_search},
        {"ESEARCH", parse_esearch},
        {"VANISHED", parse_vanished},
        {"NAMESPACE", parse_namespace},
        {"QUOTA", parse_quota},
        {"QUOTAROOT", parse_quota_root},
        {"ID", parse_id},
    });
    auto const row =
        std::find_if(rows.begin(), rows.end(), [&](Row const& each) { return each.name == name; });
    return row == rows.end() ? nullptr : row->parse;
}

}  // namespace

bool is_known_response(std::string_view name) { return parser_of(name) != nullptr; }

std::optional<Event> parse_untagged(std::string_view name, std::string_view text,
                                    std::size_t items_max) {
    auto const parse = parser_of(name);
    MAILFERRY_ASSERT_SHOWING(parse != nullptr, name);
    Lexer lexer(text);
    lexer.skip_blanks();
    return parse(lexer, items_max);
}

}  // namespace mailferry::imap
