#pragma once

/// A response whose body is JSON, read as it comes.

#include "transport/http/json_stream.hpp"
#include "transport/http/message.hpp"

#include <memory>
#include <optional>
#include <string>

namespace mailferry::http {

/// What reads answers with bulky strings: events are gathered in the handler, `drain` passes them
/// on. Between two drains come the events of at most `json_slice_bytes` of JSON.
class DrainedHandler : public JsonHandler {
public:
    virtual awaitable<Result<void>> drain() = 0;
};

inline constexpr std::size_t json_slice_bytes = 16 * 1024;

/// Feeds `good` with the body of a 2xx answer and `bad` with that of any other. An empty body (204)
/// makes no event. A body that doesn't claim to be JSON: of a 2xx it is a protocol_error, of
/// another status it is skipped; proxies and gateways answer in HTML.
class JsonSink final : public BodySink {
public:
    JsonSink(JsonHandler& good, JsonHandler& bad, JsonLimits limits = {});
    /// As above; `good` is drained as the body comes and once more at its end.
    JsonSink(DrainedHandler& good, JsonHandler& bad, JsonLimits limits = {});

    awaitable<Result<void>> head(ResponseHead const& head) override;
    awaitable<Result<void>> piece(std::span<std::byte const> bytes) override;
    awaitable<Result<void>> end() override;

    /// The beginning (at most 512 bytes) of a body that isn't JSON. Untrusted.
    std::string const& excerpt() const { return excerpt_; }

private:
    awaitable<Result<void>> drain();

    JsonHandler& good_;
    JsonHandler& bad_;
    DrainedHandler* const drained_;
    JsonLimits const limits_;
    std::optional<JsonStream> stream_;  ///< Empty: no head yet, or the body isn't JSON.
    bool is_good_ = false;
    bool any_bytes_ = false;
    std::string excerpt_;
};

}  // namespace mailferry::http
