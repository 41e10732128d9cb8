#pragma once

/// Making folders at the target.

#include "transport/imap/folder_list.hpp"
#include "transport/imap/link.hpp"

namespace mailferry::imap {

/// The contract of TargetSession::create_folder(). Names that the target refuses are bent step by
/// step (Bending); missing parents are made if the target doesn't do it by itself; INBOX's children
/// become top-level folders where the target has none. What counts is what LIST shows afterwards.
/// The same wish always gives the same folder.
awaitable<Result<transport::Folder>> create_folder(Link& link, transport::Folder wanted);

}  // namespace mailferry::imap
