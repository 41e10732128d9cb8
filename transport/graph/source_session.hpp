#pragma once

/// Reads one mailbox at a time over the service's mailbox export. It asks and lists: nothing at the
/// source changes.

#include "transport/graph/folder_tree.hpp"
#include "transport/graph/item_export.hpp"
#include "transport/graph/item_listing.hpp"
#include "transport/session.hpp"

#include <map>
#include <memory>
#include <string>

namespace mailferry::graph {

/// What the session interface calls this service, whose limits are `limits`.
transport::Capabilities capabilities(Limits const& limits);

class SourceSession final : public transport::SourceSession {
public:
    explicit SourceSession(std::shared_ptr<App> app);

    transport::Capabilities const& capabilities() const override { return capabilities_; }
    awaitable<Result<void>> open(transport::OpenMailbox request) override;
    std::string mailbox_identity() const override { return mailbox_id_; }
    awaitable<Result<std::vector<Error>>> obstacles() override;
    /// Those that are copied; the others are in left_out().
    awaitable<Result<std::vector<transport::Folder>>> folders() override;
    /// Generation: the mailbox's id. A first answer comes after a whole round of changes, which
    /// gives its mark; `from` goes on where the session itself stopped.
    awaitable<Result<transport::ScanResult>> scan(transport::Folder folder,
                                                  transport::ScanRequest request,
                                                  transport::ScanSink& sink) override;
    awaitable<Result<void>> fetch(transport::Folder folder, std::string generation,
                                  std::vector<transport::ItemRef> items,
                                  transport::ItemReceiver& receiver) override;
    /// A session has no connection of its own that could die: each request finds or makes one.
    awaitable<Result<void>> ping() override;
    awaitable<void> close() override;
    void cut() override { api_.cut(); }
    bool alive() const override { return api_.alive(); }

    /// What the last folders() left out, and why.
    std::vector<transport::LeftOutFolder> left_out() const override { return left_out_; }

private:
    struct Scan {
        std::unique_ptr<ItemListing> listing;
        transport::ItemNumber next = 1;
    };

    Api api_;
    transport::Capabilities const capabilities_;
    std::string mailbox_id_;
    std::vector<transport::LeftOutFolder> left_out_;
    std::map<std::string, Scan> scans_;  ///< Under way, by folder id.
    BatchSize batch_;
};

}  // namespace mailferry::graph
