#include "transport/graph/refusal.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <array>

namespace mailferry::graph {
namespace {

constexpr std::size_t message_bytes_max = 2'048;
constexpr std::chrono::milliseconds move_pause{300'000};

constexpr std::array<std::string_view, 7> transient_codes{"ErrorServerBusy",
                                                          "ErrorTimeoutExpired",
                                                          "ErrorMailboxStoreUnavailable",
                                                          "ErrorInternalServerTransientError",
                                                          "ErrorInternalServerError",
                                                          "ServiceUnavailable",
                                                          "UnknownError"};

constexpr std::array<std::string_view, 6> no_mailbox_codes{
    "MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI",
    "ErrorNonExistentMailbox",     "ErrorInvalidUser",
    "ErrorMailboxNotFound",        "Request_ResourceNotFound"};

template <std::size_t N>
bool says_one_of(Refusal const& refusal, std::array<std::string_view, N> const& codes) {
    return std::any_of(codes.begin(), codes.end(),
                       [&](std::string_view code) { return refusal.says(code); });
}

Errc given_up(Subject subject) {
    switch (subject) {
    case Subject::mailbox: return Errc::mailbox_refused;
    case Subject::source_folder: return Errc::folder_unreadable;
    case Subject::target_folder: return Errc::folder_refused;
    case Subject::source_item: return Errc::item_damaged;
    case Subject::target_item: return Errc::item_refused;
    }
    return Errc::mailbox_refused;
}

std::string_view permission_for(Subject subject) {
    switch (subject) {
    case Subject::mailbox: return "User.Read.All";
    case Subject::source_folder: return "MailboxFolder.Read.All or MailboxItem.Read.All";
    case Subject::target_folder: return "MailboxFolder.ReadWrite.All";
    case Subject::source_item: return "MailboxItem.Export.All";
    case Subject::target_item: return "MailboxItem.ImportExport.All";
    }
    return "";
}

std::string cure_of_forbidden(std::string_view permission) {
    return "the app lacks the permission " + std::string(permission) +
           " (with admin consent), or this mailbox isn't in its scope";
}

std::string said(Refusal const& refusal) {
    return refusal.message.empty() ? refusal.code : refusal.code + ": " + refusal.message;
}

/// By the codes that mean the same whatever the status; then by the status.
Errc code_of(Refusal const& refusal, Subject subject, std::string& cure) {
    if (refusal.says("ErrorQuotaExceeded") || refusal.status == 507) {
        cure = "; the mailbox is full, or the folder holds 1,000,000 items";
        return Errc::over_quota;
    }
    if (refusal.says("ErrorMailboxMoveInProgress") || refusal.status == 423) {
        cure = "; the mailbox is being moved";
        return Errc::unavailable;
    }
    if (refusal.says("ErrorMessageSizeExceeded") || refusal.status == 413)
        return Errc::item_too_large;
    if (says_one_of(refusal, no_mailbox_codes)) {
        cure = "; no mailbox (or no licence) in this tenant";
        return Errc::mailbox_refused;
    }
    if (refusal.says("ErrorFolderNotFound") && subject == Subject::target_item)
        return Errc::folder_refused;
    switch (refusal.status) {
    case 401: cure = "; the token is refused although it is fresh"; return Errc::login_refused;
    case 403:
        cure = "; " + cure_of_forbidden(permission_for(subject));
        return Errc::mailbox_refused;
    case 404:
        if (subject == Subject::mailbox) cure = "; no mailbox (or no licence) in this tenant";
        return subject == Subject::source_item ? Errc::item_vanished : given_up(subject);
    case 429: return Errc::throttled;
    default: break;
    }
    if (refusal.status >= 500) return Errc::unavailable;
    if (refusal.status == 0 && is_transient(refusal)) return Errc::unavailable;
    if (refusal.status == 0 && refusal.says("ErrorItemNotFound")) return Errc::item_vanished;
    return given_up(subject);
}

}  // namespace

void RefusalHandler::reset() {
    code.clear();
    inner_code.clear();
    message.clear();
}

Result<void> RefusalHandler::text(http::JsonPath path, std::string_view value) {
    if (path == "/error/code") code = value;
    if (path == "/error/message") message = value.substr(0, message_bytes_max);
    if (path == "/error/innerError/code" || path == "/error/innererror/code") inner_code = value;
    return {};
}

Error error_of(Refusal const& refusal, Subject subject, std::string what) {
    std::string cure;
    auto const code = code_of(refusal, subject, cure);
    if (refusal.status != 0) what.append(": status ").append(std::to_string(refusal.status));
    Error error{code, std::move(what) + cure};
    error.server_text = said(refusal);
    error.retry_after = refusal.retry_after;
    if (refusal.says("ErrorMailboxMoveInProgress") && !error.retry_after)
        error.retry_after = move_pause;
    return error;
}

Error lacking(Refusal const& refusal, std::string_view permission) {
    Error error{Errc::mailbox_refused, cure_of_forbidden(permission)};
    error.server_text = said(refusal);
    return error;
}

bool is_resync(Refusal const& refusal) {
    constexpr std::array<std::string_view, 4> codes{"SyncStateNotFound", "SyncStateInvalid",
                                                    "resyncRequired", "ResyncRequired"};
    return refusal.status == 410 || says_one_of(refusal, codes);
}

bool is_transient(Refusal const& refusal) {
    if (refusal.says("ErrorQuotaExceeded") || refusal.status == 507) return false;
    if (refusal.status == 429 || (refusal.status >= 500 && refusal.status < 600)) return true;
    return refusal.status == 0 && says_one_of(refusal, transient_codes);
}

Verdict verdict_of(http::ResponseHead const& head, Refusal const& refusal) {
    switch (head.status) {
    case 429: {
        if (refusal.message.find("MailboxConcurrency") != std::string::npos)
            return Verdict::too_many_at_once;
        auto const* const scope = head.find("x-ms-throttle-scope");
        if (scope == nullptr) return Verdict::throttled;
        auto const text = config::fold_case(*scope);
        bool const wide = text.starts_with("tenant") || text.starts_with("application");
        return wide ? Verdict::app_throttled : Verdict::throttled;
    }
    case 503: return Verdict::overloaded;
    case 504: return Verdict::throttled;
    default: break;
    }
    return head.status >= 500 && head.status != 507 ? Verdict::failed : Verdict::taken;
}

}  // namespace mailferry::graph
