#pragma once

/// gzip (RFC 1952), unpacked as it comes.

#include "config/base/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

struct z_stream_s;

namespace mailferry::http {

/// Sans-io. After write(), call next() until it yields nothing; the input stays valid until then.
/// One member or several in a row. What unpacks to more than `ratio_max` times its own size (beyond
/// a first MiB) is a bomb. Errors are protocol_error; then it is of no more use.
class Gunzip {
public:
    explicit Gunzip(std::uint64_t ratio_max = 200);
    ~Gunzip();
    Gunzip(Gunzip const&) = delete;
    Gunzip& operator=(Gunzip const&) = delete;

    void write(std::span<std::byte const> packed);
    /// At least one byte, valid until the next call; nothing: more input is wanted.
    Result<std::optional<std::span<std::byte const>>> next();
    /// Whether the input may end here: behind a whole member, or before any.
    bool complete() const { return at_boundary_; }
    /// Wipes what was unpacked last.
    void wipe();

private:
    std::uint64_t const ratio_max_;
    std::unique_ptr<z_stream_s> inflate_;
    std::array<std::byte, 32 * 1024> unpacked_{};
    std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
    bool at_boundary_ = true;
};

}  // namespace mailferry::http
