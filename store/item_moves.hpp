#pragma once

/// The life of an item as a table: where it can be, what can happen to it, where it is then. Pure.

#include <cstdint>
#include <optional>

namespace mailferry::store {

/// Exclusive. `planned` has neither a row nor a place in a block: the next scan finds it again.
/// `stored` lies in a packed block; the others are rows in the state of the same name.
enum class ItemPlace : std::uint8_t { planned, spooled, sending, failed, stored };

enum class ItemEvent : std::uint8_t {
    spooled,        ///< Its bytes are durable in the spool.
    intent_opened,  ///< It is about to be sent.
    acknowledged,   ///< The target has it (the intent ends).
    refused,        ///< Given up with the reason (the intent ends).
    returned,       ///< The intent ends without an outcome for it.
    given_up,       ///< Given up with the reason, outside an intent.
    spool_lost,     ///< The spool can't read it any more.
    retried,        ///< Somebody wants it tried again.
};

/// Nothing: the move is illegal and the caller has a bug. The same place: the event is a repetition
/// or came too late, and changes nothing but perhaps the location or the reason.
/// `located`: the item has bytes in the spool.
constexpr std::optional<ItemPlace> next_place(ItemPlace from, ItemEvent event, bool located) {
    using enum ItemPlace;
    switch (event) {
    case ItemEvent::spooled: return from == planned ? spooled : from;
    case ItemEvent::intent_opened:
        if (from == planned || from == spooled) return sending;
        return {};  // Twice under way, given up, or there already: it would be stored twice.
    case ItemEvent::acknowledged: return from == sending ? std::optional(stored) : std::nullopt;
    case ItemEvent::refused: return from == sending ? std::optional(failed) : std::nullopt;
    case ItemEvent::returned:
        if (from != sending) return {};
        return located ? spooled : planned;
    case ItemEvent::given_up:
        if (from == sending) return {};  // The target may hold it: only the intent's end can tell.
        return from == stored ? stored : failed;
    case ItemEvent::spool_lost: return from == spooled ? planned : from;
    case ItemEvent::retried: return from == failed ? planned : from;
    }
    return {};
}

}  // namespace mailferry::store
