#pragma once

/// A connection as the protocols see it: bytes in order, both ways, whatever carries them.

#include "async/asio.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace mailferry::transport {

/// Runs on one executor (one thread). One read and one write may be under way at a time, each
/// independent of the other. After an error both directions are dead: cut() and drop the stream.
/// Cancellation is terminal, too: part of the bytes may have gone out.
class Stream {
public:
    virtual ~Stream() = default;

    /// At least one byte into `buffer` (which outlives the call); 0 at the end of the stream.
    virtual awaitable<Result<std::size_t>> read_some(std::span<std::byte> buffer) = 0;

    /// Resolves when the kernel has taken all of `bytes`, which outlive the call.
    virtual awaitable<Result<void>> write_all(std::span<std::byte const> bytes) = 0;

    /// From plain text to TLS (STARTTLS) on the same connection. The caller has made sure that it
    /// holds no byte that came before. Not while a read or write is under way.
    virtual awaitable<Result<void>> start_tls() = 0;

    /// Whether silence counts: while true, reads and writes fail with timed_out when no byte has
    /// moved in either direction for the idle limit. Switching it on starts the time afresh.
    virtual void watch_idle(bool on) = 0;

    /// Acknowledge every packet at once: for peers that wait for it before they send the next.
    virtual void acknowledge_at_once() {}

    /// Ends the connection without ceremony; calls under way fail with connection_lost.
    virtual void cut() = 0;

    virtual std::chrono::steady_clock::time_point last_activity() const = 0;
};

inline std::span<std::byte const> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace mailferry::transport
