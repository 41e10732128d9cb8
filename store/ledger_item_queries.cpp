#include "store/ledger_blocks.hpp"
#include "store/ledger_intents.hpp"
#include "store/ledger_items.hpp"
#include "store/stored_block.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <tuple>

namespace mailferry::store {
namespace {

#define MAILFERRY_ITEM_COLUMNS                                                                  \
    "item.id, item.folder, item.number, item.state, item.size, item.digest, item.fingerprint, " \
    "item.received, item.zone_minutes, item.flags, item.segment, item.offset_begin, "           \
    "item.offset_end, item.attempts, item.reason, item.detail, item.exported, item.replaces"
constexpr int item_columns = 18;

ItemState state_from(std::string_view name) {
    if (name == "spooled") return ItemState::spooled;
    return name == "sending" ? ItemState::sending : ItemState::failed;
}

Result<ItemRecord> item_from(Database const& database, Statement const& row) {
    ItemRecord item;
    item.id = ItemId{row.count(0)};
    item.folder = FolderId{row.integer(1)};
    item.number = row.count(2);
    item.state = state_from(row.text(3));
    item.size = row.count(4);
    auto const digest = row.blob(5);
    std::transform(digest.begin(), digest.begin() + std::min(digest.size(), item.digest.size()),
                   item.digest.begin(), [](char c) { return static_cast<std::byte>(c); });
    item.fingerprint = row.count(6);
    item.received = row.integer(7);
    item.zone_minutes = static_cast<std::int16_t>(row.integer(8));
    auto flags = decode_flags(row.blob(9));
    if (!flags)
        return flags.error().in("ledger " + database.file().string() +
                                " item=" + std::to_string(row.count(0)));
    item.flags = std::move(*flags);
    item.location = {row.count(10), row.count(11), row.count(12)};
    item.attempts = static_cast<std::uint32_t>(row.integer(13));
    item.reason = row.text(14);
    item.detail = row.text(15);
    item.exported = row.text(16);
    item.replaces = row.count(17);
    return item;
}

Result<std::vector<ItemRecord>> all_items(Database const& database, Statement query) {
    std::vector<ItemRecord> items;
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return items;
        auto item = item_from(database, query);
        if (!item) return item.error();
        items.push_back(std::move(*item));
    }
}

/// All items of the intent in sending order: those that are packed, and those that have rows.
Result<void> fill_intent(Database& database, IntentRecord& intent, std::vector<PackedItem> items) {
    auto query = database.query("SELECT " MAILFERRY_ITEM_COLUMNS
                                ", place FROM item WHERE intent = ?1",
                                intent.id);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) break;
        auto item = item_from(database, query);
        if (!item) return item.error();
        items.push_back({query.count(item_columns), std::move(*item)});
    }
    std::sort(items.begin(), items.end(),
              [](auto const& a, auto const& b) { return a.place < b.place; });
    for (auto& item : items) intent.items.push_back(std::move(item.item));
    return {};
}

}  // namespace

Result<std::vector<NumberRun>> known_numbers(Database& database, FolderId folder) {
    auto runs = stored_runs(database, folder);
    if (!runs) return runs;
    auto const intents = packed_intents(database, folder);
    if (!intents) return intents.error();
    for (auto const& [group, items] : *intents)
        for (auto const& packed : items)
            runs->push_back({packed.item.number, packed.item.number});
    auto query =
        database.query("SELECT number FROM item WHERE folder = ?1 ORDER BY number", folder);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return merge_runs(std::move(*runs));
        runs->push_back({query.count(0), query.count(0)});
    }
}

Result<std::vector<ItemRecord>> failed_updates(Database& database, FolderId folder) {
    return all_items(database, database.query("SELECT " MAILFERRY_ITEM_COLUMNS
                                              " FROM item WHERE folder = ?1 AND state = 'failed' "
                                              "AND replaces != 0 ORDER BY number",
                                              folder));
}

Result<std::vector<ItemRecord>> live_items(Database& database, PairId pair) {
    auto items = all_items(
        database, database.query("SELECT " MAILFERRY_ITEM_COLUMNS
                                 " FROM folder JOIN item ON item.folder = folder.id "
                                 "WHERE folder.pair = ?1 AND item.state != 'failed'",
                                 pair));
    if (!items) return items;
    auto packed = packed_items(database, pair);
    if (!packed) return packed;
    std::move(packed->begin(), packed->end(), std::back_inserter(*items));
    std::sort(items->begin(), items->end(), [](auto const& a, auto const& b) {
        return std::tie(a.folder, a.number) < std::tie(b.folder, b.number);
    });
    return items;
}

Result<std::vector<IntentRecord>> open_intents(Database& database, PairId pair) {
    std::vector<IntentRecord> intents;
    auto query = database.query(
        "SELECT intent.id, folder, intent.target_generation, target_next, opened, packed FROM "
        "folder JOIN intent ON intent.folder = folder.id WHERE folder.pair = ?1 ORDER BY intent.id",
        pair);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return intents;
        auto& intent = intents.emplace_back();
        intent.id = GroupId{query.integer(0)};
        intent.folder = FolderId{query.integer(1)};
        intent.target_generation = query.text(2);
        intent.target_next = query.count(3);
        intent.opened = query.integer(4);
        auto packed = decode_packed_of(database, intent.id, intent.folder, query.blob(5));
        if (!packed) return packed.error();
        auto const filled = fill_intent(database, intent, std::move(*packed));
        if (!filled) return filled.error();
    }
}

Result<std::vector<LiveItem>> live_locations(Database& database) {
    std::vector<LiveItem> live;
    auto query = database.query("SELECT id, segment, offset_begin, offset_end FROM item "
                                "WHERE segment != 0 ORDER BY segment, offset_begin");
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return live;
        live.push_back({query.count(0), {query.count(1), query.count(2), query.count(3)}});
    }
}

Result<std::vector<FailedItem>> failed_items(Database& database, std::string const& migration,
                                             std::size_t limit) {
    std::vector<FailedItem> failed;
    auto const rows_max = std::min<std::uint64_t>(
        limit, std::uint64_t{std::numeric_limits<std::int64_t>::max()});
    auto query = database.query(
        "SELECT " MAILFERRY_ITEM_COLUMNS ", pair.source, folder.source_path FROM pair "
        "JOIN folder ON folder.pair = pair.id JOIN item ON item.folder = folder.id "
        "WHERE (?1 = '' OR pair.migration = ?1) AND item.state = 'failed' "
        "ORDER BY pair.id, item.folder, item.number LIMIT ?2",
        migration, rows_max);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return failed;
        auto item = item_from(database, query);
        if (!item) return item.error();
        failed.push_back(
            {std::move(*item), query.text(item_columns), query.text(item_columns + 1)});
    }
}

}  // namespace mailferry::store
