#include "transport/auth/oauth_answer.hpp"

#include <algorithm>
#include <charconv>

namespace mailferry::oauth {
namespace {

constexpr std::size_t codes_max = 16;
constexpr std::int64_t assertion_times = 700'024;

/// The service's own numbers (AADSTS...), from its error reference.
struct Known {
    std::int64_t code;
    Errc errc;
    std::string_view cure;
};

constexpr Known known[] = {
    {7'000'215, Errc::login_refused,
     "the client secret is wrong; give the secret's value, not its id, of this app"},
    {7'000'222, Errc::login_refused,
     "the client secret has expired; make a new one for this app and put it in its credential"},
    {700'027, Errc::login_refused,
     "the certificate isn't one that this app knows, or its key is another one; upload it at the "
     "app registration"},
    {assertion_times, Errc::login_refused,
     "the assertion's times don't fit the service's clock; set this machine's clock"},
    {700'016, Errc::invalid_config,
     "the app isn't known in this tenant; check client_id and tenant_id, and grant the admin "
     "consent there"},
    {90'002, Errc::invalid_config, "there is no such tenant; check tenant_id and authority"},
    {70'011, Errc::invalid_config, "the scope isn't a resource followed by /.default"},
    {1'002'012, Errc::invalid_config, "the scope isn't a resource followed by /.default"},
    {500'011, Errc::invalid_config,
     "the resource isn't known in this tenant; its API isn't enabled there"},
    {50'034, Errc::login_refused, "the service wants a user, and an app has none"},
    {53'003, Errc::login_refused,
     "a conditional-access policy of the tenant stands in the way; exempt this app"},
    {90'033, Errc::unavailable, "the sign-in service is busy; we try again"},
    {50'196, Errc::throttled, "the service sees too many sign-ins of this app; we wait"},
};

Known const* lookup(std::vector<std::int64_t> const& codes) {
    for (auto const code : codes) {
        auto const* const found = std::find_if(std::begin(known), std::end(known),
                                               [&](Known const& k) { return k.code == code; });
        if (found != std::end(known)) return found;
    }
    return nullptr;
}

/// "AADSTS7000215: Invalid client secret": for answers without `error_codes`.
std::optional<std::int64_t> code_in(std::string_view description) {
    constexpr std::string_view mark = "AADSTS";
    auto const at = description.find(mark);
    if (at == description.npos) return std::nullopt;
    std::int64_t code = 0;
    auto const digits = description.substr(at + mark.size());
    auto const parsed = std::from_chars(digits.data(), digits.data() + digits.size(), code);
    if (parsed.ec != std::errc()) return std::nullopt;
    return code;
}

}  // namespace

GrantReader::GrantReader() : token_(Secret::zeroed(token_bytes_max)) {}

bool GrantReader::in_pieces(http::JsonPath path) { return path == "/access_token"; }

Result<void> GrantReader::string_piece(http::JsonPath, std::string_view piece, bool last) {
    if (has_token_ || piece.size() > token_.size() - token_bytes_)
        return Error{Errc::protocol_error, "two tokens, or one beyond 32 KiB"};
    std::copy(piece.begin(), piece.end(), token_.writable().begin() + token_bytes_);
    token_bytes_ += piece.size();
    has_token_ = last;
    return {};
}

Result<void> GrantReader::text(http::JsonPath path, std::string_view value) {
    if (path == "/token_type") is_bearer_ = value == "Bearer" || value == "bearer";
    // Some endpoints write the number as a string.
    std::int64_t number = 0;
    auto const* const end = value.data() + value.size();
    if (path == "/expires_in" && std::from_chars(value.data(), end, number).ptr == end)
        life_s_ = number;
    return {};
}

Result<void> GrantReader::integer(http::JsonPath path, std::int64_t value) {
    if (path == "/expires_in") life_s_ = value;
    return {};
}

Result<GrantReader::Grant> GrantReader::take() {
    auto const plain = std::all_of(token_.reveal().begin(), token_.reveal().begin() + token_bytes_,
                                   [](char c) { return c > ' ' && c < 0x7f; });
    if (!has_token_ || token_bytes_ == 0 || !plain || !is_bearer_ || !life_s_ || *life_s_ < 1)
        return Error{Errc::protocol_error,
                     "the token endpoint's answer holds no bearer token with its life"};
    token_.shrink(token_bytes_);
    constexpr std::int64_t week_s = 7 * 24 * 3'600;
    return Grant{std::move(token_), std::chrono::seconds(std::min(*life_s_, week_s))};
}

Result<void> RefusalReader::text(http::JsonPath path, std::string_view value) {
    if (path == "/error")
        error_ = value;
    else if (path == "/error_description")
        description_ = value;
    else if (path == "/trace_id")
        trace_id_ = value;
    else if (path == "/correlation_id")
        correlation_id_ = value;
    return {};
}

Result<void> RefusalReader::integer(http::JsonPath path, std::int64_t value) {
    if (path == "/error_codes/#" && codes_.size() < codes_max) codes_.push_back(value);
    return {};
}

bool RefusalReader::blames_clock() const {
    return std::find(codes_.begin(), codes_.end(), assertion_times) != codes_.end() ||
           code_in(description_) == assertion_times;
}

Error RefusalReader::error(int status) const {
    auto codes = codes_;
    if (auto const code = code_in(description_)) codes.push_back(*code);
    Error error{Errc::login_refused, "the token endpoint refuses this app"};
    if (auto const* const found = lookup(codes)) {
        error.code = found->errc;
        error.context = found->cure;
    } else if (status == 429) {
        error = {Errc::throttled, "the service wants fewer sign-ins of this app; we wait"};
    } else if (status >= 500) {
        error = {Errc::unavailable, "the sign-in service is temporarily unable"};
    } else if (status == 404) {
        error = {Errc::invalid_config, "no token endpoint there; check authority and tenant_id"};
    }
    error.context += " (status " + std::to_string(status) + ")";
    error.server_text = error_;
    if (!description_.empty()) error.server_text += ": " + description_;
    if (!trace_id_.empty()) error.server_text += " trace_id=" + trace_id_;
    if (!correlation_id_.empty()) error.server_text += " correlation_id=" + correlation_id_;
    return error;
}

}  // namespace mailferry::oauth
