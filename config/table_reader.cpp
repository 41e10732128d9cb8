#include "config/table_reader.hpp"

#include "config/base/error.hpp"
#include "config/dates.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <charconv>

namespace mailferry::config {
namespace {

int line_of(toml::node const& node) { return static_cast<int>(node.source().begin.line); }

std::string_view type_of(toml::node const& node) {
    switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "a number";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::boolean: return "a boolean";
    case toml::node_type::date: return "a date";
    case toml::node_type::time: return "a time";
    case toml::node_type::date_time: return "a date and time";
    case toml::node_type::none: break;
    }
    return "nothing";
}

std::optional<std::chrono::milliseconds> parse_timeout(std::string_view text) {
    if (auto const seconds = parse_age(text)) return *seconds;
    std::uint32_t count = 0;
    auto const* const end = text.data() + text.size();
    auto const [rest, failure] = std::from_chars(text.data(), end, count);
    if (failure != std::errc{} || std::string_view(rest, end) != "ms") return std::nullopt;
    return std::chrono::milliseconds(count);
}

/// Shortest decimal form, with a dot under every locale.
std::string plain_number(double value) {
    std::array<char, 32> text;
    auto const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

std::optional<std::chrono::sys_seconds> instant_of(toml::date const& date) {
    if (date.year < 1970) return std::nullopt;
    return std::chrono::sys_days(std::chrono::year(date.year) / date.month / date.day);
}

std::optional<std::chrono::sys_seconds> instant_of(toml::date_time const& moment) {
    auto const midnight = instant_of(moment.date);
    if (!midnight || !moment.offset) return std::nullopt;
    return *midnight + std::chrono::hours(moment.time.hour) +
           std::chrono::minutes(moment.time.minute) + std::chrono::seconds(moment.time.second) -
           std::chrono::minutes(moment.offset->minutes);
}

}  // namespace

Place TableReader::place() const { return {problems_.file(), line_of(table_)}; }

void TableReader::text(std::string_view key, std::string& out) {
    if (auto found = string_in(key, "a string")) out = std::move(*found);
}

void TableReader::texts(std::string_view key, std::vector<std::string>& out) {
    auto const* const array = array_in(key);
    if (array == nullptr) return;
    out.clear();
    for (auto const& node : *array) {
        auto text = string_of(key, node, "a string");
        if (!text) continue;
        if (text->empty()) {
            complain(key, node, "an empty string stands for nothing here");
        } else {
            out.push_back(std::move(*text));
        }
    }
}

void TableReader::path(std::string_view key, std::filesystem::path& out) {
    auto const found = string_in(key, "a path in a string");
    if (!found) return;
    if (found->empty()) return problem(key, "the path is empty");
    if (found->find('\0') != found->npos) return problem(key, "the path has a NUL character");
    out = (folder_ / *found).lexically_normal();
}

void TableReader::boolean(std::string_view key, bool& out) {
    auto const* const node = ask(key);
    if (node == nullptr) return;
    if (auto const* const value = node->as_boolean()) {
        out = value->get();
    } else {
        wrong_type(key, *node, "true or false (without quotes)");
    }
}

void TableReader::bytes(std::string_view key, std::optional<ByteCount>& out) {
    auto const* const node = ask(key);
    if (node == nullptr) return;
    if (auto const* const number = node->as_integer(); number != nullptr && number->get() >= 0) {
        out = ByteCount{static_cast<std::uint64_t>(number->get())};
        return;
    }
    auto const* const text = node->as_string();
    if (text == nullptr) return wrong_type(key, *node, "a size like \"64MiB\" or \"20GiB\"");
    auto const size = parse_bytes(text->get());
    if (!size)
        return complain(key, *node,
                        shown(text->get()) + " is no size; accepted are sizes like \"64MiB\", "
                        "\"1.5GiB\", \"5GB\" or a number of bytes");
    out = size;
}

void TableReader::bytes(std::string_view key, ByteCount& out) {
    std::optional<ByteCount> found;
    bytes(key, found);
    if (found) out = *found;
}

void TableReader::timeout(std::string_view key, std::chrono::milliseconds& out) {
    auto const found = string_in(key, "a time like \"20s\" or \"2m\"");
    if (!found) return;
    auto const time = parse_timeout(*found);
    if (!time || time->count() == 0 || *time > std::chrono::hours(24))
        return problem(key, shown(*found) + " is no time; accepted are times like \"500ms\", "
                       "\"20s\" or \"2m\", from 1ms to 24h");
    out = *time;
}

void TableReader::real(std::string_view key, double& out, double smallest, double largest) {
    auto const* const node = ask(key);
    if (node == nullptr) return;
    auto const value = node->value<double>();
    if (!node->is_number() || !value) return wrong_type(key, *node, "a number like 0.5");
    // Said this way round so that "not a number" is out of range too.
    if (!(*value >= smallest && *value <= largest))
        return complain(key, *node, "is out of range; expected is a number from " +
                                        plain_number(smallest) + " to " + plain_number(largest));
    out = *value;
}

void TableReader::moment(std::string_view key, std::optional<std::chrono::seconds>& age,
                         std::optional<std::chrono::sys_seconds>& instant) {
    auto const* const node = ask(key);
    if (node == nullptr) return;
    constexpr auto accepted =
        "accepted are an age like \"7d\" (s, m, h, d, w), a date like \"2026-01-31\" (midnight "
        "UTC) or a time with its offset like \"2026-01-31T08:00:00Z\"";
    std::string_view written = "this date";
    if (auto const* const text = node->as_string()) {
        age = parse_age(text->get());
        if (!age) instant = parse_instant(text->get());
        written = text->get();
    } else if (auto const* const date = node->as_date()) {
        instant = instant_of(date->get());
    } else if (auto const* const date_time = node->as_date_time()) {
        instant = instant_of(date_time->get());
        if (!date_time->get().offset) written = "a time without its offset";
    } else {
        return wrong_type(key, *node, "an age or a date");
    }
    if (!age && !instant) complain(key, *node, shown(written) + " can't be used; " + accepted);
}

void TableReader::secret(std::string const& prefix, SecretSource& out) {
    auto const credential_key = prefix + "_credential";
    auto const file_key = prefix + "_file";
    text(credential_key, out.credential);
    path(file_key, out.file);
    if (has(credential_key) && out.credential.empty() && table_[credential_key].is_string())
        problem(credential_key, "the credential's name is empty");
    if (!out.credential.empty() && !out.file.empty()) {
        problem(file_key, credential_key + " is set too: keep one of them");
        out.credential.clear();
    }
}

void TableReader::refuse_literal(std::string const& key, std::string const& cure_prefix) {
    if (ask(key) == nullptr) return;
    problem(key, "secrets don't belong into this file: put it into a file of mode 0600 and name "
                 "that with " + cure_prefix + "_file, or a systemd credential with " +
                     cure_prefix + "_credential");
}

std::vector<TableReader::NamedTable> TableReader::named_tables(std::string_view key) {
    std::vector<NamedTable> tables;
    auto const* const node = ask(key);
    if (node == nullptr) return tables;
    if (!node->is_table()) {
        wrong_type(key, *node, "tables with a name, [" + std::string(key) + ".NAME]");
        return tables;
    }
    for (auto const& [name, child] : *node->as_table()) {
        if (auto const* const child_table = child.as_table()) {
            tables.emplace_back(std::string(name.str()), child_table);
        } else {
            complain(key, child, shown(name.str()) + " stands outside a table; begin one with [" +
                                     std::string(key) + ".NAME]");
        }
    }
    std::stable_sort(tables.begin(), tables.end(), [](auto const& a, auto const& b) {
        return line_of(*a.second) < line_of(*b.second);
    });
    return tables;
}

std::vector<toml::table const*> TableReader::table_array(std::string_view key) {
    std::vector<toml::table const*> tables;
    auto const* const node = ask(key);
    if (node == nullptr) return tables;
    auto const* const array = node->as_array();
    auto const header = "[[" + (label_.empty() ? "" : label_ + ".") + std::string(key) + "]]";
    if (array == nullptr) {
        wrong_type(key, *node, "a list of tables, each begun with " + header);
        return tables;
    }
    for (auto const& child : *array) {
        if (auto const* const child_table = child.as_table()) {
            tables.push_back(child_table);
        } else {
            wrong_type(key, child, "a table begun with " + header);
        }
    }
    return tables;
}

toml::table const* TableReader::table(std::string_view key) {
    auto const* const node = ask(key);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) wrong_type(key, *node, "a table, [" + std::string(key) + "]");
    return node->as_table();
}

