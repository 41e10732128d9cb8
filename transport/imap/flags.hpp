#pragma once

/// Flags are compared without regard to case; the spelling is kept.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::imap {

/// Whether two flags, attributes or capability names are one, ASCII case aside.
bool equal_names(std::string_view a, std::string_view b);

bool contains_flag(std::span<std::string const> flags, std::string_view flag);

/// Whether both lists name the same flags, in any order and spelling. `\Recent`, which belongs to
/// the session and not to the message, doesn't count.
bool same_flags(std::span<std::string const> a, std::span<std::string const> b);

struct StorableFlags {
    std::vector<std::string> kept;     ///< May be sent with APPEND or STORE.
    std::vector<std::string> dropped;  ///< For the report; without `\Recent`.
    friend bool operator==(StorableFlags const&, StorableFlags const&) = default;
};

/// Which flags a folder takes. One refused flag costs the whole message, so only these are kept:
/// the five settable system flags, and keywords that are plain atoms without `[ ] % *` of at most
/// 50 octets; both only if PERMANENTFLAGS has `\*` or names them. Without PERMANENTFLAGS
/// (nothing given) the system flags are kept and keywords dropped. Each flag is kept once.
StorableFlags storable_flags(std::span<std::string const> flags,
                             std::optional<std::vector<std::string>> const& permanent_flags);

}  // namespace mailferry::imap
