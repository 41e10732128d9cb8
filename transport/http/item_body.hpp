#pragma once

/// An item's bytes within JSON: `prefix` + base64 + `suffix`.

#include "transport/http/base64.hpp"
#include "transport/http/message.hpp"
#include "transport/session.hpp"

#include <memory>
#include <string>

namespace mailferry::http {

/// Reads the item front to back, one piece in memory at a time. `before_commit` (may be empty) is
/// awaited before the suffix is handed out, so before the server can hold a whole request; each
/// attempt asks it again. `suffix` must not be empty. An item that isn't as long as it said:
/// corrupt.
class ItemBody final : public BodySource {
public:
    ItemBody(std::string prefix, std::shared_ptr<transport::ItemReader> item, std::string suffix,
             transport::BeforeCommit before_commit = {});

    std::uint64_t size() const override;
    awaitable<Result<std::span<std::byte const>>> next() override;
    void rewind() override;

private:
    enum class Part { prefix, item, suffix, end };

    std::string const prefix_;
    std::shared_ptr<transport::ItemReader> const item_;
    std::string const suffix_;
    transport::BeforeCommit const before_commit_;
    Part part_ = Part::prefix;
    Base64Encoder encoder_;
    std::uint64_t bytes_read_ = 0;
    std::span<std::byte const> unencoded_;  ///< Of the reader's last piece.
    std::string text_;                      ///< The piece that was handed out last.
};

/// `text` as a JSON string with its quotes. `text` is UTF-8.
std::string json_quoted(std::string_view text);

}  // namespace mailferry::http
