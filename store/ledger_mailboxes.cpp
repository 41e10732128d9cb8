#include "store/ledger_mailboxes.hpp"

#include "config/base/assert.hpp"
#include "store/ledger_blocks.hpp"

#include <array>

namespace mailferry::store {
namespace {

constexpr std::array pass_states{PassState::waiting, PassState::running, PassState::done,
                                 PassState::failed,  PassState::paused,  PassState::cancelled};

std::optional<PassState> pass_state_from(std::string_view name) {
    for (auto const state : pass_states)
        if (to_string(state) == name) return state;
    return {};
}

FolderRecord folder_from(Statement const& row) {
    FolderRecord folder;
    folder.id = FolderId{row.integer(0)};
    folder.pair = PairId{row.integer(1)};
    folder.source_id = row.text(2);
    folder.source_path = row.text(3);
    folder.target_id = row.text(4);
    folder.target_path = row.text(5);
    folder.generation = row.text(6);
    folder.mark = row.text(7);
    folder.covered = row.integer(8) != 0;
    folder.covered_since = row.optional_integer(9);
    folder.covered_before = row.optional_integer(10);
    folder.target_generation = row.text(11);
    return folder;
}

}  // namespace

Result<PairRecord> open_pair(Database& database, std::string const& migration,
                             std::string const& source, std::string const& target) {
    {
        // The columns' NOCASE makes the comparisons case-insensitive.
        auto query = database.query("SELECT id, source, target, source = ?3 FROM pair "
                                    "WHERE migration = ?1 AND target = ?2",
                                    migration, target, source);
        auto const row = query.step();
        if (!row) return row.error();
        if (*row && query.integer(3) != 0)
            return PairRecord{PairId{query.integer(0)}, migration, query.text(1), query.text(2)};
        if (*row)
            return Error{Errc::invalid_config,
                         "migration=" + migration + " target=" + target + ": source " +
                             query.text(1) + " has been copied there: " + source +
                             " needs another target, or the mapping its former line"};
    }
    auto made = database.query("INSERT INTO pair(migration, source, target) VALUES(?1, ?2, ?3) "
                               "RETURNING id",
                               migration, source, target);
    auto const row = made.step();
    if (!row) return row.error();
    return PairRecord{PairId{made.integer(0)}, migration, source, target};
}

Result<std::vector<FolderRecord>> read_folders(Database& database, PairId pair) {
    std::vector<FolderRecord> folders;
    auto query = database.query(
        "SELECT id, pair, source_id, source_path, target_id, target_path, generation, mark, "
        "covered, covered_since, covered_before, target_generation FROM folder "
        "WHERE pair = ?1 ORDER BY id",
        pair);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return folders;
        folders.push_back(folder_from(query));
    }
}

Result<FolderId> save_folder(Database& database, FolderRecord const& folder) {
    FolderId id{};
    {
        // The target's generation stays: only set_target_generation() may change it.
        auto query = database.query(
            "INSERT INTO folder(pair, source_id, source_path, target_id, target_path, generation, "
            "mark, covered, covered_since, covered_before, target_generation) "
            "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
            "ON CONFLICT(pair, source_id) DO UPDATE SET source_path = ?3, target_id = ?4, "
            "target_path = ?5, generation = ?6, mark = ?7, covered = ?8, covered_since = ?9, "
            "covered_before = ?10 RETURNING id",
            folder.pair, folder.source_id, folder.source_path, folder.target_id,
            folder.target_path, folder.generation, folder.mark, std::int64_t{folder.covered},
            folder.covered_since, folder.covered_before, folder.target_generation);
        auto const row = query.step();
        if (!row) return row.error();
        id = FolderId{query.integer(0)};
    }
    MAILFERRY_ASSERT(folder.id == FolderId{} || folder.id == id);
    auto const set = set_target_generation(database, id, folder.target_generation);
    if (!set) return set.error();
    return id;
}

Result<void> void_scan(Database& database, FolderId folder) {
    return database
        .query("UPDATE folder SET mark = '', covered = 0 WHERE id = ?1 AND (mark != '' OR covered)",
               folder)
        .run();
}

