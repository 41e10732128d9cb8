#include "tests/support/graphsim/world.hpp"

#include "tests/support/graphsim/encoding.hpp"

#include <stdexcept>

namespace graphsim {

Tenant* World::tenant_named(std::string_view id_or_domain) const {
    for (auto const& [id, tenant] : tenants) {
        if (equal_folded(id, id_or_domain)) return tenant.get();
        for (auto const& domain : tenant->domains) {
            if (equal_folded(domain, id_or_domain)) return tenant.get();
        }
    }
    return nullptr;
}

MailboxPlace World::place_of(std::string_view mailbox) const {
    auto const found = mailboxes.find(std::string(mailbox));
    if (found != mailboxes.end()) return found->second;
    for (auto const& [id, place] : mailboxes) {
        if (equal_folded(place.user->name, mailbox)) return place;
    }
    throw std::invalid_argument("no such mailbox: " + std::string(mailbox));
}

}  // namespace graphsim
