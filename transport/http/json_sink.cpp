#include "transport/http/json_sink.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>

namespace mailferry::http {
namespace {

constexpr std::size_t excerpt_bytes = 512;

/// application/json and its relations ("application/problem+json; charset=utf-8").
bool claims_json(ResponseHead const& head) {
    auto const* const value = head.find("Content-Type");
    if (value == nullptr) return false;
    auto type = std::string_view(*value).substr(0, value->find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    auto const tail = type.substr(type.size() - std::min<std::size_t>(type.size(), 4));
    return boost::beast::iequals({tail.data(), tail.size()}, "json");
}

}  // namespace

JsonSink::JsonSink(JsonHandler& good, JsonHandler& bad, JsonLimits limits)
    : good_(good), bad_(bad), drained_(nullptr), limits_(limits) {}

JsonSink::JsonSink(DrainedHandler& good, JsonHandler& bad, JsonLimits limits)
    : good_(good), bad_(bad), drained_(&good), limits_(limits) {}

awaitable<Result<void>> JsonSink::head(ResponseHead const& head) {
    is_good_ = head.good();
    if (claims_json(head)) stream_.emplace(is_good_ ? good_ : bad_, limits_);
    co_return Result<void>{};
}

awaitable<Result<void>> JsonSink::piece(std::span<std::byte const> bytes) {
    any_bytes_ = true;
    auto text = std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    if (!stream_) {
        if (is_good_) co_return Error{Errc::protocol_error, "the answer doesn't claim to be JSON"};
        excerpt_.append(text.substr(0, excerpt_bytes - excerpt_.size()));
        co_return Result<void>{};
    }
    while (!text.empty()) {
        auto const slice = text.substr(0, json_slice_bytes);
        text.remove_prefix(slice.size());
        auto const parsed = stream_->write(slice);
        if (!parsed) co_return parsed.error();
        auto const drained = co_await drain();
        if (!drained) co_return drained.error();
    }
    co_return Result<void>{};
}

awaitable<Result<void>> JsonSink::end() {
    if (!stream_ || !any_bytes_) co_return Result<void>{};
    auto const parsed = stream_->finish();
    if (!parsed) co_return parsed.error();
    co_return co_await drain();
}

awaitable<Result<void>> JsonSink::drain() {
    if (!is_good_ || drained_ == nullptr) co_return Result<void>{};
    co_return co_await drained_->drain();
}

}  // namespace mailferry::http
