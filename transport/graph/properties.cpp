#include "transport/graph/properties.hpp"

#include "config/base/crypto.hpp"
#include "config/dates.hpp"
#include "config/text.hpp"

#include <charconv>

namespace mailferry::graph {

std::optional<std::uint32_t> property_tag(std::string_view id) {
    auto const blank = id.find(' ');
    if (blank == id.npos) return std::nullopt;
    auto number = id.substr(blank + 1);
    if (!number.starts_with("0x") && !number.starts_with("0X")) return std::nullopt;
    number.remove_prefix(2);
    std::uint32_t tag = 0;
    auto const [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), tag, 16);
    if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
    return tag;
}

std::optional<std::int64_t> instant_of(std::string_view text) {
    auto const instant = config::parse_instant(text);
    if (!instant) return std::nullopt;
    return instant->time_since_epoch().count();
}

std::string received_filter(std::span<std::int64_t const> unix_seconds) {
    constexpr std::string_view value = " cast(ep/value, Edm.DateTimeOffset) ";
    auto const text = [](std::int64_t second) {
        return config::instant_text(std::chrono::sys_seconds(std::chrono::seconds(second)));
    };
    std::string filter;
    for (auto const second : unix_seconds) {
        if (!filter.empty()) filter += " or ";
        filter.append("singleValueExtendedProperties/Any(ep: ep/id eq 'SystemTime 0x0E06' and")
            .append(value)
            .append("ge " + text(second) + " and")
            .append(value)
            .append("lt " + text(second + 1) + ")");
    }
    return filter;
}

std::string identity_of(std::string_view search_key, std::string_view message_id,
                        std::string_view item_class, std::optional<std::int64_t> received) {
    bool const has_key = !search_key.empty() || !message_id.empty();
    if (!has_key && !received) return {};
    std::string text = config::fold_case(item_class);
    text.append(1, '\0').append(search_key).append(1, '\0').append(message_id);
    if (!has_key) text.append(1, '\0').append(std::to_string(*received));
    return hex(sha256(text)).substr(0, 40);
}

}  // namespace mailferry::graph
