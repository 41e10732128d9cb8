#pragma once

/// One IMAP connection that writes.

#include "transport/imap/append.hpp"
#include "transport/imap/link.hpp"
#include "transport/session.hpp"

#include <map>
#include <memory>
#include <string>

namespace mailferry::imap {

class TargetSession final : public transport::TargetSession {
public:
    /// `link` is connected.
    explicit TargetSession(std::unique_ptr<Link> link);

    transport::Capabilities const& capabilities() const override { return capabilities_; }
    awaitable<Result<void>> open(transport::OpenMailbox request) override;
    awaitable<Result<std::vector<transport::Folder>>> folders() override;
    awaitable<Result<transport::Folder>> create_folder(transport::Folder wanted) override;
    awaitable<Result<void>> subscribe(transport::Folder folder, bool subscribed) override;
    awaitable<Result<transport::FolderPosition>> position(transport::Folder folder) override;
    awaitable<Result<transport::StoreResult>> store(transport::Folder folder,
                                                    std::vector<transport::StoreItem> items,
                                                    transport::BeforeCommit before_commit) override;
    awaitable<Result<std::string>> list(transport::Folder folder, transport::ListRequest request,
                                        std::function<void(transport::FoundItem)> found) override;
    awaitable<Result<void>> read_back(transport::Folder folder, transport::ItemRef item,
                                      transport::ItemReceiver& receiver) override;
    awaitable<Result<void>> change_flags(transport::Folder folder,
                                         std::vector<transport::ItemNumber> numbers,
                                         transport::Flags add, transport::Flags remove) override;
    awaitable<Result<void>> ping() override { return link_->ping(); }
    awaitable<void> close() override { return link_->close(); }
    void cut() override { link_->cut(); }
    bool alive() const override { return link_->alive(); }

private:
    std::unique_ptr<Link> link_;
    transport::Capabilities capabilities_;
    std::map<std::string, AppendFolder> folders_known_;  ///< By id; filled by position().
};

}  // namespace mailferry::imap
