#include "store/ledger_items.hpp"

#include "config/base/assert.hpp"
#include "store/ledger_blocks.hpp"
#include "store/ledger_intents.hpp"
#include "store/ledger_mailboxes.hpp"
#include "store/ledger_rows.hpp"

#include <algorithm>
#include <span>

namespace mailferry::store {
namespace {

Result<void> spool_one(Database& database, ItemFinder& finder, ItemRecord const& item) {
    MAILFERRY_ASSERT(item.location.segment != 0);
    auto const row = finder.find(item, News::other_version);
    if (!row) return row.error();
    auto const to = checked_move(row->place, ItemEvent::spooled, true, item.number);
    if (row->place == ItemPlace::planned) return insert_item(database, item, to, {}, {});
    // The frames bear the id: a location belongs to the very item that the row speaks of.
    if (to != ItemPlace::sending || row->id != item.id || row->segment != 0) return {};
    if (row->packed_in) return unpack_item(database, *row->packed_in, item);
    return database
        .query(
            "UPDATE item SET segment = ?2, offset_begin = ?3, offset_end = ?4, size = ?5, "
            "digest = ?6 WHERE id = ?1",
            row->id, item.location.segment, item.location.offset, item.location.end, item.size,
            Blob{bytes_of(item.digest)})
        .run();
}

Result<void> fail_one(Database& database, ItemFinder& finder, ItemRecord const& item) {
    auto const row = finder.find(item, News::other_version);
    if (!row) return row.error();
    auto const to = checked_move(row->place, ItemEvent::given_up, row->segment != 0, item.number);
    if (row->place == ItemPlace::planned) return insert_item(database, item, to, {}, {});
    if (to == ItemPlace::stored) return {};
    return fail_row(database, row->id, item);
}

using OneItem = Result<void> (*)(Database&, ItemFinder&, ItemRecord const&);

Result<void> for_each_item(Database& database, std::vector<ItemRecord> items, OneItem act) {
    std::stable_sort(items.begin(), items.end(),
                     [](auto const& a, auto const& b) { return a.folder < b.folder; });
    for (std::span<ItemRecord const> left(items); !left.empty();) {
        auto const folder = left.front().folder;
        auto const end = std::find_if(left.begin(), left.end(),
                                      [&](auto const& item) { return item.folder != folder; });
        auto const its = left.first(static_cast<std::size_t>(end - left.begin()));
        left = left.subspan(its.size());
        ItemFinder finder(database, folder, its);
        for (auto const& item : its) {
            auto const done = act(database, finder, item);
            if (!done) return done;
        }
    }
    return {};
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

Result<void> record_spooled(Database& database, std::vector<ItemRecord> items) {
    return for_each_item(database, std::move(items), spool_one);
}

Result<void> record_failed(Database& database, std::vector<ItemRecord> items) {
    return for_each_item(database, std::move(items), fail_one);
}

Result<void> forget_spooled(Database& database, std::vector<ItemId> const& items) {
    for (auto const item : items) {
        auto const done = lose_one(database, item);
        if (!done) return done;
    }
    return {};
}

Result<void> forget_items(Database& database, FolderId folder) {
    for (auto const* const sql :
         {"DELETE FROM item WHERE folder = ?1", "DELETE FROM intent WHERE folder = ?1",
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
            .query(
                "UPDATE folder SET mark = '', covered = 0 WHERE id IN (SELECT folder FROM item "
                "WHERE state = 'failed') AND pair IN (SELECT id FROM pair WHERE ?1 = '' OR "
                "migration = ?1)",
                migration)
            .run();
    if (!voided) return voided.error();
    auto const deleted =
        database
            .query(
                "DELETE FROM item WHERE state = 'failed' AND folder IN (SELECT folder.id FROM "
                "folder JOIN pair ON pair.id = folder.pair WHERE ?1 = '' OR migration = ?1)",
                migration)
            .run();
    if (!deleted) return deleted.error();
    return database.changes();
}

}  // namespace mailferry::store
