#include "transport/imap/flags.hpp"

#include "transport/imap/ascii.hpp"

#include <algorithm>
#include <array>

namespace mailferry::imap {
namespace {

constexpr std::size_t keyword_bytes_max = 50;  // Dovecot refuses 51.

bool is_settable_system_flag(std::string_view flag) {
    constexpr std::array<std::string_view, 5> settable = {"\\Answered", "\\Flagged", "\\Deleted",
                                                          "\\Seen", "\\Draft"};
    return std::any_of(settable.begin(), settable.end(),
                       [&](std::string_view name) { return equal_names(name, flag); });
}

bool is_portable_keyword(std::string_view keyword) {
    return keyword.size() <= keyword_bytes_max && is_atom(keyword) &&
           keyword.find('[') == keyword.npos;
}

bool is_recent(std::string_view flag) { return equal_names(flag, "\\Recent"); }

bool all_contained(std::span<std::string const> flags, std::span<std::string const> in) {
    return std::all_of(flags.begin(), flags.end(), [&](std::string const& flag) {
        return is_recent(flag) || contains_flag(in, flag);
    });
}

}  // namespace

bool equal_names(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return upper(x) == upper(y); });
}

bool contains_flag(std::span<std::string const> flags, std::string_view flag) {
    return std::any_of(flags.begin(), flags.end(),
                       [&](std::string const& each) { return equal_names(each, flag); });
}

bool same_flags(std::span<std::string const> a, std::span<std::string const> b) {
    return all_contained(a, b) && all_contained(b, a);
}

StorableFlags storable_flags(std::span<std::string const> flags,
                             std::optional<std::vector<std::string>> const& permanent_flags) {
    StorableFlags result;
    for (auto const& flag : flags) {
        if (is_recent(flag) || contains_flag(result.kept, flag)) continue;
        bool const is_system = is_settable_system_flag(flag);
        bool const is_permitted = permanent_flags ? contains_flag(*permanent_flags, "\\*") ||
                                                        contains_flag(*permanent_flags, flag)
                                                  : is_system;
        bool const is_kept = is_permitted && (is_system || is_portable_keyword(flag));
        if (is_kept)
            result.kept.push_back(flag);
        else if (!contains_flag(result.dropped, flag))
            result.dropped.push_back(flag);
    }
    return result;
}

}  // namespace mailferry::imap
