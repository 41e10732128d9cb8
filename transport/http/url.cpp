#include "transport/http/url.hpp"

#include <string.h>

#include <algorithm>
#include <charconv>

namespace mailferry::http {
namespace {

constexpr std::size_t url_bytes_max = 16 * 1024;
constexpr std::size_t host_bytes_max = 253;

void wipe(std::string& text) { ::explicit_bzero(text.data(), text.size()); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_alphanumeric(char c) {
    auto const l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9');
}

bool starts_with_word(std::string_view text, std::string_view word) {
    return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(),
                                                    [](char a, char b) { return a == lower(b); });
}

Error bad(std::string reason) {
    return {Errc::protocol_error, "not an address that can be used: " + std::move(reason)};
}

bool is_host(std::string_view host, bool is_v6) {
    return !host.empty() && host.size() <= host_bytes_max &&
           std::all_of(host.begin(), host.end(), [&](char c) {
               return is_alphanumeric(c) || c == '.' || (is_v6 ? c == ':' : c == '-' || c == '_');
           });
}

/// "host", "host:port", "[::1]:port".
Result<void> take_authority(Url& url, std::string_view authority) {
    auto const is_v6 = authority.starts_with('[');
    auto const end = is_v6 ? authority.find(']') : authority.find(':');
    if (is_v6 && end == authority.npos) return bad("a bracket is open");
    auto const host = is_v6 ? authority.substr(1, end - 1) : authority.substr(0, end);
    if (!is_host(host, is_v6)) return bad("its host isn't a name in ASCII nor an address");
    url.host = host;
    std::transform(url.host.begin(), url.host.end(), url.host.begin(), lower);
    auto rest =
        end == authority.npos ? std::string_view() : authority.substr(end + (is_v6 ? 1 : 0));
    if (rest.empty()) return {};
    if (rest[0] != ':') return bad("no port behind the bracket");
    rest.remove_prefix(1);
    auto const* const last = rest.data() + rest.size();
    auto const parsed = std::from_chars(rest.data(), last, url.port);
    if (parsed.ec != std::errc() || parsed.ptr != last || url.port == 0) return bad("its port");
    return {};
}

}  // namespace

Url& Url::operator=(Url const& other) {
    if (this == &other) return *this;
    tls = other.tls;
    host = other.host;
    port = other.port;
    wipe(target);
    target = other.target;
    return *this;
}

Url& Url::operator=(Url&& other) noexcept {
    if (this == &other) return *this;
    tls = other.tls;
    host = std::move(other.host);
    port = other.port;
    wipe(target);
    target = std::move(other.target);
    return *this;
}

Url::~Url() { wipe(target); }

std::string Url::authority() const {
    auto text = host.find(':') == host.npos ? host : "[" + host + "]";
    if (port != (tls ? 443 : 80)) text += ":" + std::to_string(port);
    return text;
}

std::string Url::where() const {
    auto const path = std::string_view(target).substr(0, target.find('?'));
    return (tls ? "https://" : "http://") + authority() + escape_untrusted(path, 200);
}

Result<Url> parse_url(std::string_view text) {
    if (text.size() > url_bytes_max) return bad("longer than 16 KiB");
    if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c >= 0x7f; }))
        return bad("it holds a blank, a control character or something beyond ASCII");
    Url url;
    if (starts_with_word(text, "https://")) {
        text.remove_prefix(8);
    } else if (starts_with_word(text, "http://")) {
        text.remove_prefix(7);
        url.tls = false;
        url.port = 80;
    } else {
        return bad("it begins neither with https:// nor with http://");
    }
    auto const end = std::min(text.find_first_of("/?#"), text.size());
    if (text.substr(0, end).find('@') != text.npos) return bad("it holds a user name");
    auto const taken = take_authority(url, text.substr(0, end));
    if (!taken) return taken.error();
    text.remove_prefix(end);
    if (text.find('#') != text.npos) return bad("it holds a fragment");
    // An origin wants a path; that alone is added where there is none.
    url.target = text.starts_with('/') ? "" : "/";
    url.target += text;
    return url;
}

std::string percent_encoded(std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (char const c : text) {
        if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
            out += c;
            continue;
        }
        auto const byte = static_cast<unsigned char>(c);
        out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
    return out;
}

}  // namespace mailferry::http
