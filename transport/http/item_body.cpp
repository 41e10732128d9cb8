#include "transport/http/item_body.hpp"

#include "config/base/assert.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace mailferry::http {
namespace {

/// Of the item, encoded at once: 64 KiB of text.
constexpr std::size_t slice_bytes = 48 * 1024;

std::span<std::byte const> bytes_of(std::string const& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

ItemBody::ItemBody(std::string prefix, std::shared_ptr<transport::ItemReader> item,
                   std::string suffix, transport::BeforeCommit before_commit)
    : prefix_(std::move(prefix)),
      item_(std::move(item)),
      suffix_(std::move(suffix)),
      before_commit_(std::move(before_commit)) {
    MAILFERRY_ASSERT(!suffix_.empty());
}

std::uint64_t ItemBody::size() const {
    return prefix_.size() + base64_size(item_->size()) + suffix_.size();
}

awaitable<Result<std::span<std::byte const>>> ItemBody::next() {
    if (part_ == Part::prefix) {
        part_ = Part::item;
        if (!prefix_.empty()) co_return bytes_of(prefix_);
    }
    text_.clear();
    while (part_ == Part::item && text_.empty()) {
        if (unencoded_.empty()) {
            auto const read = co_await item_->next();
            if (!read) co_return read.error();
            unencoded_ = *read;
            bytes_read_ += unencoded_.size();
            auto const ended = unencoded_.empty();
            if (bytes_read_ > item_->size() || (ended && bytes_read_ < item_->size()))
                co_return Error{Errc::corrupt, "an item isn't as long as it was said to be"};
            if (ended) {
                encoder_.finish(text_);
                part_ = Part::suffix;
                continue;
            }
        }
        auto const slice = unencoded_.first(std::min(slice_bytes, unencoded_.size()));
        unencoded_ = unencoded_.subspan(slice.size());
        encoder_.write(slice, text_);
    }
    if (!text_.empty()) co_return bytes_of(text_);
    if (part_ == Part::end) co_return std::span<std::byte const>{};
    if (before_commit_) {
        auto const allowed = co_await before_commit_();
        if (!allowed) co_return allowed.error();
    }
    part_ = Part::end;
    co_return bytes_of(suffix_);
}

void ItemBody::rewind() {
    part_ = Part::prefix;
    encoder_ = {};
    bytes_read_ = 0;
    unencoded_ = {};
    item_->rewind();
}

std::string json_quoted(std::string_view text) {
    return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

}  // namespace mailferry::http