void TableReader::finish() {
    std::vector<std::string_view> names(known_.begin(), known_.end());
    std::sort(names.begin(), names.end());
    for (auto const& [key, node] : table_) {
        if (std::binary_search(names.begin(), names.end(), key.str())) continue;
        auto message = "unknown key " + shown(key.str());
        if (!label_.empty()) message += " in [" + escape_untrusted(label_, 128) + "]";
        if (auto const meant = nearest_name(key.str(), names)) {
            message += "; did you mean " + shown(*meant) + "?";
        } else {
            message += "; accepted are " + quoted_list(names);
        }
        problems_.error(static_cast<int>(key.source().begin.line), std::move(message));
    }
}

void TableReader::problem(std::string_view key, std::string const& message) {
    auto const* const node = table_.get(key);
    complain(key, node != nullptr ? *node : table_, message);
}

toml::node const* TableReader::ask(std::string_view key) {
    known_.emplace_back(key);
    return table_.get(key);
}

toml::array const* TableReader::array_in(std::string_view key) {
    auto const* const node = ask(key);
    if (node == nullptr) return nullptr;
    if (!node->is_array()) wrong_type(key, *node, "a list like [\"a\", \"b\"]");
    return node->as_array();
}

std::optional<std::string> TableReader::string_in(std::string_view key, std::string_view expected) {
    auto const* const node = ask(key);
    return node == nullptr ? std::nullopt : string_of(key, *node, expected);
}

