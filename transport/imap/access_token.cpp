#include "transport/imap/access_token.hpp"

#include "transport/auth/sasl.hpp"

#include <boost/json/parse.hpp>

#include <cstdlib>
#include <filesystem>

namespace mailferry::imap {
namespace {

using std::chrono::sys_seconds;

constexpr std::size_t claims_bytes_max = 16 * 1024;
/// The year 9999: whatever is beyond it is no date.
constexpr std::int64_t instant_max = 253'402'300'799;

/// RFC 4648 5, without padding.
std::optional<std::string> base64url_decode(std::string text) {
    for (auto& c : text) {
        if (c == '-') c = '+';
        if (c == '_') c = '/';
    }
    while (text.size() % 4 != 0) text += '=';
    return transport::base64_decode(text);
}

std::optional<sys_seconds> written_at(std::filesystem::path const& file) {
    std::error_code error;
    auto const time = std::filesystem::last_write_time(file, error);
    if (error) return std::nullopt;
    return std::chrono::floor<std::chrono::seconds>(std::chrono::file_clock::to_sys(time));
}

std::string minutes(std::chrono::seconds span) {
    return std::to_string(std::chrono::duration_cast<std::chrono::minutes>(span).count()) + " min";
}

std::filesystem::path file_of(config::SecretSource const& source) {
    if (source.credential.empty()) return source.file;
    auto const* const folder = std::getenv("CREDENTIALS_DIRECTORY");
    return std::filesystem::path(folder == nullptr ? "" : folder) / source.credential;
}

}  // namespace

std::optional<sys_seconds> token_expiry(std::string_view token) {
    auto const first = token.find('.');
    if (first == token.npos) return std::nullopt;
    auto const second = token.find('.', first + 1);
    if (second == token.npos || second - first > claims_bytes_max) return std::nullopt;
    auto const claims = base64url_decode(std::string(token.substr(first + 1, second - first - 1)));
    if (!claims) return std::nullopt;
    boost::system::error_code error;
    auto const parsed = boost::json::parse(*claims, error);
    if (error || !parsed.is_object()) return std::nullopt;
    auto const* const expiry = parsed.get_object().if_contains("exp");
    auto const* const seconds = expiry == nullptr ? nullptr : expiry->if_int64();
    if (seconds == nullptr || *seconds <= 0 || *seconds > instant_max) return std::nullopt;
    return sys_seconds(std::chrono::seconds(*seconds));
}

std::string describe_token(config::SecretSource const& source, std::string_view token,
                           sys_seconds now) {
    auto const file = file_of(source);
    std::string facts;
    if (auto const written = written_at(file); written && now >= *written)
        facts = "written " + minutes(now - *written) + " ago";
    if (auto const expiry = token_expiry(token)) {
        if (!facts.empty()) facts += ", ";
        facts += now >= *expiry ? "expired " + minutes(now - *expiry) + " ago"
                                : "valid for " + minutes(*expiry - now);
    }
    return "the token of " + file.string() + (facts.empty() ? "" : " (" + facts + ")");
}

}  // namespace mailferry::imap
