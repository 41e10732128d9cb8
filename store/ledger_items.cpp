#include "store/ledger_items.hpp"

#include "config/base/assert.hpp"
#include "store/item_moves.hpp"
#include "store/ledger_blocks.hpp"
#include "store/ledger_mailboxes.hpp"
#include "store/ledger_names.hpp"
#include "store/stored_block.hpp"

#include <algorithm>
#include <map>

namespace mailferry::store {
namespace {

/// What a move needs to know of an item that has a row.
struct ItemRow {
    ItemId id{};
    ItemPlace place = ItemPlace::planned;
    std::uint64_t segment = 0;
    std::uint64_t replaces = 0;
};

std::string_view state_name(ItemPlace place) {
    switch (place) {
    case ItemPlace::spooled: return "spooled";
    case ItemPlace::sending: return "sending";
    case ItemPlace::failed: return "failed";
    case ItemPlace::planned:
    case ItemPlace::stored: break;
    }
    fail_assertion("a place that is a row's state", __FILE__, __LINE__);
}

/// The schema's CHECK lets nothing else in.
ItemPlace place_from(std::string_view name) {
    for (auto const place : {ItemPlace::spooled, ItemPlace::sending, ItemPlace::failed})
        if (state_name(place) == name) return place;
    fail_assertion("a state that the schema allows", __FILE__, __LINE__, name);
}

ItemPlace checked_move(ItemPlace from, ItemEvent event, bool located, std::uint64_t number) {
    auto const to = next_place(from, event, located);
    MAILFERRY_ASSERT_SHOWING(to.has_value(),
                             "item number=" + std::to_string(number) +
                                 " place=" + std::to_string(static_cast<int>(from)) +
                                 " event=" + std::to_string(static_cast<int>(event)));
    return *to;
}

Result<void> delete_row(Database& database, ItemId row) {
    return database.query("DELETE FROM item WHERE id = ?1", row).run();
}

/// Which newer states of a stored item are news.
enum class News {
    other_version,  ///< Not the one that is stored, or has failed: that would be a repetition.
    any,            ///< Whoever is about to send it knows.
};

struct FoundRow {
    ItemRow row;
    bool yields = false;  ///< A newer state that failed: another one may take its place.
};

Result<std::optional<FoundRow>> find_row(Database& database, ItemRecord const& item, News news) {
    auto query = database.query(
        "SELECT id, state, segment, replaces, fingerprint FROM item "
        "WHERE folder = ?1 AND number = ?2",
        item.folder, item.number);
    auto const row = query.step();
    if (!row) return row.error();
    if (!*row) return std::optional<FoundRow>();
    FoundRow found{
        {ItemId{query.count(0)}, place_from(query.text(1)), query.count(2), query.count(3)}};
    auto const newer = news == News::any || query.count(4) != item.fingerprint;
    found.yields = found.row.place == ItemPlace::failed && found.row.replaces != 0 &&
                   item.replaces != 0 && newer;
    return std::optional(found);
}

/// Whether the block has the item, or the very state of it.
Result<bool> is_stored(Database& database, StoredNumbers& blocks, ItemRecord const& item,
                       News news) {
    auto const known = blocks.contains(item.number);
    if (!known || !*known || item.replaces == 0) return known;
    if (news == News::any) return false;
    auto const stored = read_stored(database, item.folder, item.number, item.number);
    if (!stored) return stored.error();
    return stored->front().fingerprint == item.fingerprint;
}

/// Row or block or neither. A newer state of a stored item is planned beside its block.
Result<ItemRow> find_item(Database& database, StoredNumbers& blocks, ItemRecord const& item,
                          News news) {
    auto const found = find_row(database, item, news);
    if (!found) return found.error();
    if (*found && !(*found)->yields) return (*found)->row;
    auto const stored = is_stored(database, blocks, item, news);
    if (!stored) return stored.error();
    if (*stored) return ItemRow{{}, ItemPlace::stored};
    if (*found) {
        auto const deleted = delete_row(database, (*found)->row.id);
        if (!deleted) return deleted.error();
    }
    return ItemRow{};
}

std::string_view bytes_of(Sha256Digest const& digest) {
    return {reinterpret_cast<char const*>(digest.data()), digest.size()};
}

Result<void> insert_item(Database& database, ItemRecord const& item, ItemPlace place,
                         std::optional<GroupId> intent, std::optional<std::size_t> order) {
    auto const failed = place == ItemPlace::failed;
    auto const location = failed ? SpoolLocation{} : item.location;
    auto const text = [failed](std::string const& kept) {
        return failed ? std::string_view(kept) : std::string_view();
    };
    return database
        .query(
            "INSERT INTO item(id, folder, number, state, size, digest, fingerprint, received, "
            "zone_minutes, flags, segment, offset_begin, offset_end, attempts, reason, detail, "
            "exported, intent, place, replaces) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
            "?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
            item.id, item.folder, item.number, state_name(place), item.size,
            Blob{bytes_of(item.digest)}, static_cast<std::int64_t>(item.fingerprint), item.received,
            item.zone_minutes, Blob{encode_flags(item.flags)}, location.segment, location.offset,
            location.end, item.attempts, text(item.reason), text(item.detail), text(item.exported),
            intent, order, item.replaces)
        .run();
}

Result<void> fail_row(Database& database, ItemId row, ItemRecord const& item) {
    return database
        .query("UPDATE item SET state = 'failed', intent = NULL, place = NULL, segment = 0, "
               "offset_begin = 0, offset_end = 0, attempts = max(attempts, ?2), reason = ?3, "
               "detail = ?4, exported = ?5 WHERE id = ?1",
               row, item.attempts, item.reason, item.detail, item.exported)
        .run();
}

Result<void> spool_one(Database& database, StoredNumbers& blocks, ItemRecord const& item) {
    MAILFERRY_ASSERT(item.location.segment != 0);
    auto const row = find_item(database, blocks, item, News::other_version);
    if (!row) return row.error();
    auto const to = checked_move(row->place, ItemEvent::spooled, true, item.number);
    if (row->place == ItemPlace::planned) return insert_item(database, item, to, {}, {});
    // The frames bear the id: a location belongs to the very item that the row speaks of.
    if (to != ItemPlace::sending || row->id != item.id || row->segment != 0) return {};
    return database
        .query("UPDATE item SET segment = ?2, offset_begin = ?3, offset_end = ?4, size = ?5, "
               "digest = ?6 WHERE id = ?1",
               row->id, item.location.segment, item.location.offset, item.location.end, item.size,
               Blob{bytes_of(item.digest)})
        .run();
}

Result<void> fail_one(Database& database, StoredNumbers& blocks, ItemRecord const& item) {
    auto const row = find_item(database, blocks, item, News::other_version);
    if (!row) return row.error();
    auto const to = checked_move(row->place, ItemEvent::given_up, row->segment != 0, item.number);
    if (row->place == ItemPlace::planned) return insert_item(database, item, to, {}, {});
    if (to == ItemPlace::stored) return {};
    return fail_row(database, row->id, item);
}

using OneItem = Result<void> (*)(Database&, StoredNumbers&, ItemRecord const&);

Result<void> for_each_item(Database& database, std::vector<ItemRecord> const& items, OneItem act) {
    std::map<FolderId, StoredNumbers> blocks;
    for (auto const& item : items) {
        auto& folder = blocks.try_emplace(item.folder, database, item.folder).first->second;
        auto const done = act(database, folder, item);
        if (!done) return done;
    }
    return {};
}

Result<void> send_one(Database& database, StoredNumbers& blocks, IntentRecord const& intent,
                      std::size_t order) {
    auto item = intent.items[order];
    item.folder = intent.folder;
    auto const row = find_item(database, blocks, item, News::any);
    if (!row) return row.error();
    auto const to =
        checked_move(row->place, ItemEvent::intent_opened, row->segment != 0, item.number);
    if (row->place == ItemPlace::planned) {
        item.attempts = std::max(item.attempts, 1U);
        return insert_item(database, item, to, intent.id, order);
    }
    return database
        .query("UPDATE item SET state = 'sending', intent = ?2, place = ?3, "
               "attempts = max(attempts + 1, ?4) WHERE id = ?1",
               row->id, intent.id, order, item.attempts)
        .run();
}

Result<std::optional<FolderId>> folder_of(Database& database, GroupId group) {
    auto query = database.query("SELECT folder FROM intent WHERE id = ?1", group);
    auto const row = query.step();
    if (!row) return row.error();
    if (!*row) return std::optional<FolderId>();
    return std::optional(FolderId{query.integer(0)});
}

Result<std::map<std::uint64_t, ItemRow>> rows_of(Database& database, GroupId group) {
    std::map<std::uint64_t, ItemRow> rows;
    auto query = database.query(
        "SELECT number, id, state, segment, replaces FROM item WHERE intent = ?1", group);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return rows;
        rows.emplace(query.count(0), ItemRow{ItemId{query.count(1)}, place_from(query.text(2)),
                                             query.count(3), query.count(4)});
    }
}

/// The row of an outcome, taken out of `rows`: an outcome for an item that the intent doesn't hold,
/// or a second one, is an illegal move.
ItemRow take_row(std::map<std::uint64_t, ItemRow>& rows, std::uint64_t number, ItemEvent event) {
    auto const found = rows.find(number);
    auto const row = found == rows.end() ? ItemRow{} : found->second;
    checked_move(row.place, event, row.segment != 0, number);
    rows.erase(found);
    return row;
}

Result<void> return_row(Database& database, FolderId folder, std::uint64_t number,
                        ItemRow const& row) {
    auto const to = checked_move(row.place, ItemEvent::returned, row.segment != 0, number);
    if (to == ItemPlace::spooled)
        return database
            .query("UPDATE item SET state = 'spooled', intent = NULL, place = NULL WHERE id = ?1",
                   row.id)
            .run();
    auto const deleted = delete_row(database, row.id);
    return deleted ? void_scan(database, folder) : deleted;
}

Result<void> lose_one(Database& database, ItemId item) {
    ItemPlace place{};
    FolderId folder{};
    {
        auto query = database.query("SELECT state, folder FROM item WHERE id = ?1", item);
        auto const row = query.step();
        if (!row) return row.error();
        if (!*row) return {};
        place = place_from(query.text(0));
        folder = FolderId{query.integer(1)};
    }
    switch (*next_place(place, ItemEvent::spool_lost, true)) {
    case ItemPlace::planned: {
        auto const deleted = delete_row(database, item);
        return deleted ? void_scan(database, folder) : deleted;
    }
    case ItemPlace::sending:
        return database
            .query("UPDATE item SET segment = 0, offset_begin = 0, offset_end = 0 WHERE id = ?1",
                   item)
            .run();
    default: return {};
    }
}

}  // namespace

