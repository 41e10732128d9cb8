#include "transport/imap/crlf_reader.hpp"

#include <string>

namespace mailferry::imap {

using transport::ItemReader;

namespace {

class CrlfReader final : public ItemReader {
public:
    CrlfReader(std::shared_ptr<ItemReader> item, std::uint64_t size)
        : item_(std::move(item)), size_(size) {}

    std::uint64_t size() const override { return size_; }

    awaitable<Result<std::span<std::byte const>>> next() override {
        auto const piece = co_await item_->next();
        if (!piece) co_return piece.error();
        converted_.clear();
        for (auto const byte : *piece) {
            auto const c = static_cast<char>(byte);
            if (c == '\n' && last_ != '\r') converted_ += '\r';
            converted_ += c;
            last_ = c;
        }
        co_return std::as_bytes(std::span(converted_.data(), converted_.size()));
    }

    void rewind() override {
        item_->rewind();
        last_ = '\0';
    }

private:
    std::shared_ptr<ItemReader> item_;
    std::uint64_t const size_;
    std::string converted_;
    char last_ = '\0';
};

}  // namespace

awaitable<Result<std::shared_ptr<ItemReader>>> with_crlf(std::shared_ptr<ItemReader> item) {
    std::uint64_t bare_feeds = 0;
    char last = '\0';
    item->rewind();
    for (;;) {
        auto const piece = co_await item->next();
        if (!piece) co_return piece.error();
        if (piece->empty()) break;
        for (auto const byte : *piece) {
            auto const c = static_cast<char>(byte);
            if (c == '\n' && last != '\r') ++bare_feeds;
            last = c;
        }
    }
    item->rewind();
    if (bare_feeds == 0) co_return item;
    auto const size = item->size() + bare_feeds;
    co_return std::make_shared<CrlfReader>(std::move(item), size);
}

}  // namespace mailferry::imap
