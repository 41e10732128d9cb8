#include "store/ledger_intents.hpp"

#include "config/base/assert.hpp"
#include "store/ledger_blocks.hpp"
#include "store/ledger_mailboxes.hpp"
#include "store/ledger_names.hpp"
#include "store/ledger_rows.hpp"

#include <algorithm>
#include <map>

namespace mailferry::store {
namespace {

struct OpenIntent {
    FolderId folder{};
    std::vector<PackedItem> packed;
};

Result<std::optional<OpenIntent>> find_intent(Database& database, GroupId group) {
    auto query = database.query("SELECT folder, packed FROM intent WHERE id = ?1", group);
    auto const row = query.step();
    if (!row) return row.error();
    if (!*row) return std::optional<OpenIntent>();
    OpenIntent found{FolderId{query.integer(0)}, {}};
    auto packed = decode_packed_of(database, group, found.folder, query.blob(1));
    if (!packed) return packed.error();
    found.packed = std::move(*packed);
    return std::optional(std::move(found));
}

/// Where each item of the intent is: in a row, or packed.
struct Sending {
    ItemRow row;
    ItemRecord packed;  ///< If the row says so.
};
using SendingItems = std::map<std::uint64_t, Sending>;

Result<SendingItems> sending_items(Database& database, GroupId group, OpenIntent intent) {
    SendingItems items;
    for (auto& packed : intent.packed) {
        ItemRow const row{packed.item.id, ItemPlace::sending, 0, packed.item.replaces, group};
        items.emplace(packed.item.number, Sending{row, std::move(packed.item)});
    }
    auto query = database.query(
        "SELECT number, id, state, segment, replaces FROM item WHERE intent = ?1", group);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return items;
        ItemRow const row{
            ItemId{query.count(1)}, place_from(query.text(2)), query.count(3), query.count(4), {}};
        items.emplace(query.count(0), Sending{row, {}});
    }
}

/// The item of an outcome, taken out of `items`: an outcome for one that the intent doesn't hold,
/// or a second one, is an illegal move.
Sending take_item(SendingItems& items, std::uint64_t number, ItemEvent event) {
    auto const found = items.find(number);
    auto taken = found == items.end() ? Sending{} : std::move(found->second);
    checked_move(taken.row.place, event, taken.row.segment != 0, number);
    items.erase(found);
    return taken;
}

Result<void> fail_item(Database& database, Sending sending, ItemRecord const& failed) {
    if (!sending.row.packed_in) return fail_row(database, sending.row.id, failed);
    auto& item = sending.packed;
    item.attempts = std::max(item.attempts, failed.attempts);
    item.reason = failed.reason;
    item.detail = failed.detail;
    item.exported = failed.exported;
    return insert_item(database, item, ItemPlace::failed, {}, {});
}

Result<void> return_item(Database& database, FolderId folder, std::uint64_t number,
                         ItemRow const& row) {
    auto const to = checked_move(row.place, ItemEvent::returned, row.segment != 0, number);
    if (to == ItemPlace::spooled)
        return database
            .query("UPDATE item SET state = 'spooled', intent = NULL, place = NULL WHERE id = ?1",
                   row.id)
            .run();
    if (!row.packed_in) {
        auto const deleted = delete_row(database, row.id);
        if (!deleted) return deleted;
    }
    return void_scan(database, folder);
}

/// An item of an intent that isn't packed: it has a row, or gets one.
struct InRow {
    std::size_t order = 0;
    ItemRow row;
};

Result<void> send_row(Database& database, IntentRecord const& intent, InRow const& sent) {
    auto const& item = intent.items[sent.order];
    if (sent.row.place == ItemPlace::planned)
        return insert_item(database, item, ItemPlace::sending, intent.id, sent.order);
    return database
        .query(
            "UPDATE item SET state = 'sending', intent = ?2, place = ?3, "
            "attempts = max(attempts + 1, ?4) WHERE id = ?1",
            sent.row.id, intent.id, sent.order, item.attempts)
        .run();
}

Result<void> insert_intent(Database& database, IntentRecord const& intent,
                           std::span<PackedItem const> packed) {
    return database
        .query(
            "INSERT INTO intent(id, folder, target_generation, target_next, opened, packed) "
            "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            intent.id, intent.folder, intent.target_generation, intent.target_next, intent.opened,
            Blob{encode_packed(packed)})
        .run();
}

}  // namespace

Result<std::vector<PackedItem>> decode_packed_of(Database const& database, GroupId group,
                                                 FolderId folder, std::string_view bytes) {
    auto items = decode_packed(bytes, folder);
    if (!items)
        return items.error().in("ledger " + database.file().string() +
                                " intent=" + std::to_string(static_cast<std::int64_t>(group)));
    return items;
}