Result<void> record_spooled(Database& database, std::vector<ItemRecord> const& items) {
    return for_each_item(database, items, spool_one);
}

Result<void> record_failed(Database& database, std::vector<ItemRecord> const& items) {
    return for_each_item(database, items, fail_one);
}

Result<void> open_intent(Database& database, IntentRecord const& intent) {
    MAILFERRY_ASSERT(!intent.items.empty());
    auto const open = folder_of(database, intent.id);
    if (!open) return open.error();
    if (*open) return {};  // A repetition.
    auto done = database
                    .query("INSERT INTO intent(id, folder, target_generation, target_next, opened) "
                           "VALUES(?1, ?2, ?3, ?4, ?5)",
                           intent.id, intent.folder, intent.target_generation, intent.target_next,
                           intent.opened)
                    .run();
    StoredNumbers blocks(database, intent.folder);
    for (std::size_t order = 0; done && order < intent.items.size(); ++order)
        done = send_one(database, blocks, intent, order);
    return done;
}

Result<void> close_intent(Database& database, GroupId group, std::string const& target_generation,
                          std::vector<StoredRecord> stored, std::vector<ItemRecord> const& failed) {
    auto const folder = folder_of(database, group);
    if (!folder) return folder.error();
    if (!*folder) return {};  // A repetition.
    auto rows = rows_of(database, group);
    if (!rows) return rows.error();

    Result<void> done;
    TargetNames names(database, **folder);
    for (auto& record : stored) {
        auto const row = take_row(*rows, record.number, ItemEvent::acknowledged);
        done = delete_row(database, row.id);
        if (!done) return done;
        if (record.target_name.empty() || record.target_number != 0) continue;
        auto const number = names.number(record.target_name, row.replaces);
        if (!number) return number.error();
        record.target_number = *number;
    }
    for (auto const& item : failed) {
        auto const row = take_row(*rows, item.number, ItemEvent::refused);
        done = fail_row(database, row.id, item);
        if (!done) return done;
    }
    for (auto const& [number, row] : *rows) {
        done = return_row(database, **folder, number, row);
        if (!done) return done;
    }
    if (!stored.empty()) {
        done = set_target_generation(database, **folder, target_generation);
        if (!done) return done;
        done = insert_stored(database, **folder, std::move(stored));
        if (!done) return done;
    }
    return database.query("DELETE FROM intent WHERE id = ?1", group).run();
}

