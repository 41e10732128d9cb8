#pragma once

/// Which permissions an app lacks on a mailbox, by one harmless request for each (brief, 1.4):
/// consent is given by hand in both tenants, and the refusals that come later say less.

#include "transport/graph/import_session.hpp"

#include <string>
#include <vector>

namespace mailferry::graph {

/// For reading: MailboxFolder.Read.All, MailboxItem.Read.All, MailboxItem.Export.All.
awaitable<Result<std::vector<Error>>> missing_source_rights(Api& api, std::string mailbox_id);

/// For writing: MailboxFolder.ReadWrite.All, MailboxItem.Read.All (to look for what may have been
/// stored), MailboxItem.ImportExport.All. The import session that is opened is used by the next
/// import.
awaitable<Result<std::vector<Error>>> missing_target_rights(Api& api, ImportSessions& sessions,
                                                            std::string mailbox_id);

}  // namespace mailferry::graph
