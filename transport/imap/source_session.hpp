#pragma once

/// One IMAP connection that reads. Folders are opened with EXAMINE and bodies read with
/// BODY.PEEK[]: nothing at the source changes, not even \Recent.

#include "transport/imap/folder_list.hpp"
#include "transport/imap/link.hpp"
#include "transport/session.hpp"

#include <map>
#include <memory>
#include <string>

namespace mailferry::imap {

class SourceSession final : public transport::SourceSession {
public:
    /// `link` is connected.
    SourceSession(asio::any_io_executor executor, std::unique_ptr<Link> link);

    transport::Capabilities const& capabilities() const override { return capabilities_; }
    awaitable<Result<void>> open(transport::OpenMailbox request) override;
    awaitable<Result<std::vector<transport::Folder>>> folders() override;
    awaitable<Result<transport::ScanResult>> scan(transport::Folder folder,
                                                  transport::ScanRequest request,
                                                  transport::ScanSink& sink) override;
    awaitable<Result<void>> fetch(transport::Folder folder, std::string generation,
                                  std::vector<transport::ItemRef> items,
                                  transport::ItemReceiver& receiver) override;
    awaitable<Result<void>> ping() override { return link_->ping(); }
    awaitable<void> close() override { return link_->close(); }
    void cut() override { link_->cut(); }
    bool alive() const override { return link_->alive(); }

private:
    std::unique_ptr<Link> link_;
    transport::Capabilities capabilities_;
    /// For servers that lose answers to FETCHes sent together.
    AsyncMutex one_fetch_;
    /// The state before the first part of a scan in several parts, by folder id.
    std::map<std::string, Mark> scan_marks_;
};

/// What the session interface calls by the server's facts.
transport::Capabilities capabilities_of(ServerFacts const& facts);

}  // namespace mailferry::imap