Result<void> forget_spooled(Database& database, std::vector<ItemId> const& items) {
    for (auto const item : items) {
        auto const done = lose_one(database, item);
        if (!done) return done;
    }
    return {};
}

Result<void> forget_items(Database& database, FolderId folder) {
    for (auto const* const sql : {"DELETE FROM item WHERE folder = ?1",
                                  "DELETE FROM intent WHERE folder = ?1",
                                  "DELETE FROM block WHERE folder = ?1"}) {
        auto const done = database.query(sql, folder).run();
        if (!done) return done;
    }
    return void_scan(database, folder);
}

Result<void> rekey_items(Database& database, FolderRecord const& folder,
                         std::vector<StoredRecord> kept) {
    auto const forgotten = forget_items(database, folder.id);
    if (!forgotten) return forgotten;
    auto const inserted = insert_stored(database, folder.id, std::move(kept));
    if (!inserted) return inserted;
    auto const saved = save_folder(database, folder);
    if (!saved) return saved.error();
    return {};
}

Result<std::uint64_t> retry_failed(Database& database, std::string const& migration) {
    auto const voided =
        database
            .query("UPDATE folder SET mark = '', covered = 0 WHERE id IN (SELECT folder FROM item "
                   "WHERE state = 'failed') AND pair IN (SELECT id FROM pair WHERE ?1 = '' OR "
                   "migration = ?1)",
                   migration)
            .run();
    if (!voided) return voided.error();
    auto const deleted =
        database
            .query("DELETE FROM item WHERE state = 'failed' AND folder IN (SELECT folder.id FROM "
                   "folder JOIN pair ON pair.id = folder.pair WHERE ?1 = '' OR migration = ?1)",
                   migration)
            .run();
    if (!deleted) return deleted.error();
    return database.changes();
}

}  // namespace mailferry::store
