#pragma once

/// One table of the configuration file, read key by key. Every key that isn't asked for is unknown.

#include "config/base/units.hpp"
#include "config/names.hpp"
#include "config/problem_list.hpp"
#include "config/toml.hpp"
#include "config/types.hpp"

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailferry::config {

/// The reading functions leave `out` alone when the key is missing or wrong; what is wrong becomes
/// a problem with its line and what would be accepted. Paths are relative to `folder`. Table,
/// folder and problems must outlive the reader.
class TableReader {
public:
    TableReader(toml::table const& table, std::string label, std::filesystem::path const& folder,
                ProblemList& problems)
        : table_(table), label_(std::move(label)), folder_(folder), problems_(problems) {}

    Place place() const;
    bool has(std::string_view key) const { return table_.contains(key); }

    void text(std::string_view key, std::string& out);
    void texts(std::string_view key, std::vector<std::string>& out);
    void path(std::string_view key, std::filesystem::path& out);
    void boolean(std::string_view key, bool& out);
    void bytes(std::string_view key, std::optional<ByteCount>& out);
    void bytes(std::string_view key, ByteCount& out);
    /// "20s", "2m", "500ms"; more than zero.
    void timeout(std::string_view key, std::chrono::milliseconds& out);
    /// An age ("7d") or an instant (RFC 3339 in a string, or TOML's own dates).
    void moment(std::string_view key, std::optional<std::chrono::seconds>& age,
                std::optional<std::chrono::sys_seconds>& instant);
    /// <prefix>_credential and <prefix>_file: at most one of them.
    void secret(std::string const& prefix, SecretSource& out);
    /// A secret written into the file is an error that names the cure, never the value.
    void refuse_literal(std::string const& key, std::string const& cure_prefix);

    template <std::unsigned_integral T>
    void number(std::string_view key, T& out, T smallest, T largest) {
        if (auto const found = number_in(key, smallest, largest)) out = static_cast<T>(*found);
    }

    /// A number with or without a fraction, from `smallest` to `largest`.
    void real(std::string_view key, double& out, double smallest, double largest);

    template <class E, std::size_t count>
    void choice(std::string_view key, E& out, std::array<Named<E>, count> const& names) {
        auto const* const node = ask(key);
        if (node == nullptr) return;
        if (auto const value = chosen(key, *node, names)) out = *value;
    }

    template <class E, std::size_t count>
    void choices(std::string_view key, std::vector<E>& out,
                 std::array<Named<E>, count> const& names) {
        auto const* const array = array_in(key);
        if (array == nullptr) return;
        out.clear();
        for (auto const& node : *array)
            if (auto const value = chosen(key, node, names)) out.push_back(*value);
    }

    using NamedTable = std::pair<std::string, toml::table const*>;
    /// The tables [key.NAME], in the file's order.
    std::vector<NamedTable> named_tables(std::string_view key);
    /// The tables [[key]], in the file's order.
    std::vector<toml::table const*> table_array(std::string_view key);
    toml::table const* table(std::string_view key);

    void problem(std::string_view key, std::string const& message);
    /// Reports the keys nobody asked for, with the nearest known name.
    void finish();

private:
    toml::node const* ask(std::string_view key);
    toml::array const* array_in(std::string_view key);
    std::optional<std::string> string_in(std::string_view key, std::string_view expected);
    std::optional<std::string> string_of(std::string_view key, toml::node const& node,
                                         std::string_view expected);
    std::optional<std::uint64_t> number_in(std::string_view key, std::uint64_t smallest,
                                           std::uint64_t largest);
    void complain(std::string_view key, toml::node const& node, std::string const& message);
    void wrong_type(std::string_view key, toml::node const& node, std::string_view expected);
    void wrong_value(std::string_view key, toml::node const& node, std::string_view value,
                     std::vector<std::string_view> const& accepted);

    template <class E, std::size_t count>
    std::optional<E> chosen(std::string_view key, toml::node const& node,
                            std::array<Named<E>, count> const& names) {
        auto const text = string_of(key, node, "a string");
        if (!text) return std::nullopt;
        std::vector<std::string_view> accepted;
        for (auto const& named : names) {
            if (named.name == *text) return named.value;
            accepted.push_back(named.name);
        }
        wrong_value(key, node, *text, accepted);
        return std::nullopt;
    }

    toml::table const& table_;
    std::string const label_;  ///< "tenant.fabrikam"; empty for the file's top.
    std::filesystem::path const& folder_;
    ProblemList& problems_;
    std::vector<std::string> known_;  ///< Keys that were asked for.
};

}  // namespace mailferry::config
