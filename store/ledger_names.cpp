#include "store/ledger_names.hpp"

#include "config/base/assert.hpp"
#include "config/base/crypto.hpp"

#include <algorithm>

namespace mailferry::store {
namespace {

constexpr std::size_t digest_bytes = 16;

/// Stands for a source name, whose text nobody asks back: a ninth of its size.
std::string digest_of(std::string_view name) {
    auto const sum = sha256(name);
    return {reinterpret_cast<char const*>(sum.data()), digest_bytes};
}

Result<PairId> pair_of(Database& database, FolderId folder) {
    auto query = database.query("SELECT pair FROM folder WHERE id = ?1", folder);
    auto const row = query.step();
    if (!row) return row.error();
    MAILFERRY_ASSERT(*row);
    return PairId{query.integer(0)};
}

Result<std::uint64_t> source_names_numbered(Database& database, PairId pair) {
    auto query = database.query("SELECT source_names FROM pair WHERE id = ?1", pair);
    auto const row = query.step();
    if (!row) return row.error();
    MAILFERRY_ASSERT(*row);
    return query.count(0);
}

/// Fills in number and home if the name has a number.
Result<bool> find_source_name(Database& database, PairId pair, std::string_view digest,
                              NamedItem& item) {
    auto query =
        database.query("SELECT number, folder FROM source_name WHERE pair = ?1 AND digest = ?2",
                       pair, Blob{digest});
    auto const row = query.step();
    if (!row || !*row) return row;
    item.number = query.count(0);
    item.folder = FolderId{query.integer(1)};
    return true;
}

/// "" if there is none.
Result<std::string> target_name(Database& database, PairId pair, std::uint64_t number) {
    auto query = database.query(
        "SELECT CASE WHEN n.base = 0 THEN n.tail "
        "ELSE CAST(substr(b.tail, 1, n.shared) || n.tail AS BLOB) END FROM target_name AS n "
        "LEFT JOIN target_name AS b ON b.pair = n.pair AND b.number = n.base "
        "WHERE n.pair = ?1 AND n.number = ?2",
        pair, number);
    auto const row = query.step();
    if (!row) return row.error();
    return *row ? query.text(0) : std::string();
}

std::size_t shared_prefix(std::string_view a, std::string_view b) {
    auto const [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return static_cast<std::size_t>(end - a.begin());
}

}  // namespace

Result<std::vector<NamedItem>> number_source_names(Database& database, FolderId folder,
                                                   std::vector<std::string> const& names) {
    auto const pair = pair_of(database, folder);
    if (!pair) return pair.error();
    auto const before = source_names_numbered(database, *pair);
    if (!before) return before.error();
    auto last = *before;
    std::vector<NamedItem> numbered;
    numbered.reserve(names.size());
    for (auto const& name : names) {
        auto const digest = digest_of(name);
        auto& item = numbered.emplace_back();
        item.name = name;
        auto const found = find_source_name(database, *pair, digest, item);
        if (!found) return found.error();
        if (*found) continue;
        item.number = ++last;
        item.folder = folder;
        item.is_new = true;
        auto const made = database
                              .query(
                                  "INSERT INTO source_name(pair, digest, number, folder) "
                                  "VALUES(?1, ?2, ?3, ?4)",
                                  *pair, Blob{digest}, item.number, folder)
                              .run();
        if (!made) return made.error();
    }
    if (last == *before) return numbered;
    auto const counted =
        database.query("UPDATE pair SET source_names = ?2 WHERE id = ?1", *pair, last).run();
    if (!counted) return counted.error();
    return numbered;
}

Result<void> rehome_source_names(Database& database, FolderId folder,
                                 std::vector<std::string> const& names) {
    auto const pair = pair_of(database, folder);
    if (!pair) return pair.error();
    for (auto const& name : names) {
        auto const digest = digest_of(name);
        auto const moved =
            database
                .query("UPDATE source_name SET folder = ?3 WHERE pair = ?1 AND digest = ?2", *pair,
                       Blob{digest}, folder)
                .run();
        if (!moved) return moved;
    }
    return {};
}

Result<void> TargetNames::read_last() {
    auto const pair = pair_of(database_, folder_);
    if (!pair) return pair.error();
    pair_ = *pair;
    {
        auto query = database_.query(
            "SELECT number, base FROM target_name WHERE pair = ?1 "
            "ORDER BY number DESC LIMIT 1",
            pair_);
        auto const row = query.step();
        if (!row) return row.error();
        if (*row) {
            last_ = query.count(0);
            base_ = query.count(1) == 0 ? last_ : query.count(1);
        }
    }
    auto name = target_name(database_, pair_, base_);
    if (!name) return name.error();
    base_name_ = std::move(*name);
    known_ = true;
    return {};
}

Result<std::uint64_t> TargetNames::number(std::string const& name, std::uint64_t replaces) {
    MAILFERRY_ASSERT(!name.empty());
    if (!known_) {
        auto const read = read_last();
        if (!read) return read.error();
    }
    if (replaces != 0) {
        auto const former = target_name(database_, pair_, replaces);
        if (!former) return former.error();
        if (*former == name) return replaces;
    }
    ++last_;
    auto const shared = shared_prefix(base_name_, name);
    // Names of one mailbox begin alike. One that doesn't is kept whole, as the next ones' base.
    auto const whole = shared < name.size() / 2;
    if (whole) {
        base_ = last_;
        base_name_ = name;
    }
    auto const tail = std::string_view(name).substr(whole ? 0 : shared);
    auto const made = database_
                          .query(
                              "INSERT INTO target_name(pair, number, base, shared, tail) "
                              "VALUES(?1, ?2, ?3, ?4, ?5)",
                              pair_, last_, whole ? 0 : base_, whole ? 0 : shared, Blob{tail})
                          .run();
    if (!made) return made.error();
    return last_;
}

Result<std::vector<std::string>> read_target_names(Database& database, FolderId folder,
                                                   std::vector<std::uint64_t> const& numbers) {
    auto const pair = pair_of(database, folder);
    if (!pair) return pair.error();
    std::vector<std::string> names;
    names.reserve(numbers.size());
    for (auto const number : numbers) {
        auto name = target_name(database, *pair, number);
        if (!name) return name.error();
        names.push_back(std::move(*name));
    }
    return names;
}

}  // namespace mailferry::store
