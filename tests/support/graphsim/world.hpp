#pragma once

/// Everything that the simulated cloud holds. One thread; handed by reference to every part.

#include "tests/support/graphsim/audit.hpp"
#include "tests/support/graphsim/clock.hpp"
#include "tests/support/graphsim/faults.hpp"
#include "tests/support/graphsim/options.hpp"
#include "tests/support/graphsim/random.hpp"
#include "tests/support/graphsim/tenant.hpp"
#include "tests/support/graphsim/throttle.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace graphsim {

struct Token {
    std::string tenant;
    std::string app;
    std::string resource;  ///< https://graph.microsoft.com
    std::set<std::string> roles;
    Time expires{};
};

struct ImportSession {
    std::string tenant;
    std::string app;
    std::string mailbox;  ///< Mailbox::id
    std::string target;   ///< Path and query, to the byte.
    Time expires{};
};

struct MailboxPlace {
    Tenant* tenant = nullptr;
    User* user = nullptr;
};

struct World {
    World() : audit(clock), throttle(clock, options, random) {}

    Clock clock;
    Options options;
    Random random{1};
    std::map<std::string, std::unique_ptr<Tenant>> tenants;  ///< By id.
    std::map<std::string, Token> tokens;                     ///< By their text.
    std::map<std::string, ImportSession> sessions;           ///< By authtoken.
    std::set<std::string> used_assertions;                   ///< Their jti.
    std::map<std::string, MailboxPlace> mailboxes;           ///< By Mailbox::id.
    std::uint64_t delta_epoch = 0;  ///< Delta tokens of an earlier one are unknown.
    std::map<std::string, std::uint64_t> delta_epoch_of;  ///< The same for one mailbox.
    std::string delta_key;                                ///< Delta tokens are sealed with it.
    std::string import_origin;                            ///< https://localhost:port
    Audit audit;
    Throttle throttle;
    Faults faults;

    Tenant* tenant_named(std::string_view id_or_domain) const;
    /// By Mailbox::id or userPrincipalName; throws std::invalid_argument.
    MailboxPlace place_of(std::string_view mailbox) const;
};

}  // namespace graphsim
