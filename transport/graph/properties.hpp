#pragma once

/// The MAPI properties that are asked for beside an item's few ordinary ones, and what is made of
/// them (brief, 2.3).

#include "transport/model/item.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mailferry::graph {

/// "SystemTime 0xe06" as the server writes it back, for whatever was asked as "SystemTime 0x0E06":
/// the tag's number. Nothing for a named property or for what isn't a property's id.
std::optional<std::uint32_t> property_tag(std::string_view id);

inline constexpr std::uint32_t tag_received = 0x0E06;
inline constexpr std::uint32_t tag_message_id = 0x1035;
inline constexpr std::uint32_t tag_search_key = 0x300B;
inline constexpr std::uint32_t tag_folder_type = 0x3601;
inline constexpr std::uint32_t tag_hidden = 0x10F4;

/// Values of $expand, not yet encoded.
inline constexpr std::string_view expand_item =
    "singleValueExtendedProperties($filter=id eq 'SystemTime 0x0E06' or id eq 'String 0x1035' or "
    "id eq 'Binary 0x300B')";
inline constexpr std::string_view expand_folder =
    "singleValueExtendedProperties($filter=id eq 'Integer 0x3601' or id eq 'Boolean 0x10F4')";

/// Value of $filter, not yet encoded: items received within one of these seconds.
std::string received_filter(std::span<std::int64_t const> unix_seconds);

/// "2026-01-05T08:30:00.1234567Z" as seconds; nothing for what isn't a date and for years before
/// 1970, which servers use for "none".
std::optional<std::int64_t> instant_of(std::string_view text);

/// Equal for an item and for its copy in another mailbox: a digest of search key, Message-ID and
/// class. Items that have neither key are told apart by their received date only. "" if there is
/// nothing to go by.
std::string identity_of(std::string_view search_key, std::string_view message_id,
                        std::string_view item_class, std::optional<std::int64_t> received);

}  // namespace mailferry::graph
