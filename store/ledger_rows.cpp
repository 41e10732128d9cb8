#include "store/ledger_rows.hpp"

#include "config/base/assert.hpp"
#include "store/ledger_intents.hpp"
#include "store/stored_block.hpp"

#include <algorithm>

namespace mailferry::store {
namespace {

constexpr std::uint64_t read_ahead_max = 4096;  ///< Numbers; rows among them may be fewer.

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

}  // namespace

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

std::string_view bytes_of(Sha256Digest const& digest) {
    return {reinterpret_cast<char const*>(digest.data()), digest.size()};
}

Result<void> insert_item(Database& database, ItemRecord const& item, ItemPlace place,
                         std::optional<GroupId> intent, std::optional<std::uint64_t> order) {
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
        .query(
            "UPDATE item SET state = 'failed', intent = NULL, place = NULL, segment = 0, "
            "offset_begin = 0, offset_end = 0, attempts = max(attempts, ?2), reason = ?3, "
            "detail = ?4, exported = ?5 WHERE id = ?1",
            row, item.attempts, item.reason, item.detail, item.exported)
        .run();
}

ItemFinder::ItemFinder(Database& database, FolderId folder, std::span<ItemRecord const> items)
    : database_(database), folder_(folder), blocks_(database, folder) {
    if (items.empty()) return;
    auto const [least, most] =
        std::minmax_element(items.begin(), items.end(),
                            [](auto const& a, auto const& b) { return a.number < b.number; });
    if (most->number - least->number >= read_ahead_max) return;
    first_ = least->number;
    last_ = most->number;
}

ItemFinder::FoundRow ItemFinder::row_from(Statement const& query) {
    return {{ItemId{query.count(1)}, place_from(query.text(2)), query.count(3), query.count(4), {}},
            query.count(5)};
}

Result<void> ItemFinder::read_ahead() {
    ahead_ = true;
    auto const intents = packed_intents(database_, folder_);
    if (!intents) return intents.error();
    for (auto const& [group, items] : *intents)
        for (auto const& packed : items)
            packed_.emplace(packed.item.number, ItemRow{packed.item.id, ItemPlace::sending, 0,
                                                        packed.item.replaces, group});
    if (first_ > last_) return {};
    auto query = database_.query(
        "SELECT number, id, state, segment, replaces, fingerprint FROM "
        "item WHERE folder = ?1 AND number BETWEEN ?2 AND ?3",
        folder_, first_, last_);
    for (;;) {
        auto const more = query.step();
        if (!more) return more.error();
        if (!*more) return {};
        rows_.emplace(query.count(0), row_from(query));
    }
}

Result<std::optional<ItemFinder::FoundRow>> ItemFinder::find_row(std::uint64_t number) {
    auto const is_known = number >= first_ && number <= last_ && !changed_.contains(number);
    changed_.insert(number);
    if (is_known) {
        auto const found = rows_.find(number);
        return found == rows_.end() ? std::optional<FoundRow>() : std::optional(found->second);
    }
    auto query = database_.query(
        "SELECT number, id, state, segment, replaces, fingerprint FROM "
        "item WHERE folder = ?1 AND number = ?2",
        folder_, number);
    auto const row = query.step();
    if (!row) return row.error();
    if (!*row) return std::optional<FoundRow>();
    return std::optional(row_from(query));
}

/// Whether the block has the item, or the very state of it.
Result<bool> ItemFinder::is_stored(ItemRecord const& item, News news) {
    auto const known = blocks_.contains(item.number);
    if (!known || !*known || item.replaces == 0) return known;
    if (news == News::any) return false;
    auto const stored = read_stored(database_, item.folder, item.number, item.number);
    if (!stored) return stored.error();
    return stored->front().fingerprint == item.fingerprint;
}

Result<ItemRow> ItemFinder::find(ItemRecord const& item, News news) {
    if (!ahead_) {
        auto const read = read_ahead();
        if (!read) return read.error();
    }
    auto const found = find_row(item.number);
    if (!found) return found.error();
    auto const differs = *found && (news == News::any || (*found)->fingerprint != item.fingerprint);
    auto const yields = *found && (*found)->row.place == ItemPlace::failed &&
                        (*found)->row.replaces != 0 && item.replaces != 0 && differs;
    if (*found && !yields) return (*found)->row;
    if (auto const packed = packed_.find(item.number); packed != packed_.end())
        return packed->second;
    auto const stored = is_stored(item, news);
    if (!stored) return stored.error();
    if (*stored) return ItemRow{{}, ItemPlace::stored, 0, 0, {}};
    if (*found) {
        auto const deleted = delete_row(database_, (*found)->row.id);
        if (!deleted) return deleted.error();
    }
    return ItemRow{};
}

}  // namespace mailferry::store
