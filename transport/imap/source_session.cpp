#include "transport/imap/source_session.hpp"

#include "transport/imap/body_fetch.hpp"
#include "transport/imap/folder_scan.hpp"

#include <utility>

namespace mailferry::imap {

transport::Capabilities capabilities_of(ServerFacts const& facts) {
    transport::Capabilities capabilities;
    capabilities.marks_cover_flags = facts.condstore;
    capabilities.numbers_after_store = facts.has("UIDPLUS");
    capabilities.atomic_groups = facts.has("MULTIAPPEND");
    capabilities.item_bytes_max = facts.append_limit();
    capabilities.server = facts.name;
    return capabilities;
}

SourceSession::SourceSession(asio::any_io_executor executor, std::unique_ptr<Link> link)
    : link_(std::move(link)),
      capabilities_(capabilities_of(link_->facts())),
      one_fetch_(std::move(executor)) {}

awaitable<Result<void>> SourceSession::open(transport::OpenMailbox request) {
    scan_marks_.clear();
    auto const opened = co_await link_->open(std::move(request));
    if (opened) capabilities_ = capabilities_of(link_->facts());
    co_return opened;
}

awaitable<Result<std::vector<transport::Folder>>> SourceSession::folders() {
    return list_folders(*link_);
}

awaitable<Result<transport::ScanResult>> SourceSession::scan(transport::Folder folder,
                                                             transport::ScanRequest request,
                                                             transport::ScanSink& sink) {
    auto const is_first_part = request.from <= 1;
    auto const id = folder.id;
    auto const outcome = co_await scan_folder(*link_, std::move(folder), std::move(request), sink);
    if (!outcome) co_return outcome.error();
    auto mark = outcome->mark;
    if (is_first_part) scan_marks_.insert_or_assign(id, mark);
    auto const before = scan_marks_.find(id);
    if (before != scan_marks_.end() && before->second.uidvalidity == mark.uidvalidity)
        mark = before->second;
    if (outcome->next == 0) scan_marks_.erase(id);
    transport::ScanResult result;
    result.generation = std::to_string(mark.uidvalidity);
    result.mark = mark.to_string();
    result.complete = outcome->complete;
    result.next = outcome->next;
    co_return result;
}

awaitable<Result<void>> SourceSession::fetch(transport::Folder folder, std::string generation,
                                             std::vector<transport::ItemRef> items,
                                             transport::ItemReceiver& receiver) {
    UidSet wanted;
    for (auto const& item : items)
        if (item.number > 0 && item.number <= UINT32_MAX)
            wanted.insert(static_cast<std::uint32_t>(item.number));
    auto const& quirks = link_->facts().quirks;
    AsyncMutex::Guard alone;
    if (quirks.no_pipelining || quirks.one_fetch_in_flight) alone = co_await one_fetch_.lock();
    co_return co_await fetch_bodies(*link_, std::move(folder.id), std::move(generation),
                                    std::move(wanted), receiver);
}

}  // namespace mailferry::imap
