#include "store/ledger_schema.hpp"

#include "config/base/assert.hpp"

#include <array>

namespace mailferry::store {
namespace {

constexpr std::int64_t application_id = 0x4D464C47;  // "MFLG"

constexpr auto schema_1 = R"sql(
CREATE TABLE meta(
    one         INTEGER PRIMARY KEY CHECK(one = 1),
    uuid        BLOB    NOT NULL CHECK(length(uuid) = 16),
    incarnation INTEGER NOT NULL,
    needs       TEXT    NOT NULL
) STRICT;
INSERT INTO meta VALUES(1, randomblob(16), 0, '');

CREATE TABLE pair(
    id        INTEGER PRIMARY KEY,
    migration TEXT NOT NULL,
    source    TEXT NOT NULL COLLATE NOCASE,
    target    TEXT NOT NULL COLLATE NOCASE,
    UNIQUE(migration, target)
) STRICT;

CREATE TABLE folder(
    id                INTEGER PRIMARY KEY,
    pair              INTEGER NOT NULL REFERENCES pair(id),
    source_id         TEXT    NOT NULL,
    source_path       TEXT    NOT NULL,
    target_id         TEXT    NOT NULL,
    target_path       TEXT    NOT NULL,
    generation        TEXT    NOT NULL,
    mark              TEXT    NOT NULL,
    covered           INTEGER NOT NULL CHECK(covered IN (0, 1)),
    covered_since     INTEGER,
    covered_before    INTEGER,
    target_generation TEXT    NOT NULL,
    UNIQUE(pair, source_id)
) STRICT;

CREATE TABLE block(
    id     INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES folder(id),
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    items  INTEGER NOT NULL CHECK(items BETWEEN 1 AND 512),
    runs   BLOB    NOT NULL,
    data   BLOB    NOT NULL,
    UNIQUE(folder, first),
    CHECK(last >= first)
) STRICT;

CREATE TABLE intent(
    id                INTEGER PRIMARY KEY,
    folder            INTEGER NOT NULL REFERENCES folder(id),
    target_generation TEXT    NOT NULL,
    target_next       INTEGER NOT NULL,
    opened            INTEGER NOT NULL
) STRICT;
CREATE INDEX intent_folder ON intent(folder);

CREATE TABLE item(
    id           INTEGER PRIMARY KEY,
    folder       INTEGER NOT NULL REFERENCES folder(id),
    number       INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK(state IN ('spooled', 'sending', 'failed')),
    size         INTEGER NOT NULL,
    digest       BLOB    NOT NULL CHECK(length(digest) = 32),
    fingerprint  INTEGER NOT NULL,
    received     INTEGER NOT NULL,
    zone_minutes INTEGER NOT NULL,
    flags        BLOB    NOT NULL,
    segment      INTEGER NOT NULL,
    offset_begin INTEGER NOT NULL,
    offset_end   INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    reason       TEXT    NOT NULL,
    detail       TEXT    NOT NULL,
    exported     TEXT    NOT NULL,
    intent       INTEGER REFERENCES intent(id),
    place        INTEGER,
    UNIQUE(folder, number),
    CHECK((state = 'sending') = (intent IS NOT NULL)),
    CHECK((intent IS NULL) = (place IS NULL)),
    CHECK(state != 'spooled' OR segment > 0),
    CHECK(state != 'failed' OR segment = 0)
) STRICT;
CREATE UNIQUE INDEX item_intent ON item(intent, place) WHERE intent IS NOT NULL;
CREATE INDEX item_failed ON item(folder) WHERE state = 'failed';

CREATE TABLE pass(
    pair          INTEGER NOT NULL REFERENCES pair(id),
    name          TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    seen          INTEGER NOT NULL,
    stored        INTEGER NOT NULL,
    unchanged     INTEGER NOT NULL,
    left_out      INTEGER NOT NULL,
    gone          INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    waiting       INTEGER NOT NULL,
    flags_changed INTEGER NOT NULL,
    bytes_stored  INTEGER NOT NULL,
    error         TEXT    NOT NULL,
    started       INTEGER NOT NULL,
    ended         INTEGER NOT NULL,
    PRIMARY KEY(pair, name)
) STRICT, WITHOUT ROWID;
)sql";

/// Items that have names instead of numbers, and that change after they were stored.
constexpr auto schema_2 = R"sql(
ALTER TABLE pair ADD COLUMN source_names INTEGER NOT NULL DEFAULT 0;

CREATE TABLE source_name(
    pair   INTEGER NOT NULL REFERENCES pair(id),
    digest BLOB    NOT NULL CHECK(length(digest) = 16),
    number INTEGER NOT NULL,
    folder INTEGER NOT NULL REFERENCES folder(id),
    PRIMARY KEY(pair, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE target_name(
    pair   INTEGER NOT NULL REFERENCES pair(id),
    number INTEGER NOT NULL,
    base   INTEGER NOT NULL,
    shared INTEGER NOT NULL,
    tail   BLOB    NOT NULL,
    PRIMARY KEY(pair, number)
) STRICT, WITHOUT ROWID;

ALTER TABLE item ADD COLUMN replaces INTEGER NOT NULL DEFAULT 0;
)sql";

/// Folders that can't cross, for the reports.
constexpr auto schema_3 = R"sql(
CREATE TABLE left_out(
    pair   INTEGER NOT NULL REFERENCES pair(id),
    path   TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    items  INTEGER NOT NULL,
    PRIMARY KEY(pair, path)
) STRICT, WITHOUT ROWID;
)sql";

/// Items that are being sent stand in their intent's row, unless they had one of their own before.
constexpr auto schema_4 = R"sql(
ALTER TABLE intent ADD COLUMN packed BLOB NOT NULL DEFAULT x'';
)sql";

