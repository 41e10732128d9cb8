#pragma once

/// The usual bodies: short texts, secrets, and what is thrown away.

#include "transport/http/message.hpp"

#include <string>

namespace mailferry::http {

class TextBody final : public BodySource {
public:
    explicit TextBody(std::string text) : text_(std::move(text)) {}
    std::uint64_t size() const override { return text_.size(); }
    awaitable<Result<std::span<std::byte const>>> next() override;
    void rewind() override { taken_ = false; }

private:
    std::string text_;
    bool taken_ = false;
};

class SecretBody final : public BodySource {
public:
    explicit SecretBody(Secret text) : text_(std::move(text)) {}
    std::uint64_t size() const override { return text_.size(); }
    awaitable<Result<std::span<std::byte const>>> next() override;
    void rewind() override { taken_ = false; }

private:
    Secret text_;
    bool taken_ = false;
};

/// Collects a body; what is beyond `bytes_max` is dropped silently (the client's own limit is the
/// one that fails).
class TextSink final : public BodySink {
public:
    explicit TextSink(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    awaitable<Result<void>> piece(std::span<std::byte const> bytes) override;
    std::string text;

private:
    std::size_t bytes_max_;
};

}  // namespace mailferry::http
