#include "daemon/pending_item.hpp"

namespace mailferry::daemon {
namespace {

class MemoryReader final : public transport::ItemReader {
public:
    explicit MemoryReader(std::shared_ptr<std::vector<std::byte> const> bytes)
        : bytes_(std::move(bytes)) {}
    std::uint64_t size() const override { return bytes_->size(); }
    awaitable<Result<std::span<std::byte const>>> next() override {
        auto const taken = std::exchange(read_, true);
        co_return taken ? std::span<std::byte const>() : std::span<std::byte const>(*bytes_);
    }
    void rewind() override { read_ = false; }

private:
    std::shared_ptr<std::vector<std::byte> const> bytes_;
    bool read_ = false;
};

class SpoolReader final : public transport::ItemReader {
public:
    SpoolReader(PendingPtr item, store::Spool& spool) : item_(std::move(item)), spool_(spool) {}
    std::uint64_t size() const override { return item_->record.size; }
    awaitable<Result<std::span<std::byte const>>> next() override {
        if (!source_) {
            auto opened = spool_.open_item(static_cast<std::uint64_t>(item_->record.id),
                                           item_->record.location);
            if (!opened) co_return opened.error();
            source_ = std::move(*opened);
        }
        co_return co_await source_->next();
    }
    void rewind() override { source_.reset(); }

private:
    PendingPtr item_;
    store::Spool& spool_;
    std::unique_ptr<store::ItemSource> source_;
};

}  // namespace

std::shared_ptr<transport::ItemReader> make_reader(PendingPtr item, store::Spool& spool) {
    if (item->hot) return std::make_shared<MemoryReader>(item->hot);
    return std::make_shared<SpoolReader>(std::move(item), spool);
}

}  // namespace mailferry::daemon
