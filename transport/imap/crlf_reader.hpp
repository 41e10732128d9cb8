#pragma once

/// For targets that refuse messages with bare line feeds (Cyrus).

#include "transport/session.hpp"

#include <memory>

namespace mailferry::imap {

/// `item` itself if each of its LF follows a CR; else a reader that shows it with CR LF instead of
/// bare LF, as every other server stores it. Reads the item once to count.
awaitable<Result<std::shared_ptr<transport::ItemReader>>> with_crlf(
    std::shared_ptr<transport::ItemReader> item);

}  // namespace mailferry::imap
