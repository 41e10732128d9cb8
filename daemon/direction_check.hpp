#pragma once

/// A migration whose source and target were swapped copies the new, fuller side into the old one.
/// Before the first item moves, a sample of mailboxes tells (field notes, 4).

#include "daemon/pool.hpp"

#include <optional>
#include <vector>

namespace mailferry::daemon {

struct MailboxLogins {
    MailboxLogin source, target;
};

/// Counts the items of the sample's mailboxes at both sides. invalid_config if the target holds far
/// more than the source. A mailbox that can't be opened says nothing here: its pass names it.
awaitable<Result<void>> check_direction(SourcePool& source, TargetPool& target,
                                        std::vector<MailboxLogins> sample);

}  // namespace mailferry::daemon
