#include "transport/graph/source_session.hpp"

#include "transport/graph/rights_check.hpp"

#include <algorithm>

namespace mailferry::graph {
namespace {

constexpr std::uint64_t item_bytes_max = 150'000'000;  ///< The service's default (brief, 2.6).

}  // namespace

transport::Capabilities capabilities(Limits const& limits) {
    transport::Capabilities capabilities;
    capabilities.format = transport::ItemFormat::exchange_stream;
    // Read state and flags travel in the stream; each change of them is a change of the item.
    capabilities.marks_cover_flags = true;
    capabilities.can_update_flags = false;
    capabilities.server = "Microsoft Graph";
    capabilities.item_bytes_max = item_bytes_max;
    // Uploads are base64: four bytes for three.
    auto const window = std::chrono::duration_cast<std::chrono::seconds>(limits.upload_window);
    capabilities.stored_bytes_per_second_max =
        limits.upload_bytes_max * 3 / 4 / std::max<std::uint64_t>(window.count(), 1);
    return capabilities;
}

SourceSession::SourceSession(std::shared_ptr<App> app)
    : api_(std::move(app)), capabilities_(graph::capabilities(api_.gate().limits())) {}

awaitable<Result<void>> SourceSession::open(transport::OpenMailbox request) {
    scans_.clear();
    left_out_.clear();
    mailbox_id_.clear();
    api_.act_for(request.mailbox);
    auto id = co_await find_mailbox(api_, std::move(request.mailbox));
    if (!id) co_return id.error();
    mailbox_id_ = std::move(*id);
    co_return Result<void>{};
}

awaitable<Result<std::vector<Error>>> SourceSession::obstacles() {
    co_return co_await missing_source_rights(api_, mailbox_id_);
}

awaitable<Result<std::vector<transport::Folder>>> SourceSession::folders() {
    auto const listed = co_await list_folders(api_, mailbox_id_);
    if (!listed) {
        // Its id may be that of a mailbox that is gone: the next open() asks again.
        if (listed.error().code == Errc::mailbox_refused)
            api_.app().mailbox_ids.erase(api_.mailbox());
        co_return listed.error();
    }
    auto tree = tree_of(listed->folders, listed->names);
    left_out_ = std::move(tree.left_out);
    co_return std::move(tree.folders);
}

awaitable<Result<transport::ScanResult>> SourceSession::scan(transport::Folder folder,
                                                             transport::ScanRequest request,
                                                             transport::ScanSink& sink) {
    if (request.from <= 1) {
        auto listing = std::make_unique<ItemListing>(mailbox_id_, folder.id, folder.items);
        auto const begun = co_await listing->begin(api_, std::move(request.since_mark));
        if (!begun) co_return begun.error();
        for (auto const& name : listing->take_removed()) sink.vanished_item(name);
        Scan scan;
        scan.listing = std::move(listing);
        scans_.insert_or_assign(folder.id, std::move(scan));
    }
    auto const known = scans_.find(folder.id);
    if (known == scans_.end() || known->second.next != std::max<std::uint64_t>(request.from, 1))
        co_return Error{Errc::connection_lost, "the listing that this goes on with is gone"};
    auto& scan = known->second;
    std::function<void(GraphItem)> const found = [&sink](GraphItem item) {
        sink.item(meta_of(std::move(item)));
    };
    auto const done = co_await scan.listing->next(api_, request.items_max, found);
    if (!done) {
        scans_.erase(folder.id);
        co_return done.error();
    }
    transport::ScanResult result;
    result.generation = mailbox_id_;
    result.mark = scan.listing->mark();
    result.complete = scan.listing->complete();
    result.next = *done ? 0 : ++scan.next;
    if (*done) scans_.erase(folder.id);
    co_return result;
}

awaitable<Result<void>> SourceSession::fetch(transport::Folder, std::string generation,
                                             std::vector<transport::ItemRef> items,
                                             transport::ItemReceiver& receiver) {
    if (generation != mailbox_id_)
        co_return Error{Errc::folder_replaced, "the mailbox is another one now"};
    co_return co_await export_items(api_, mailbox_id_, std::move(items), batch_, receiver);
}

awaitable<Result<void>> SourceSession::ping() { co_return api_.living(); }

awaitable<void> SourceSession::close() {
    api_.cut();
    co_return;
}

}  // namespace mailferry::graph
