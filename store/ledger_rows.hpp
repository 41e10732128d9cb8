#pragma once

/// The rows of items that are under way or failed, and where else an item can be. Runs on the
/// ledger's thread; the writing functions inside a transaction.

#include "store/item_moves.hpp"
#include "store/ledger.hpp"
#include "store/ledger_blocks.hpp"
#include "store/ledger_statements.hpp"
#include "store/packed_intent.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>

namespace mailferry::store {

/// What a move needs to know of an item.
struct ItemRow {
    ItemId id{};
    ItemPlace place = ItemPlace::planned;
    std::uint64_t segment = 0;
    std::uint64_t replaces = 0;
    std::optional<GroupId> packed_in;  ///< Sending without a row of its own.
};

/// The schema's CHECK lets nothing else in.
ItemPlace place_from(std::string_view name);

/// Where the item is afterwards. An illegal move stops the program.
ItemPlace checked_move(ItemPlace from, ItemEvent event, bool located, std::uint64_t number);

std::string_view bytes_of(Sha256Digest const& digest);

Result<void> insert_item(Database& database, ItemRecord const& item, ItemPlace place,
                         std::optional<GroupId> intent, std::optional<std::uint64_t> order);
Result<void> fail_row(Database& database, ItemId row, ItemRecord const& item);
Result<void> delete_row(Database& database, ItemId row);

/// Which newer states of a stored item are news.
enum class News {
    other_version,  ///< Not the one that is stored, or has failed: that would be a repetition.
    any,            ///< Whoever is about to send it knows.
};

/// Finds out where items of one folder are, for one operation that moves each of them once: in a
/// row, packed in an intent, in a block, or nowhere.
class ItemFinder {
public:
    /// The numbers of `items` are read ahead if they lie close together.
    ItemFinder(Database& database, FolderId folder, std::span<ItemRecord const> items);

    /// A newer state of a stored item is planned beside its block. The failed row of another one
    /// is deleted.
    Result<ItemRow> find(ItemRecord const& item, News news);

private:
    struct FoundRow {
        ItemRow row;
        std::uint64_t fingerprint = 0;
    };

    Result<void> read_ahead();
    static FoundRow row_from(Statement const& query);
    Result<std::optional<FoundRow>> find_row(std::uint64_t number);
    Result<bool> is_stored(ItemRecord const& item, News news);

    Database& database_;
    FolderId folder_;
    std::uint64_t first_ = 1, last_ = 0;  ///< Read ahead.
    std::set<std::uint64_t> changed_;     ///< May differ from what was read ahead.
    bool ahead_ = false;
    std::map<std::uint64_t, FoundRow> rows_;  ///< From first_ to last_.
    std::map<std::uint64_t, ItemRow> packed_;
    StoredNumbers blocks_;
};

}  // namespace mailferry::store