std::optional<std::string> TableReader::string_of(std::string_view key, toml::node const& node,
                                                  std::string_view expected) {
    auto const* const text = node.as_string();
    if (text != nullptr) return text->get();
    wrong_type(key, node, expected);
    return std::nullopt;
}

std::optional<std::uint64_t> TableReader::number_in(std::string_view key, std::uint64_t smallest,
                                                    std::uint64_t largest) {
    auto const* const node = ask(key);
    if (node == nullptr) return std::nullopt;
    auto const range = "a whole number from " + std::to_string(smallest) + " to " +
                       std::to_string(largest);
    auto const* const number = node->as_integer();
    if (number == nullptr) {
        wrong_type(key, *node, range);
        return std::nullopt;
    }
    auto const value = number->get();
    if (value < 0 || static_cast<std::uint64_t>(value) < smallest ||
        static_cast<std::uint64_t>(value) > largest) {
        complain(key, *node, std::to_string(value) + " is out of range; expected is " + range);
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(value);
}

void TableReader::complain(std::string_view key, toml::node const& node,
                           std::string const& message) {
    auto name = label_.empty() ? std::string(key) : label_ + '.' + std::string(key);
    problems_.error(line_of(node), escape_untrusted(name, 128) + ": " + message);
}

void TableReader::wrong_type(std::string_view key, toml::node const& node,
                             std::string_view expected) {
    complain(key, node,
             "expected is " + std::string(expected) + ", not " + std::string(type_of(node)));
}

void TableReader::wrong_value(std::string_view key, toml::node const& node, std::string_view value,
                              std::vector<std::string_view> const& accepted) {
    complain(key, node, shown(value) + " is unknown; accepted are " + quoted_list(accepted));
}

}  // namespace mailferry::config
