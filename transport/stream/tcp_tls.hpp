#pragma once

/// TCP connections with TLS: the only door to libssl.

#include "config/types.hpp"
#include "transport/stream/stream.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace mailferry::transport {

/// What TLS connections of one tenant share: the trusted certificates, read once. TLS 1.2 or later
/// with AEAD suites; no compression, no renegotiation. Chain and host name are always checked.
class TlsContext {
public:
    /// `ca_file`: PEM, instead of the system's store; empty: the system's store. invalid_config if
    /// it can't be read.
    static Result<std::shared_ptr<TlsContext const>> make(std::filesystem::path const& ca_file);
    ~TlsContext();

    struct Impl;
    Impl& impl() const { return *impl_; }
    std::filesystem::path const& ca_file() const { return ca_file_; }

private:
    TlsContext(std::unique_ptr<Impl> impl, std::filesystem::path ca_file);
    std::unique_ptr<Impl> impl_;
    std::filesystem::path ca_file_;
};

/// A proxy to connect to instead of the host itself.
struct Via {
    std::string host;
    std::uint16_t port = 0;
};

struct StreamOptions {
    std::string host;  ///< Its name is what TLS checks, also behind a proxy.
    std::uint16_t port = 0;
    std::optional<Via> via;
    std::chrono::milliseconds connect_limit{20'000};  ///< Name, TCP and TLS together.
    std::chrono::milliseconds idle_limit{120'000};
    std::shared_ptr<TlsContext const> tls;  ///< May be null if TLS is never asked for.
};

/// Connects, and with config::Tls::implicit also makes the TLS handshake. The stream's start_tls()
/// serves STARTTLS, within another `connect_limit`. Errors: unreachable and timed_out as dial();
/// tls_failed says what is wrong with the certificate and what cures it; connection_lost if the
/// peer leaves in the midst of the handshake.
awaitable<Result<std::unique_ptr<Stream>>> connect_stream(StreamOptions options, config::Tls tls);

}  // namespace mailferry::transport
