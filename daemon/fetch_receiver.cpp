#include "daemon/fetch_receiver.hpp"

#include "daemon/content_reader.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

constexpr std::uint64_t hot_item_bytes_max = 1 << 20;
constexpr std::uint64_t item_record_bytes = 1 << 10;  ///< What is held of an item beside its bytes.

}  // namespace

FetchReceiver::FetchReceiver(MailboxRun& run, FolderPlan& plan,
                             std::vector<transport::ItemRef> const& wanted)
    : run_(run), plan_(plan), wanted_(wanted) {
    for (auto const& item : wanted) missing_.insert(item.number);
}

FetchReceiver::~FetchReceiver() { abandon(); }

void FetchReceiver::abandon() {
    writer_.reset();
    hot_.reset();
    item_.reset();
    unspoolable_.reset();
    digest_.restart();
    bytes_ = 0;
}

awaitable<Result<void>> FetchReceiver::begin(std::uint64_t bytes_max) {
    abandon();
    auto& services = run_.services_;
    item_ = std::make_shared<PendingItem>(services.items_waiting);
    item_->record.id = services.ledger.next_item_id();
    item_->record.folder = plan_.record.id;
    item_->record.size = bytes_max;
    auto const reserved = co_await services.spool.reserve(bytes_max);
    if (!reserved && reserved.error().code == Errc::item_too_large) {
        unspoolable_ = reserved.error();
        co_return Result<void>{};
    }
    if (!reserved) co_return reserved.error();
    auto writer = co_await services.spool.begin_item(
        static_cast<std::uint64_t>(item_->record.id), bytes_max,
        store::ItemOwner{static_cast<std::uint64_t>(run_.pair_)});
    if (!writer) co_return writer.error();
    writer_ = std::move(*writer);
    if (bytes_max > std::min(hot_item_bytes_max, services.memory.bytes_max() / 16))
        co_return Result<void>{};
    if (auto lease = co_await services.memory.acquire(bytes_max + item_record_bytes)) {
        item_->memory = std::move(*lease);
        hot_ = std::make_shared<std::vector<std::byte>>();
        hot_->reserve(bytes_max);
    }
    co_return Result<void>{};
}

awaitable<Result<void>> FetchReceiver::piece(std::span<std::byte const> bytes) {
    run_.services_.totals.bytes_fetched += bytes.size();
    bytes_ += bytes.size();
    if (unspoolable_) co_return Result<void>{};
    digest_.update(bytes);
    if (hot_) hot_->insert(hot_->end(), bytes.begin(), bytes.end());
    co_return co_await writer_->write(bytes);
}

awaitable<Result<void>> FetchReceiver::end(transport::ItemMeta meta) {
    auto& record = item_->record;
    record.number = meta.number;
    if (!unspoolable_) record.size = bytes_;
    record.received = meta.received.unix_seconds;
    record.zone_minutes = meta.received.zone_minutes;
    record.flags = std::move(meta.flags);
    // Whoever copies marked items wants to keep them: the target would expunge them some day.
    std::erase_if(record.flags, [](auto const& flag) { return has_flag({flag}, "\\Deleted"); });
    bool const wanted = missing_.erase(meta.number) > 0;
    if (!wanted) {
        abandon();
        co_return Result<void>{};
    }
    if (unspoolable_) {
        auto const error = *unspoolable_;
        auto const size = record.size;
        missing_.insert(meta.number);
        failed(meta.number, error);
        failed_.back().size = size;
        abandon();
        co_return Result<void>{};
    }
    auto const identity = digest_.finish();
    bool const opaque = !meta.identity.empty();
    record.digest = opaque ? identity_digest(meta) : identity.canonical;
    record.fingerprint = opaque ? version_fingerprint(meta) : fingerprint_of(identity.canonical);
    mark_newer(record);
    auto const location = co_await writer_->finish(identity.plain, {});
    if (!location) co_return location.error();
    run_.on_their_way_[{record.folder, record.number}] = record.fingerprint;
    record.location = *location;
    item_->hot = std::move(hot_);
    auto const item = std::move(item_);
    abandon();
    run_.await_spool(item);
    if (item->hot) run_.enqueue(item);
    run_.changed_.notify_all();
    co_return Result<void>{};
}

/// A newer state of a stored item belongs to the folder that the item was copied from.
void FetchReceiver::mark_newer(store::ItemRecord& record) const {
    auto const newer = run_.replaced_.find({plan_.record.id, record.number});
    if (newer == run_.replaced_.end()) return;
    record.folder = newer->second.folder;
    record.replaces = newer->second.target_number;
}

void FetchReceiver::failed(transport::ItemNumber number, Error error) {
    missing_.erase(number);
    store::ItemRecord record;
    record.id = run_.services_.ledger.next_item_id();
    record.folder = plan_.record.id;
    record.number = number;
    record.state = store::ItemState::failed;
    record.attempts = 1;
    record.reason = std::string(to_string(error.code));
    record.detail = error.describe();
    for (auto const& item : wanted_)
        if (item.number == number && item.named)
            record.fingerprint = version_fingerprint(*item.named);
    mark_newer(record);
    failed_.push_back(std::move(record));
}

}  // namespace mailferry::daemon
