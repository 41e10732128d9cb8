#include "transport/imap/server_error.hpp"

#include "transport/imap/ascii.hpp"

#include <algorithm>
#include <initializer_list>

namespace mailferry::imap {
namespace {

bool mentions_any(std::string_view text, std::initializer_list<std::string_view> phrases) {
    return std::any_of(phrases.begin(), phrases.end(),
                       [&](std::string_view phrase) { return mentions(text, phrase); });
}

bool is_any(Status const& status, std::initializer_list<std::string_view> codes) {
    return std::any_of(codes.begin(), codes.end(),
                       [&](std::string_view code) { return status.is(code); });
}

bool too_many_connections(Status const& status) {
    return status.is("LIMIT") ||
           mentions_any(status.text,
                        {"too many connections", "maximum number of connections",
                         "too many simultaneous", "too many sessions", "connection limit"});
}

Error make(Errc code, Status const& status, std::string_view context) {
    return {code, std::string(context), text_of(status), suggested_pause(status.text)};
}

}  // namespace

bool mentions(std::string_view text, std::string_view words) {
    auto const found = std::search(text.begin(), text.end(), words.begin(), words.end(),
                                   [](char a, char b) { return upper(a) == upper(b); });
    return found != text.end();
}

std::optional<std::chrono::milliseconds> suggested_pause(std::string_view text) {
    constexpr std::string_view words = "BACKOFF TIME:";
    constexpr std::int64_t ms_max = 24 * 3'600 * 1'000;
    auto const haystack = upper_case(text);
    auto place = haystack.find(words);
    if (place == haystack.npos) return std::nullopt;
    place = haystack.find_first_not_of(' ', place + words.size());
    std::int64_t value = 0;
    bool any_digit = false;
    for (; place < haystack.size() && is_digit(haystack[place]); ++place) {
        value = std::min(value * 10 + (haystack[place] - '0'), ms_max);
        any_digit = true;
    }
    if (!any_digit) return std::nullopt;
    auto const unit = haystack.find_first_not_of(' ', place);
    if (unit != haystack.npos && haystack.compare(unit, 6, "SECOND") == 0)
        value = std::min(value * 1'000, ms_max);
    return std::chrono::milliseconds(value);
}

std::string text_of(Status const& status) {
    std::string text;
    switch (status.kind) {
    case StatusKind::ok: text = "OK"; break;
    case StatusKind::no: text = "NO"; break;
    case StatusKind::bad: text = "BAD"; break;
    case StatusKind::bye: text = "BYE"; break;
    case StatusKind::preauth: text = "PREAUTH"; break;
    }
    if (status.code) {
        text += " [" + status.code->name;
        if (!status.code->arguments.empty()) text += " " + status.code->arguments;
        text += "]";
    }
    if (!status.text.empty()) text += " " + status.text;
    return text;
}

std::optional<Error> pause_asked(Status const& status, std::string_view context) {
    if (suggested_pause(status.text) || status.is("THROTTLED"))
        return make(Errc::throttled, status, context);
    // "Server Unavailable. 15" is Exchange's.
    if (is_any(status, {"UNAVAILABLE", "INUSE", "SERVERBUG"}) ||
        mentions(status.text, "server unavailable"))
        return make(Errc::unavailable, status, context);
    return std::nullopt;
}

Error farewell(Status const& status, std::string_view context) {
    if (auto pause = pause_asked(status, context); pause && pause->code == Errc::throttled)
        return *pause;
    auto const code = too_many_connections(status) ? Errc::throttled : Errc::unavailable;
    return make(code, status, context);
}

Error refusal(Status const& status, Errc otherwise, std::string_view context) {
    if (auto const pause = pause_asked(status, context)) return *pause;
    return make(otherwise, status, context);
}

Error login_refusal(Status const& status, std::string_view context) {
    if (auto const pause = pause_asked(status, context)) return *pause;
    if (too_many_connections(status)) return make(Errc::throttled, status, context);
    // "User is authenticated but not connected" is Exchange's for a mailbox that is not there or
    // that the admin has no right to.
    if (is_any(status, {"AUTHORIZATIONFAILED", "NONEXISTENT", "NOPERM"}) ||
        mentions(status.text, "authenticated but not connected"))
        return make(Errc::mailbox_refused, status, context);
    return make(Errc::login_refused, status, context);
}

Error append_refusal(Status const& status, std::string_view context) {
    // Courier: "You exceeded your mail quota."
    if (status.is("OVERQUOTA") ||
        mentions_any(status.text, {"over quota", "exceeded your mail quota", "quota exceeded"}))
        return make(Errc::over_quota, status, context);
    if (is_any(status, {"TRYCREATE", "NONEXISTENT", "NOPERM"}))
        return make(Errc::folder_refused, status, context);
    if (auto const pause = pause_asked(status, context)) return *pause;
    if (is_any(status, {"TOOBIG", "LIMIT"}) ||
        mentions_any(status.text, {"too large", "too big", "size exceeds", "maximum size",
                                   "exceeds the maximum"}))
        return make(Errc::item_too_large, status, context);
    return make(Errc::item_refused, status, context);
}

}  // namespace mailferry::imap
