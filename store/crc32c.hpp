#pragma once

/// CRC-32C (Castagnoli, RFC 3720 B.4): with the processor's instruction where it has one.

#include <cstddef>
#include <cstdint>
#include <span>

namespace mailferry::store {

/// crc32c(b, crc32c(a)) is the sum of a followed by b.
std::uint32_t crc32c(std::span<std::byte const> bytes, std::uint32_t before = 0);

/// The same by table; for processors without SSE 4.2, and for the test that compares the two.
std::uint32_t crc32c_by_table(std::span<std::byte const> bytes, std::uint32_t before = 0);

}  // namespace mailferry::store
