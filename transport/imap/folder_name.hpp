#pragma once

/// Folder names: as the server spells them, as the ledger keeps them, as people read them, and what
/// they are for. Pure. Sources: RFC 3501 5.1, RFC 2342, RFC 6154, RFC 6855.

#include "transport/imap/response.hpp"
#include "transport/model/folder.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::imap {

/// A folder's id is its name in modified UTF-7, or its raw bytes if they can't be decoded; INBOX is
/// "INBOX" in whatever case it came. The same for every connection, with UTF8=ACCEPT or without.
std::string folder_id(std::string_view wire_name, bool utf8);
std::string wire_name(std::string_view folder_id, bool utf8);

/// The personal namespace of the signed-in mailbox.
struct NameSpace {
    std::string prefix;             ///< As on the wire, with its delimiter: "INBOX." or "".
    std::optional<char> delimiter;  ///< Nothing: a flat server.
};

/// Components of a name, the prefix left out and each decoded to UTF-8. Bytes that can't be decoded
/// show as the Latin-1 letters they would be.
transport::FolderPath path_of(std::string_view folder_id, NameSpace const& space,
                              std::optional<char> delimiter);

/// How far a name is bent so that the target takes it.
enum class Bending {
    separators,  ///< The delimiter and control characters become `_`.
    cautious,    ///< So do / \ % * " ; < > ^ ` { | } and a leading ~; no blank or dot at an end.
    plain,       ///< So do . : ?; a long component is cut and ends in a hash of the whole.
};

/// The id that a path gets in `space`. Children of INBOX stay there where the prefix allows it;
/// with a prefix like "INBOX." they can't be told from top-level folders and become such.
std::string id_for(transport::FolderPath const& path, NameSpace const& space, Bending bending);

/// By attribute (`\Sent`); XLIST's spellings included. none: it has none.
transport::FolderRole role_of(ListEntry const& entry);
/// RFC 6154's attribute for a role; empty if there is none.
std::string_view attribute_of(transport::FolderRole role);

/// Gives roles by name, in several languages, to top-level folders without one; never a role that
/// another folder has. The earlier name in the table wins.
void guess_roles(std::vector<transport::Folder>& folders);

}  // namespace mailferry::imap
