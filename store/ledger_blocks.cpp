#include "store/ledger_blocks.hpp"

#include "config/base/assert.hpp"
#include "store/ledger_names.hpp"
#include "store/stored_block.hpp"

#include <algorithm>
#include <limits>

namespace mailferry::store {
namespace {

constexpr std::uint64_t number_max = std::uint64_t{std::numeric_limits<std::int64_t>::max()};

struct BlockRow {
    std::int64_t id = 0;
    std::uint64_t first = 0, last = 0, items = 0;
    std::string runs, data;
};

constexpr auto select_at = "SELECT id, first, last, items, runs, data FROM block "
                           "WHERE folder = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1";
constexpr auto select_after = "SELECT id, first, last, items, runs, data FROM block "
                              "WHERE folder = ?1 AND first > ?2 ORDER BY first LIMIT 1";
constexpr auto select_first = "SELECT min(first) FROM block WHERE folder = ?1 AND first > ?2";
constexpr auto insert_block = "INSERT INTO block(folder, first, last, items, runs, data) "
                              "VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
constexpr auto replace_block =
    "UPDATE block SET first = ?2, last = ?3, items = ?4, runs = ?5, data = ?6 WHERE id = ?1";

Error in_block(Database const& database, FolderId folder, std::int64_t block, Error const& error) {
    return error.in("ledger " + database.file().string() +
                    " folder=" + std::to_string(static_cast<std::int64_t>(folder)) +
                    " block=" + std::to_string(block));
}

Result<std::optional<BlockRow>> one_block(Statement query) {
    auto const row = query.step();
    if (!row) return row.error();
    if (!*row) return std::optional<BlockRow>();
    return std::optional(BlockRow{query.integer(0), query.count(1), query.count(2), query.count(3),
                                  query.text(4), query.text(5)});
}

Result<std::vector<StoredRecord>> decode(Database const& database, FolderId folder,
                                         BlockRow const& row) {
    auto records = decode_block(row.runs, row.data);
    if (!records) return in_block(database, folder, row.id, records.error());
    if (records->size() != row.items || records->front().number != row.first ||
        records->back().number != row.last)
        return in_block(database, folder, row.id,
                        {Errc::corrupt, "the numbers differ from the row's"});
    return records;
}

/// Writes `records` in place of `replaced`; further pieces become blocks of their own.
Result<void> write_blocks(Database& database, FolderId folder,
                          std::optional<std::int64_t> replaced,
                          std::span<StoredRecord const> records, Split split) {
    for (auto const piece : split_records(records, split)) {
        auto const block = encode_block(piece);
        auto const first = piece.front().number;
        auto const last = piece.back().number;
        auto const done =
            replaced ? database.query(replace_block, *replaced, first, last, piece.size(),
                                      Blob{block.runs}, Blob{block.data}).run()
                     : database.query(insert_block, folder, first, last, piece.size(),
                                      Blob{block.runs}, Blob{block.data}).run();
        if (!done) return done.error();
        replaced.reset();
    }
    return {};
}

/// `added` wins over `kept` where both have a number.
std::vector<StoredRecord> merge(std::vector<StoredRecord> kept, std::span<StoredRecord> added) {
    std::vector<StoredRecord> merged;
    merged.reserve(kept.size() + added.size());
    auto old = kept.begin();
    for (auto& record : added) {
        for (; old != kept.end() && old->number < record.number; ++old)
            merged.push_back(std::move(*old));
        if (old != kept.end() && old->number == record.number) ++old;
        merged.push_back(std::move(record));
    }
    merged.insert(merged.end(), std::make_move_iterator(old), std::make_move_iterator(kept.end()));
    return merged;
}

/// Where the next new records go.
struct Destination {
    std::optional<BlockRow> block;  ///< Nothing: a new one.
    std::uint64_t behind = 0;       ///< First number of the following block; 0: there is none.
    bool leading = false;           ///< The new records come before every block.
};

Result<Destination> find_destination(Database& database, FolderId folder, std::uint64_t number) {
    Destination found;
    auto block = one_block(database.query(select_at, folder, number));
    if (!block) return block.error();
    if (!*block) {
        found.leading = true;
        block = one_block(database.query(select_after, folder, number));
        if (!block) return block.error();
    }
    found.block = std::move(*block);
    if (!found.block) return found;
    auto query = database.query(select_first, folder, std::max(found.block->first, number));
    auto const row = query.step();
    if (!row) return row.error();
    found.behind = query.is_null(0) ? 0 : query.count(0);
    return found;
}

Result<void> insert_piece(Database& database, FolderId folder, Destination const& where,
                          std::span<StoredRecord> added) {
    if (!where.block) return write_blocks(database, folder, {}, added, Split::full_first);
    auto const& block = *where.block;
    auto const before = where.leading && added.back().number < block.first;
    auto const after = where.behind == 0 && added.front().number > block.last;
    auto const split = before ? Split::full_last : after ? Split::full_first : Split::even;
    if (block.items >= block_items_max && (before || after))
        return write_blocks(database, folder, {}, added, split);
    auto kept = decode(database, folder, block);
    if (!kept) return kept.error();
    return write_blocks(database, folder, block.id, merge(std::move(*kept), added), split);
}

/// Sorted; of several with the same number the last given stays.
void sort_unique(std::vector<StoredRecord>& records) {
    std::stable_sort(records.begin(), records.end(),
                     [](auto const& a, auto const& b) { return a.number < b.number; });
    auto const same = [](auto const& a, auto const& b) { return a.number == b.number; };
    auto const end = std::unique(records.rbegin(), records.rend(), same).base();
    records.erase(records.begin(), end);
}

/// Every block that `records` (sorted) touches is read, changed by `change` (which says whether it
/// did), and written back.
template <class Change>
Result<void> change_blocks(Database& database, FolderId folder,
                           std::span<StoredRecord const> records, Change change) {
    while (!records.empty()) {
        auto const block = one_block(database.query(select_at, folder, records.front().number));
        if (!block) return block.error();
        auto const last = *block ? std::max((*block)->last, records.front().number)
                                 : records.front().number;
        std::size_t count = 1;
        while (count < records.size() && records[count].number <= last) ++count;
        auto const touched = records.first(count);
        records = records.subspan(count);
        if (!*block || (*block)->last < touched.front().number) continue;
        auto kept = decode(database, folder, **block);
        if (!kept) return kept.error();
        auto const differs = change(*kept, touched);
        if (!differs) return differs.error();
        if (!*differs) continue;
        auto const done = write_blocks(database, folder, (*block)->id, *kept, Split::even);
        if (!done) return done;
    }
    return {};
}

}  // namespace

Result<void> insert_stored(Database& database, FolderId folder, std::vector<StoredRecord> records) {
    sort_unique(records);
    std::span<StoredRecord> left(records);
    while (!left.empty()) {
        auto const where = find_destination(database, folder, left.front().number);
        if (!where) return where.error();
        std::size_t count = left.size();
        if (where->behind != 0)
            count = static_cast<std::size_t>(
                std::lower_bound(left.begin(), left.end(), where->behind,
                                 [](auto const& a, std::uint64_t n) { return a.number < n; }) -
                left.begin());
        MAILFERRY_ASSERT(count > 0);
        auto const done = insert_piece(database, folder, *where, left.first(count));
        if (!done) return done;
        left = left.subspan(count);
    }
    return {};
}

Result<std::vector<StoredRecord>> read_stored(Database& database, FolderId folder,
                                              std::uint64_t first, std::uint64_t last) {
    std::vector<StoredRecord> found;
    last = std::min(last, number_max);
    if (first > last) return found;
    auto query = database.query("SELECT id, first, last, items, runs, data FROM block "
                                "WHERE folder = ?1 AND first <= ?3 AND first >= "
                                "coalesce((SELECT max(first) FROM block WHERE folder = ?1 AND "
                                "first <= ?2), 0) ORDER BY first",
                                folder, first, last);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return found;
        BlockRow const row{query.integer(0), query.count(1), query.count(2),
                           query.count(3),   query.text(4),  query.text(5)};
        if (row.last < first) continue;
        auto records = decode(database, folder, row);
        if (!records) return records.error();
        for (auto& record : *records)
            if (record.number >= first && record.number <= last)
                found.push_back(std::move(record));
    }
}

