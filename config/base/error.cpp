#include "config/base/error.hpp"

#include "config/base/assert.hpp"

#include <array>
#include <utility>

namespace mailferry {
namespace {

constexpr std::array<std::pair<Errc, std::string_view>, 24> errc_names{{
    {Errc::connection_lost, "connection_lost"},
    {Errc::timed_out, "timed_out"},
    {Errc::throttled, "throttled"},
    {Errc::unavailable, "unavailable"},
    {Errc::protocol_error, "protocol_error"},
    {Errc::unreachable, "unreachable"},
    {Errc::tls_failed, "tls_failed"},
    {Errc::login_refused, "login_refused"},
    {Errc::mailbox_refused, "mailbox_refused"},
    {Errc::folder_unreadable, "folder_unreadable"},
    {Errc::folder_refused, "folder_refused"},
    {Errc::folder_replaced, "folder_replaced"},
    {Errc::item_refused, "item_refused"},
    {Errc::item_too_large, "item_too_large"},
    {Errc::item_vanished, "item_vanished"},
    {Errc::item_damaged, "item_damaged"},
    {Errc::over_quota, "over_quota"},
    {Errc::doubtful, "doubtful"},
    {Errc::disk_full, "disk_full"},
    {Errc::io_error, "io_error"},
    {Errc::corrupt, "corrupt"},
    {Errc::invalid_config, "invalid_config"},
    {Errc::unsupported, "unsupported"},
    {Errc::stopped, "stopped"},
}};

/// Length of the valid UTF-8 sequence at the front of `text`, or 0; and its code point.
std::size_t utf8_length(std::string_view text, char32_t& code_point) {
    auto const lead = static_cast<unsigned char>(text[0]);
    std::size_t const length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead >= 0x80 && (lead < 0xC2 || lead > 0xF4)) return 0;
    if (text.size() < length) return 0;
    code_point = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        auto const next = static_cast<unsigned char>(text[i]);
        if ((next & 0xC0) != 0x80) return 0;
        code_point = (code_point << 6) | (next & 0x3Fu);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    bool const surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    return code_point < smallest[length] || surrogate || code_point > 0x10FFFF ? 0 : length;
}

bool is_invisible(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

}  // namespace

std::string_view to_string(Errc code) {
    for (auto const& [value, name] : errc_names)
        if (value == code) return name;
    return "unknown";
}

std::optional<Errc> errc_from(std::string_view name) {
    for (auto const& [value, known] : errc_names)
        if (known == name) return value;
    return std::nullopt;
}

Error Error::in(std::string_view frame) const {
    auto joined = std::string(frame);
    if (!context.empty()) joined.append(": ").append(context);
    return {code, std::move(joined), server_text, retry_after};
}

std::string Error::describe() const {
    auto line = std::string(to_string(code));
    if (!context.empty()) line.append(": ").append(context);
    if (!server_text.empty())
        line.append(" (server: ").append(escape_untrusted(server_text)) += ')';
    return line;
}

std::string escape_untrusted(std::string_view text, std::size_t bytes_max) {
    constexpr char hex[] = "0123456789abcdef";
    std::string out;
    while (!text.empty()) {
        if (out.size() >= bytes_max) return out.append("...");
        char32_t code_point = 0;
        auto const length = utf8_length(text, code_point);
        if (length > 0 && !is_invisible(code_point)) {
            out.append(text.substr(0, length));
            text.remove_prefix(length);
            continue;
        }
        auto const byte = static_cast<unsigned char>(text[0]);
        out.append("\\x").append({hex[byte >> 4], hex[byte & 15]});
        text.remove_prefix(1);
    }
    return out;
}

}  // namespace mailferry

namespace boost::system {
void throw_exception_from_error(mailferry::Error const& error, boost::source_location const&) {
    mailferry::fail_assertion("Result::value() of a failure", __FILE__, __LINE__, error.describe());
}
}  // namespace boost::system
