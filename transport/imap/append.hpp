#pragma once

/// Storing a group of messages: MULTIAPPEND where offered, else APPENDs in one flight.

#include "transport/imap/link.hpp"
#include "transport/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace mailferry::imap {

/// What has to be known of the folder beforehand.
struct AppendFolder {
    std::string id;
    std::uint32_t uidvalidity = 0;
    std::optional<std::vector<std::string>> permanent_flags;
};

/// Which of an item's flags the folder takes.
transport::Flags flags_kept(transport::Flags const& flags, AppendFolder const& folder,
                            Quirks const& quirks);

/// Dates that targets store as they are: 1970-01-02 up to 2038-01-18 (UTC); others are clamped.
DateTime storable_date(transport::ReceivedDate date);

/// The contract of TargetSession::store(). The last octet that lets the server commit (of the whole
/// MULTIAPPEND, or of the first APPEND) is held back until before_commit has resolved; that octet
/// and the line end behind it leave together.
///
/// Single APPENDs can end differently: if some were stored and others were refused for a reason
/// that concerns the folder (over_quota, throttled, …), the call succeeds and the reason stands at
/// each refused item; if none was stored, it is the call's error.
/// Items above APPENDLIMIT are refused without being sent.
awaitable<Result<transport::StoreResult>> append_group(Link& link, AppendFolder folder,
                                                       std::vector<transport::StoreItem> items,
                                                       transport::BeforeCommit before_commit);

}  // namespace mailferry::imap
