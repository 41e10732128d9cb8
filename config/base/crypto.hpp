#pragma once

/// The plain primitives of libcrypto behind plain values. None of them can fail for a reason that a
/// caller could cure (no memory, no provider, no randomness), so a failure stops the program.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace mailferry {

using Sha256Digest = std::array<std::uint8_t, 32>;

Sha256Digest sha256(std::string_view bytes);

/// The same digest for bytes that come in pieces.
class Sha256 {
public:
    Sha256();
    void update(std::string_view bytes);
    /// An independent digest that has seen the same bytes so far.
    Sha256 clone() const;
    /// The digest of everything since the start or the last finish(); then starts afresh.
    Sha256Digest finish();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Sha256Digest hmac_sha256(std::string_view key, std::string_view bytes);

/// RFC 5869, extract and expand. Fills all of `out` (at most 255 * 32 bytes). One `info` per
/// purpose, so that keys of different purposes are independent.
void hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info,
                 std::span<std::uint8_t> out);

/// Fills `out` from the system's cryptographic generator.
void random_bytes(std::span<std::uint8_t> out);

/// The bytes behind `bytes` as the other functions take them.
inline std::string_view view_of(std::span<std::uint8_t const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// Lower-case hexadecimal digits, two a byte.
std::string hex(std::string_view bytes);
inline std::string hex(std::span<std::uint8_t const> bytes) { return hex(view_of(bytes)); }

}  // namespace mailferry
