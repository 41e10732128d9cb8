#pragma once

/// Lists what a folder holds, or what has changed since a mark.

#include "transport/imap/folder_list.hpp"
#include "transport/imap/link.hpp"
#include "transport/session.hpp"

#include <optional>

namespace mailferry::imap {

struct ScanOutcome {
    Mark mark;  ///< As of the EXAMINE that came before everything listed.
    bool complete = false;
    transport::ItemNumber next = 0;
};

/// With CONDSTORE and a mark of the same UIDVALIDITY: new and changed items, and what is gone
/// (found by counting; listed only if the numbers don't add up). Otherwise, or if the server's
/// mod-sequences began anew, everything; then `complete` means: of the numbers from request.from up
/// to next, or to the end.
awaitable<Result<ScanOutcome>> scan_folder(Link& link, transport::Folder folder,
                                           transport::ScanRequest request,
                                           transport::ScanSink& sink);

}  // namespace mailferry::imap
