#pragma once

/// A look at a few mailboxes of both sides before a migration's first item moves. One whose source
/// and target were swapped copies the new, fuller side into the old one (field notes, 4); an app
/// without a right is better told so now than mailbox by mailbox.

#include "daemon/pool.hpp"

#include <vector>

namespace mailferry::daemon {

struct MailboxLogins {
    MailboxLogin source, target;
};

/// invalid_config if both sides of a pair are the same mailbox or, unless `fuller_target_allowed`,
/// the target holds far more than the source. Obstacles are logged. A mailbox that can't be opened
/// says nothing here: its pass names it.
awaitable<Result<void>> check_sample(SourcePool& source, TargetPool& target,
                                     std::vector<MailboxLogins> sample, bool fuller_target_allowed);

}  // namespace mailferry::daemon
