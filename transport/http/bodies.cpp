#include "transport/http/bodies.hpp"

#include <algorithm>

namespace mailferry::http {
namespace {

std::span<std::byte const> once(std::string_view text, bool& taken) {
    auto const rest = std::exchange(taken, true) ? std::string_view() : text;
    return std::as_bytes(std::span(rest.data(), rest.size()));
}

}  // namespace

awaitable<Result<std::span<std::byte const>>> TextBody::next() { co_return once(text_, taken_); }

awaitable<Result<std::span<std::byte const>>> SecretBody::next() {
    co_return once(text_.reveal(), taken_);
}

awaitable<Result<void>> TextSink::piece(std::span<std::byte const> bytes) {
    auto const count = std::min(bytes.size(), bytes_max_ - text.size());
    text.append(reinterpret_cast<char const*>(bytes.data()), count);
    co_return Result<void>{};
}

}  // namespace mailferry::http
