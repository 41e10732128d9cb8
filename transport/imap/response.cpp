#include "transport/imap/response.hpp"

#include "transport/imap/ascii.hpp"
#include "transport/imap/flags.hpp"
#include "transport/imap/lexer.hpp"
#include "transport/imap/response_values.hpp"

#include <algorithm>
#include <array>

namespace mailferry::imap {
namespace {

constexpr std::size_t code_items_max = 4'096;

std::optional<std::uint32_t> nonzero_argument(ResponseCode const& code, std::string_view name) {
    if (code.name != name) return std::nullopt;
    return Lexer(code.arguments).take_nonzero32();
}

/// The end of the code's arguments in `text`: the first `]` outside quotes and lists or, where
/// these aren't closed, simply the first.
std::size_t code_end(std::string_view text) {
    bool is_quoted = false;
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const c = text[i];
        if (is_quoted && c == '\\')
            ++i;
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && c == '(')
            ++depth;
        else if (!is_quoted && c == ')')
            --depth;
        else if (!is_quoted && depth <= 0 && c == ']')
            return i;
    }
    return text.find(']');
}

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

}  // namespace

std::uint64_t AppendUid::count() const {
    std::uint64_t total = 0;
    for (auto const& run : uids) total += run.count();
    return total;
}

std::optional<std::uint32_t> AppendUid::at(std::uint64_t index) const {
    for (auto const& run : uids) {
        if (index < run.count()) return static_cast<std::uint32_t>(run.first + index);
        index -= run.count();
    }
    return std::nullopt;
}

std::optional<std::uint32_t> ResponseCode::uidvalidity() const {
    return nonzero_argument(*this, "UIDVALIDITY");
}

std::optional<std::uint32_t> ResponseCode::uidnext() const {
    return nonzero_argument(*this, "UIDNEXT");
}

std::optional<std::uint64_t> ResponseCode::highestmodseq() const {
    if (name != "HIGHESTMODSEQ") return std::nullopt;
    return Lexer(arguments).take_number63();
}

std::optional<std::vector<std::string>> ResponseCode::permanent_flags() const {
    if (name != "PERMANENTFLAGS") return std::nullopt;
    return Lexer(arguments).take_word_list(code_items_max);
}

std::optional<std::vector<std::string>> ResponseCode::capability() const {
    if (name != "CAPABILITY") return std::nullopt;
    auto parsed = parse_untagged("CAPABILITY", arguments, code_items_max);
    if (!parsed) return std::nullopt;
    return std::move(std::get<Capability>(*parsed).names);
}

std::optional<AppendUid> ResponseCode::append_uid() const {
    if (name != "APPENDUID") return std::nullopt;
    Lexer lexer(arguments);
    auto const validity = lexer.take_nonzero32();
    lexer.skip_blanks();
    auto uids = parse_uid_runs(lexer.take_word());
    if (!validity || !uids || !lexer.at_end()) return std::nullopt;
    return AppendUid{*validity, std::move(*uids)};
}

std::optional<CopyUid> ResponseCode::copy_uid() const {
    if (name != "COPYUID") return std::nullopt;
    Lexer lexer(arguments);
    auto const validity = lexer.take_nonzero32();
    lexer.skip_blanks();
    auto source = parse_uid_runs(lexer.take_word());
    lexer.skip_blanks();
    auto target = parse_uid_runs(lexer.take_word());
    if (!validity || !source || !target || !lexer.at_end()) return std::nullopt;
    return CopyUid{*validity, std::move(*source), std::move(*target)};
}

std::optional<UidSet> ResponseCode::modified() const {
    if (name != "MODIFIED") return std::nullopt;
    return UidSet::parse(arguments);
}

std::optional<std::string> ResponseCode::mailbox_id() const {
    if (name != "MAILBOXID") return std::nullopt;
    auto const ids = Lexer(arguments).take_word_list(1);
    if (!ids || ids->empty()) return std::nullopt;
    return checked_object_id(ids->front());
}

bool Capability::has(std::string_view name) const { return contains_flag(names, name); }

bool ListEntry::has_attribute(std::string_view attribute) const {
    return contains_flag(attributes, attribute);
}

std::string_view Id::value(std::string_view name) const {
    for (auto const& [field, text] : fields)
        if (equal_names(field, name)) return text;
    return {};
}

std::optional<StatusKind> status_kind(std::string_view word) {
    struct Row {
        std::string_view word;
        StatusKind kind;
    };
    static constexpr auto rows = std::to_array<Row>({{"OK", StatusKind::ok},
                                                     {"NO", StatusKind::no},
                                                     {"BAD", StatusKind::bad},
                                                     {"BYE", StatusKind::bye},
                                                     {"PREAUTH", StatusKind::preauth}});
    for (auto const& row : rows)
        if (equal_names(word, row.word)) return row.kind;
    return std::nullopt;
}

Status parse_status(StatusKind kind, std::string_view rest) {
    rest = without_blanks(rest);
    Status status{kind, std::nullopt, std::string(rest)};
    if (rest.empty() || rest.front() != '[') return status;
    auto const inner = rest.substr(1);
    auto const end = code_end(inner);
    if (end == inner.npos) return status;
    auto const code = inner.substr(0, end);
    auto const name = code.substr(0, code.find(' '));
    if (!is_atom(name)) return status;
    status.code =
        ResponseCode{upper_case(name), std::string(without_blanks(code.substr(name.size())))};
    status.text = without_blanks(inner.substr(end + 1));
    return status;
}

std::optional<std::string> checked_object_id(std::string_view id) {
    bool const is_safe = std::all_of(id.begin(), id.end(), [](char c) {
        auto const letter = upper(c);
        return is_digit(c) || (letter >= 'A' && letter <= 'Z') || c == '-' || c == '_';
    });
    if (id.empty() || id.size() > 255 || !is_safe) return std::nullopt;
    return std::string(id);
}

}  // namespace mailferry::imap