Result<std::vector<StoredRecord>> read_stored(Database& database, FolderId folder,
                                              std::vector<std::uint64_t> numbers) {
    std::vector<StoredRecord> found;
    std::sort(numbers.begin(), numbers.end());
    for (auto number = numbers.begin(); number != numbers.end();) {
        auto const block = one_block(database.query(select_at, folder, *number));
        if (!block) return block.error();
        if (!*block || (*block)->last < *number) {
            ++number;
            continue;
        }
        auto records = decode(database, folder, **block);
        if (!records) return records.error();
        for (auto& record : *records) {
            number = std::find_if(number, numbers.end(),
                                  [&record](std::uint64_t n) { return n >= record.number; });
            if (number != numbers.end() && *number == record.number)
                found.push_back(std::move(record));
        }
        number = std::upper_bound(number, numbers.end(), (*block)->last);
    }
    return found;
}

Result<std::vector<NumberRun>> stored_runs(Database& database, FolderId folder) {
    std::vector<NumberRun> found;
    auto const append = [&found](NumberRun run) {
        if (!found.empty() && found.back().last + 1 == run.first) found.back().last = run.last;
        else found.push_back(run);
    };
    auto query = database.query("SELECT id, first, last, items, runs FROM block "
                                "WHERE folder = ?1 ORDER BY first", folder);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return found;
        auto const first = query.count(1);
        auto const last = query.count(2);
        auto const runs = decode_runs(query.blob(4));
        if (!runs) return in_block(database, folder, query.integer(0), runs.error());
        if (runs->front().first != first || runs->back().last != last ||
            (!found.empty() && found.back().last >= first))
            return in_block(database, folder, query.integer(0),
                            {Errc::corrupt, "the numbers differ from the row's"});
        for (auto const run : *runs) append(run);
    }
}