constexpr std::array steps{SchemaStep{1, schema_1, "0.1"}, SchemaStep{2, schema_2, "0.2"},
                           SchemaStep{3, schema_3, "0.3"}, SchemaStep{4, schema_4, "0.4"}};

Result<std::int64_t> one_integer(Database& database, char const* sql) {
    auto query = database.query(sql);
    auto const row = query.step();
    if (!row) return row.error();
    return *row ? query.integer(0) : 0;
}

Error refusal(Database const& database, std::string_view what) {
    return {Errc::invalid_config, "ledger " + database.file().string() + ": " + std::string(what)};
}

/// Which program a newer schema asks for. A newer meta table may look different: then just "newer".
std::string program_needed(Database& database) {
    auto const has = one_integer(
        database, "SELECT count(*) FROM pragma_table_info('meta') WHERE name = 'needs'");
    if (!has || *has == 0) return "a newer mailferry";
    auto query = database.query("SELECT needs FROM meta LIMIT 1");
    auto const row = query.step();
    if (!row || !*row) return "a newer mailferry";
    return "mailferry >= " + escape_untrusted(query.text(0), 32);
}

Result<void> use_write_ahead_log(Database& database) {
    auto query = database.query("PRAGMA journal_mode = WAL");
    auto const row = query.step();
    if (!row) return row.error();
    if (*row && query.text(0) == "wal") return {};
    return refusal(database, "its file system can't keep a write-ahead log: put state_dir on a "
                             "local disk");
}

Result<void> apply(Database& database, std::int64_t from, std::span<SchemaStep const> todo) {
    for (auto const& step : todo) {
        if (step.version <= from) continue;
        MAILFERRY_ASSERT(step.version == from + 1);
        auto made = database.execute(step.sql);
        if (!made) return made;
        made = database.query("UPDATE meta SET needs = ?1", step.program).run();
        if (!made) return made;
        from = step.version;
    }
    auto const numbers = "PRAGMA application_id = " + std::to_string(application_id) +
                         ";PRAGMA user_version = " + std::to_string(from) + ";";
    return database.execute(numbers.c_str());
}

}  // namespace

std::span<SchemaStep const> schema_steps() { return steps; }

Result<bool> is_current(Database& database) {
    auto const owner = one_integer(database, "PRAGMA application_id");
    if (!owner) return owner.error();
    auto const version = one_integer(database, "PRAGMA user_version");
    if (!version) return version.error();
    return *owner == application_id && *version == schema_steps().back().version;
}

Result<void> migrate(Database& database, std::span<SchemaStep const> todo) {
    auto const known = todo.back().version;
    auto const owner = one_integer(database, "PRAGMA application_id");
    if (!owner) return owner.error();
    auto const version = one_integer(database, "PRAGMA user_version");
    if (!version) return version.error();
    auto const objects = one_integer(database, "SELECT count(*) FROM sqlite_schema");
    if (!objects) return objects.error();

    auto const fresh = *objects == 0 && *owner == 0;
    if (!fresh && *owner != application_id)
        return refusal(database, "the database belongs to another program: give state_dir a "
                                 "directory of its own");
    if (*version > known)
        return refusal(database, "ledger schema " + std::to_string(*version) +
                                     " is newer than this program knows (" + std::to_string(known) +
                                     "): install " + program_needed(database) +
                                     " or restore the backup");
    // Only now is it ours to alter.
    auto const logged = use_write_ahead_log(database);
    if (!logged || *version == known) return logged;

    auto begun = database.execute("BEGIN IMMEDIATE;");
    if (!begun) return begun;
    auto done = apply(database, *version, todo);
    if (done) done = database.execute("COMMIT;");
    if (!done && database.in_transaction()) {
        auto const undone = database.execute("ROLLBACK;");
        if (!undone) return undone.error();
    }
    return done;
}

}  // namespace mailferry::store
