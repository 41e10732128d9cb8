#pragma once

/// COMPRESS=DEFLATE (RFC 4978): a stream of raw deflate data inside another stream.

#include "transport/stream/stream.hpp"

#include <array>
#include <memory>
#include <string>

struct z_stream_s;

namespace mailferry::transport {

/// Owns the stream below. Buffers are bounded: inflating stops when the caller's buffer is full,
/// however well the peer's bytes are packed. Each write_all() is flushed to the peer.
class DeflateStream final : public Stream {
public:
    /// `received`: bytes behind the server's OK, already compressed.
    DeflateStream(std::unique_ptr<Stream> below, std::string_view received);
    ~DeflateStream() override;

    awaitable<Result<std::size_t>> read_some(std::span<std::byte> buffer) override;
    awaitable<Result<void>> write_all(std::span<std::byte const> bytes) override;
    /// TLS comes below compression or not at all: unsupported.
    awaitable<Result<void>> start_tls() override;
    void watch_idle(bool on) override { below_->watch_idle(on); }
    void acknowledge_at_once() override { below_->acknowledge_at_once(); }
    void cut() override { below_->cut(); }
    std::chrono::steady_clock::time_point last_activity() const override {
        return below_->last_activity();
    }

private:
    std::unique_ptr<Stream> below_;
    std::unique_ptr<z_stream_s> inflate_, deflate_;
    std::string early_;  ///< `received`, until it is inflated.
    std::array<std::byte, 16 * 1024> packed_in_, packed_out_;
    bool ended_ = false;
};

}  // namespace mailferry::transport
