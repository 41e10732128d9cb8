#include "transport/imap/server_facts.hpp"

#include "transport/imap/flags.hpp"

#include <charconv>

namespace mailferry::imap {

bool ServerFacts::has(std::string_view capability) const {
    return contains_flag(capabilities, capability);
}

LiteralMode ServerFacts::literals() const {
    if (has("LITERAL+")) return LiteralMode::plus;
    if (has("LITERAL-")) return LiteralMode::minus;
    return LiteralMode::sync;
}

std::uint64_t ServerFacts::append_limit() const {
    constexpr std::string_view prefix = "APPENDLIMIT=";
    for (auto const& capability : capabilities) {
        if (!capability.starts_with(prefix)) continue;
        std::uint64_t limit = 0;
        auto const* const begin = capability.data() + prefix.size();
        auto const* const end = capability.data() + capability.size();
        auto const [stop, error] = std::from_chars(begin, end, limit);
        if (error == std::errc() && stop == end) return limit;
    }
    return 0;
}

void ServerFacts::set_capabilities(std::vector<std::string> names) {
    capabilities = std::move(names);
    condstore = has("CONDSTORE") || has("QRESYNC");
    quirks = quirks_for(name, capabilities);
}

void ServerFacts::set_name(std::string server_name) {
    name = std::move(server_name);
    quirks = quirks_for(name, capabilities);
}

}  // namespace mailferry::imap
