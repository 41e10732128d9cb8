#include "transport/http/message.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>

namespace mailferry::http {

std::string const* ResponseHead::find(std::string_view name) const {
    auto const found = std::find_if(headers.begin(), headers.end(), [&](Header const& header) {
        return boost::beast::iequals(header.name, {name.data(), name.size()});
    });
    return found == headers.end() ? nullptr : &found->value;
}

awaitable<Result<void>> BodySink::head(ResponseHead const&) { co_return Result<void>{}; }

awaitable<Result<void>> BodySink::end() { co_return Result<void>{}; }

}  // namespace mailferry::http
