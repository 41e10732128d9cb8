#include "transport/imap/quirks.hpp"

#include "transport/imap/ascii.hpp"
#include "transport/imap/flags.hpp"

#include <initializer_list>

namespace mailferry::imap {
namespace {

bool mentions(std::string_view server_name, std::initializer_list<std::string_view> words) {
    auto const name = upper_case(server_name);
    for (auto const word : words)
        if (name.find(upper_case(word)) != name.npos) return true;
    return false;
}

}  // namespace

Quirks quirks_for(std::string_view server_name, std::span<std::string const> capabilities) {
    Quirks quirks;
    if (mentions(server_name, {"microsoft", "exchange", "outlook"})) {
        quirks.extra_continuation_after_literal_plus = true;
        quirks.one_fetch_in_flight = true;
        quirks.sizes_are_estimates = true;
        quirks.flags_need_store = true;
        quirks.status_is_stale = true;
        quirks.no_keywords = true;
    }
    if (mentions(server_name, {"gimap", "gmail", "courier", "yahoo"}) ||
        contains_flag(capabilities, "X-GM-EXT-1"))
        quirks.one_fetch_in_flight = true;
    if (mentions(server_name, {"hmailserver", "domino", "groupwise"}))
        quirks.sizes_are_estimates = true;
    if (mentions(server_name, {"dovecot"})) quirks.has_x_guid = true;
    if (mentions(server_name, {"cyrus"})) {
        quirks.mailbox_id_alone = true;
        quirks.needs_crlf = true;
        quirks.needs_quick_ack = true;
        quirks.login_ignores_mailbox = true;
        quirks.dies_of_braces = true;
    }
    return quirks;
}

}  // namespace mailferry::imap