Result<void> open_intent(Database& database, IntentRecord intent) {
    MAILFERRY_ASSERT(!intent.items.empty());
    auto const open = find_intent(database, intent.id);
    if (!open) return open.error();
    if (*open) return {};  // A repetition.
    ItemFinder finder(database, intent.folder, intent.items);
    std::vector<PackedItem> packed;
    std::vector<InRow> in_rows;
    for (std::size_t order = 0; order < intent.items.size(); ++order) {
        auto& item = intent.items[order];
        item.folder = intent.folder;
        auto const row = finder.find(item, News::any);
        if (!row) return row.error();
        checked_move(row->place, ItemEvent::intent_opened, row->segment != 0, item.number);
        bool const is_new = row->place == ItemPlace::planned;
        if (is_new) item.attempts = std::max(item.attempts, 1U);
        if (is_new && item.location.segment == 0)
            packed.push_back({order, std::move(item)});
        else
            in_rows.push_back({order, *row});
    }
    auto done = insert_intent(database, intent, packed);
    for (auto const& sent : in_rows)
        if (done) done = send_row(database, intent, sent);
    return done;
}

Result<void> close_intent(Database& database, GroupId group, std::string const& target_generation,
                          std::vector<StoredRecord> stored, std::vector<ItemRecord> const& failed) {
    auto intent = find_intent(database, group);
    if (!intent) return intent.error();
    if (!*intent) return {};  // A repetition.
    auto const folder = (*intent)->folder;
    auto items = sending_items(database, group, std::move(**intent));
    if (!items) return items.error();

    Result<void> done;
    TargetNames names(database, folder);
    for (auto& record : stored) {
        auto const sent = take_item(*items, record.number, ItemEvent::acknowledged);
        if (!sent.row.packed_in) done = delete_row(database, sent.row.id);
        if (!done) return done;
        if (record.target_name.empty() || record.target_number != 0) continue;
        auto const number = names.number(record.target_name, sent.row.replaces);
        if (!number) return number.error();
        record.target_number = *number;
    }
    for (auto const& item : failed) {
        done = fail_item(database, take_item(*items, item.number, ItemEvent::refused), item);
        if (!done) return done;
    }
    for (auto const& [number, sent] : *items) {
        done = return_item(database, folder, number, sent.row);
        if (!done) return done;
    }
    if (!stored.empty()) {
        done = set_target_generation(database, folder, target_generation);
        if (!done) return done;
        done = insert_stored(database, folder, std::move(stored));
        if (!done) return done;
    }
    return database.query("DELETE FROM intent WHERE id = ?1", group).run();
}

Result<std::vector<std::pair<GroupId, std::vector<PackedItem>>>> packed_intents(Database& database,
                                                                                FolderId folder) {
    std::vector<std::pair<GroupId, std::vector<PackedItem>>> intents;
    auto query = database.query("SELECT id, packed FROM intent WHERE folder = ?1", folder);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return intents;
        auto const group = GroupId{query.integer(0)};
        auto items = decode_packed_of(database, group, folder, query.blob(1));
        if (!items) return items.error();
        intents.emplace_back(group, std::move(*items));
    }
}

Result<std::vector<ItemRecord>> packed_items(Database& database, PairId pair) {
    std::vector<ItemRecord> all;
    auto query = database.query(
        "SELECT intent.id, folder, packed FROM folder JOIN intent ON "
        "intent.folder = folder.id WHERE folder.pair = ?1",
        pair);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return all;
        auto items = decode_packed_of(database, GroupId{query.integer(0)},
                                      FolderId{query.integer(1)}, query.blob(2));
        if (!items) return items.error();
        for (auto& packed : *items) all.push_back(std::move(packed.item));
    }
}

Result<void> unpack_item(Database& database, GroupId group, ItemRecord const& item) {
    auto intent = find_intent(database, group);
    if (!intent) return intent.error();
    MAILFERRY_ASSERT(*intent);
    auto& packed = (*intent)->packed;
    auto const found = std::find_if(packed.begin(), packed.end(), [&](auto const& candidate) {
        return candidate.item.number == item.number;
    });
    MAILFERRY_ASSERT(found != packed.end());
    auto row = found->item;
    row.location = item.location;
    row.size = item.size;
    row.digest = item.digest;
    auto const done = insert_item(database, row, ItemPlace::sending, group, found->place);
    if (!done) return done;
    packed.erase(found);
    return database
        .query("UPDATE intent SET packed = ?2 WHERE id = ?1", group, Blob{encode_packed(packed)})
        .run();
}

}  // namespace mailferry::store
