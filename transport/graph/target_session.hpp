#pragma once

/// Writes one mailbox at a time over the service's mailbox import. Nothing here sends a message, an
/// invitation or a receipt: items are stored as they were.

#include "transport/graph/folder_tree.hpp"
#include "transport/graph/import_session.hpp"
#include "transport/graph/item_export.hpp"
#include "transport/session.hpp"

#include <memory>
#include <string>

namespace mailferry::graph {

class TargetSession final : public transport::TargetSession {
public:
    explicit TargetSession(std::shared_ptr<App> app);

    transport::Capabilities const& capabilities() const override { return capabilities_; }
    awaitable<Result<void>> open(transport::OpenMailbox request) override;
    std::string mailbox_identity() const override { return mailbox_id_; }
    awaitable<Result<std::vector<Error>>> obstacles() override;
    awaitable<Result<std::vector<transport::Folder>>> folders() override;
    /// A folder with a role is the mailbox's own one of that role. A sibling of the same name but
    /// of another class keeps its name: ours gets " (2)" behind it.
    awaitable<Result<transport::Folder>> create_folder(transport::Folder wanted) override;
    /// Nothing to do: every folder is shown.
    awaitable<Result<void>> subscribe(transport::Folder folder, bool subscribed) override;
    /// Generation: the mailbox's id. Asks nothing.
    awaitable<Result<transport::FolderPosition>> position(transport::Folder folder) override;
    awaitable<Result<transport::StoreResult>> store(transport::Folder folder,
                                                    std::vector<transport::StoreItem> items,
                                                    transport::BeforeCommit before_commit) override;
    /// Few dates are sought by a filter. Without any, or where the service won't filter, everything
    /// that the folder holds: names have no order.
    awaitable<Result<std::string>> list(transport::Folder folder, transport::ListRequest request,
                                        std::function<void(transport::FoundItem)> found) override;
    awaitable<Result<void>> read_back(transport::Folder folder, transport::ItemRef item,
                                      transport::ItemReceiver& receiver) override;
    /// unsupported: flags are part of the stream.
    awaitable<Result<void>> change_flags(transport::Folder folder,
                                         std::vector<transport::ItemNumber> numbers,
                                         transport::Flags add, transport::Flags remove) override;
    awaitable<Result<void>> ping() override;
    awaitable<void> close() override;
    void cut() override { api_.cut(); }
    bool alive() const override { return api_.alive(); }

private:
    struct Made {
        std::string id;
        std::string name;
    };

    awaitable<Result<void>> load_tree();
    awaitable<Result<Made>> find_or_make(std::string parent, std::string name,
                                         std::string folder_class);
    awaitable<Result<std::string>> post_folder(std::string parent, std::string name,
                                               std::string folder_class);

    Api api_;
    transport::Capabilities const capabilities_;
    std::string mailbox_id_;
    ImportSessions sessions_;
    std::optional<ListedFolders> listed_;  ///< As last listed, and what was made since.
    BatchSize batch_;
};

}  // namespace mailferry::graph
