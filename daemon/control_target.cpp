#include "daemon/control_target.hpp"

namespace mailferry::daemon {
namespace {

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

std::optional<std::string> decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        auto const high = hex_digit(text[i + 1]);
        auto const low = hex_digit(text[i + 2]);
        if (!high || !low || *high * 16 + *low == 0) return std::nullopt;
        out.push_back(static_cast<char>(*high * 16 + *low));
        i += 2;
    }
    return out;
}

/// Takes the text up to `end` off the front, and `end` itself.
std::string_view take_until(std::string_view& text, char end) {
    auto const at = text.find(end);
    auto const taken = text.substr(0, at);
    text.remove_prefix(at == text.npos ? text.size() : at + 1);
    return taken;
}

}  // namespace

std::optional<ControlTarget> parse_target(std::string_view target) {
    if (!target.starts_with('/')) return std::nullopt;
    target.remove_prefix(1);
    auto path = take_until(target, '?');
    ControlTarget parsed;
    while (!path.empty()) {
        auto segment = decode(take_until(path, '/'));
        if (!segment) return std::nullopt;
        parsed.segments.push_back(std::move(*segment));
    }
    while (!target.empty()) {
        auto value_text = take_until(target, '&');
        auto name = decode(take_until(value_text, '='));
        auto value = decode(value_text);
        if (!name || !value) return std::nullopt;
        if (!parsed.query.emplace(std::move(*name), std::move(*value)).second) return std::nullopt;
    }
    return parsed;
}

std::string encode_segment(std::string_view text) {
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr char hex[] = "0123456789ABCDEF";
    std::string out;
    for (auto const c : text) {
        if (plain.find(c) != plain.npos) {
            out.push_back(c);
            continue;
        }
        auto const byte = static_cast<unsigned char>(c);
        out.append({'%', hex[byte >> 4], hex[byte & 15]});
    }
    return out;
}

}  // namespace mailferry::daemon