Result<std::uint64_t> stored_count(Database& database, FolderId folder) {
    auto query =
        database.query("SELECT coalesce(sum(items), 0) FROM block WHERE folder = ?1", folder);
    auto const row = query.step();
    if (!row) return row.error();
    return query.count(0);
}

Result<void> update_stored(Database& database, FolderId folder, std::vector<StoredRecord> changed) {
    sort_unique(changed);
    TargetNames names(database, folder);
    return change_blocks(database, folder, changed, [&](auto& kept, auto const touched) {
        Result<bool> differs = false;
        auto record = kept.begin();
        for (auto const& change : touched) {
            while (record != kept.end() && record->number < change.number) ++record;
            if (record == kept.end() || record->number != change.number) continue;
            auto target = change.target_number;
            if (record->target_number == 0 && target == 0 && !change.target_name.empty()) {
                auto const given = names.number(change.target_name, 0);
                if (!given) return Result<bool>(given.error());
                target = *given;
            }
            auto const learnt = record->target_number == 0 && target != 0;
            if (learnt) record->target_number = target;
            differs = *differs || learnt || record->flags != change.flags ||
                      record->fingerprint != change.fingerprint;
            record->flags = change.flags;
            record->fingerprint = change.fingerprint;
        }
        return differs;
    });
}

Result<void> forget_target_numbers(Database& database, FolderId folder) {
    std::int64_t behind = -1;
    for (;;) {
        auto const block = one_block(database.query(select_after, folder, behind));
        if (!block) return block.error();
        if (!*block) return {};
        behind = static_cast<std::int64_t>((*block)->first);
        auto kept = decode(database, folder, **block);
        if (!kept) return kept.error();
        for (auto& record : *kept) record.target_number = 0;
        auto const done = write_blocks(database, folder, (*block)->id, *kept, Split::even);
        if (!done) return done;
    }
}

Result<void> StoredNumbers::read_around(std::uint64_t number) {
    runs_.clear();
    auto query = database_.query("SELECT id, first, last, runs FROM block WHERE folder = ?1 "
                                 "AND first <= ?2 ORDER BY first DESC LIMIT 1",
                                 folder_, number);
    auto const row = query.step();
    if (!row) return row.error();
    if (*row && query.count(2) >= number) {
        auto runs = decode_runs(query.blob(3));
        if (!runs) return in_block(database_, folder_, query.integer(0), runs.error());
        runs_ = std::move(*runs);
        first_ = query.count(1);
        last_ = query.count(2);
        return {};
    }
    // Nothing from behind this block to the next one.
    first_ = *row ? query.count(2) + 1 : 0;
    auto next = database_.query(select_first, folder_, number);
    auto const behind = next.step();
    if (!behind) return behind.error();
    last_ = next.is_null(0) ? number_max : next.count(0) - 1;
    return {};
}

Result<bool> StoredNumbers::contains(std::uint64_t number) {
    if (number < first_ || number > last_) {
        auto const read = read_around(number);
        if (!read) return read.error();
    }
    auto const run = std::upper_bound(runs_.begin(), runs_.end(), number,
                                      [](std::uint64_t n, auto const& r) { return n < r.first; });
    return run != runs_.begin() && number <= std::prev(run)->last;
}

std::vector<NumberRun> merge_runs(std::vector<NumberRun> runs) {
    std::sort(runs.begin(), runs.end(),
              [](auto const& a, auto const& b) { return a.first < b.first; });
    std::vector<NumberRun> merged;
    for (auto const& run : runs) {
        if (!merged.empty() && run.first <= merged.back().last + 1)
            merged.back().last = std::max(merged.back().last, run.last);
        else
            merged.push_back(run);
    }
    return merged;
}

}  // namespace mailferry::store
