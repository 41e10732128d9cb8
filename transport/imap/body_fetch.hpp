#pragma once

/// Reading messages whole: for fetch() at the source and read_back() at the target.

#include "transport/imap/link.hpp"
#include "transport/imap/sequence_set.hpp"
#include "transport/session.hpp"

#include <optional>
#include <string>

namespace mailferry::imap {

/// One message at most; a larger one is announced as failed and ends the connection, since it
/// can't be skipped cheaply.
inline constexpr std::uint64_t message_bytes_max = 1ULL << 30;

/// Metadata of a FETCH response: flags sorted and unique, without \Recent.
transport::ItemMeta meta_of(FetchItems items);

/// Opens `folder` read-only and reads the messages `wanted`, all in one flight, body bytes straight
/// from the connection's buffer to `receiver`. Nothing is delivered before the folder's
/// UIDVALIDITY equals `generation` (folder_replaced; nothing: any will do).
///
/// A command that the server refuses is cut in halves until the message to blame stands alone: it
/// goes to receiver.failed(), the others arrive. Messages that are gone are not delivered; one
/// without a body is asked for twice before it counts as damaged.
/// An error of the receiver ends the connection and is the result. Cancellation ends it, too.
awaitable<Result<void>> fetch_bodies(Link& link, std::string folder,
                                     std::optional<std::string> generation, UidSet wanted,
                                     transport::ItemReceiver& receiver);

}  // namespace mailferry::imap
