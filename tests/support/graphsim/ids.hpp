#pragma once

/// The texts by which clients name folders and items: long, base64-like, case-sensitive. Ids with
/// numbers 2k and 2k + 1 of a mailbox differ in the case of one letter only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace graphsim {

enum class IdKind { folder, item, immutable_item };

struct DecodedId {
    IdKind kind;
    std::uint64_t number;
};

/// `mailbox` is the mailbox's own seed: two mailboxes have no id in common.
std::string encode_id(IdKind kind, std::uint64_t mailbox, std::uint64_t number);

/// nullopt for anything that encode_id of this mailbox doesn't give.
std::optional<DecodedId> decode_id(std::uint64_t mailbox, std::string_view text);

/// Whether the text could be an id of some mailbox; the others are malformed.
bool looks_like_id(std::string_view text);

/// `number` counts the writes of a mailbox; always another text.
std::string change_key(std::uint64_t mailbox, std::uint64_t number);

}  // namespace graphsim
