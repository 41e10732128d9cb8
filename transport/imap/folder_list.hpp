#pragma once

/// The folders of a mailbox, in as few round trips as the server allows.

#include "transport/imap/folder_name.hpp"
#include "transport/imap/link.hpp"

#include <string>
#include <vector>

namespace mailferry::imap {

/// What a folder looked like at one moment: equal marks mean that nothing has changed. Without
/// CONDSTORE (modseq 0) flags aren't covered.
struct Mark {
    std::uint32_t uidvalidity = 0;
    std::uint32_t uidnext = 0;
    std::uint32_t messages = 0;
    std::uint64_t modseq = 0;

    std::string to_string() const;  ///< "uidvalidity:uidnext:messages:modseq"
    static std::optional<Mark> parse(std::string_view text);
    friend bool operator==(Mark const&, Mark const&) = default;
};

/// The personal namespace; its delimiter is that of the folders where NAMESPACE isn't offered.
NameSpace personal_space(Link const& link, std::optional<char> listed_delimiter);

/// The personal folders with roles, subscriptions, numbers of items and marks. Other people's and
/// shared folders are left out. One round trip with LIST-STATUS, else two. mailbox_refused if there
/// is none at all.
awaitable<Result<std::vector<transport::Folder>>> list_folders(Link& link);

/// One folder by its id, or nothing if it isn't there.
awaitable<Result<std::optional<transport::Folder>>> find_folder(Link& link, std::string id);

/// The delimiter of the personal namespace, asked for if it isn't known yet.
awaitable<Result<NameSpace>> ask_space(Link& link);

}  // namespace mailferry::imap