Result<void> set_target_generation(Database& database, FolderId folder,
                                   std::string const& generation) {
    // A caller that doesn't know it (yet) must not make numbers void.
    if (generation.empty()) return {};
    std::string former;
    {
        auto query =
            database.query("SELECT target_generation FROM folder WHERE id = ?1", folder);
        auto const row = query.step();
        if (!row) return row.error();
        MAILFERRY_ASSERT(*row);
        former = query.text(0);
    }
    if (former == generation) return {};
    if (!former.empty()) {
        auto const forgotten = forget_target_numbers(database, folder);
        if (!forgotten) return forgotten;
    }
    return database
        .query("UPDATE folder SET target_generation = ?2 WHERE id = ?1", folder, generation)
        .run();
}

Result<void> save_pass(Database& database, PassRecord const& record) {
    auto const& n = record.counters;
    return database
        .query("INSERT OR REPLACE INTO pass(pair, name, state, seen, stored, unchanged, left_out, "
               "gone, failed, waiting, flags_changed, bytes_stored, error, started, ended) "
               "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
               record.pair, record.pass, to_string(record.state), n.seen, n.stored, n.unchanged,
               n.left_out, n.gone, n.failed, n.waiting, n.flags_changed, n.bytes_stored,
               record.error, record.started, record.ended)
        .run();
}

Result<std::vector<PassRecord>> read_passes(Database& database, std::string const& migration) {
    std::vector<PassRecord> passes;
    auto query = database.query(
        "SELECT pass.pair, name, state, seen, stored, unchanged, left_out, gone, failed, waiting, "
        "flags_changed, bytes_stored, error, started, ended FROM pass JOIN pair "
        "ON pair.id = pass.pair WHERE ?1 = '' OR migration = ?1 ORDER BY pass.pair, name",
        migration);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return passes;
        auto const state = pass_state_from(query.text(2));
        if (!state)
            return Error{Errc::corrupt, "ledger " + database.file().string() + " pass=" +
                                            query.text(1) + ": unknown state"};
        PassRecord record{PairId{query.integer(0)}, query.text(1), *state, {}, query.text(12),
                          query.integer(13), query.integer(14)};
        record.counters = {query.count(3), query.count(4), query.count(5),
                           query.count(6), query.count(7), query.count(8),
                           query.count(9), query.count(10), query.count(11)};
        passes.push_back(std::move(record));
    }
}

namespace {
Result<std::vector<LeftOutFolder>> left_out_of(Database& database, PairId pair) {
    std::vector<LeftOutFolder> folders;
    auto query = database.query(
        "SELECT path, reason, items FROM left_out WHERE pair = ?1 ORDER BY path", pair);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return folders;
        folders.push_back({query.text(0), query.text(1), query.count(2)});
    }
}
}  // namespace

Result<void> save_left_out(Database& database, PairId pair, std::vector<LeftOutFolder> folders) {
    std::sort(folders.begin(), folders.end(),
              [](auto const& a, auto const& b) { return a.path < b.path; });
    auto const known = left_out_of(database, pair);
    if (!known) return known.error();
    if (*known == folders) return {};
    auto done = database.query("DELETE FROM left_out WHERE pair = ?1", pair).run();
    for (auto const& folder : folders) {
        if (!done) break;
        done = database
                   .query("INSERT OR REPLACE INTO left_out(pair, path, reason, items) "
                          "VALUES(?1, ?2, ?3, ?4)",
                          pair, folder.path, folder.reason, folder.items)
                   .run();
    }
    return done;
}

Result<std::vector<LeftOutRecord>> read_left_out(Database& database, std::string const& migration,
                                                 std::size_t limit) {
    std::vector<LeftOutRecord> records;
    auto query = database.query(
        "SELECT pair.source, path, reason, items FROM left_out JOIN pair ON pair.id = "
        "left_out.pair WHERE ?1 = '' OR migration = ?1 ORDER BY items DESC, pair.id, path LIMIT ?2",
        migration, std::uint64_t{limit});
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return records;
        records.push_back({query.text(0), {query.text(1), query.text(2), query.count(3)}});
    }
}

}  // namespace mailferry::store
