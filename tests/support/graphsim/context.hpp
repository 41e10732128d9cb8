#pragma once

/// One request on its way through the simulator: who asks, what for, and what the audit will tell.

#include "tests/support/graphsim/http_message.hpp"
#include "tests/support/graphsim/world.hpp"

#include <optional>
#include <string>
#include <vector>

namespace graphsim {

struct Context {
    World& world;
    Request& request;
    AuditEntry& audit;
    std::optional<std::uint64_t> content_length;

    std::vector<std::string> segments;  ///< Of the path, decoded.
    Token const* token = nullptr;       ///< Of Graph; valid and not expired.
    ImportSession const* session = nullptr;
    MailboxPlace place;  ///< Whose mailbox it is about, if anybody's.
    std::optional<LimiterKey> limiter;

    Mailbox& mailbox() const { return *place.user->mailbox; }
    Time now() const { return world.clock.now(); }
    bool immutable_ids() const { return request.preference("IdType") == "ImmutableId"; }
};

}  // namespace graphsim
