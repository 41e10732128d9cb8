#pragma once

/// Numbers and flags packed into bytes, as the ledger's blobs hold them: docs/ledger.md, "Blocks".

#include "config/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::store {

inline constexpr std::size_t checksum_bytes = 4;

/// Errc::corrupt; the caller adds where.
Error corrupt(std::string_view reason);

/// FNV-1a, 32 bits: any single damaged byte changes it.
std::uint32_t packed_checksum(std::string_view first, std::string_view second);

void put_varint(std::string& out, std::uint64_t value);
void put_fixed(std::string& out, std::uint64_t value, std::size_t bytes);
void put_flags(std::string& out, std::span<std::string const> flags);

/// The difference as a small number whichever its sign; wraps, so that every pair of values works.
std::uint64_t zigzag(std::uint64_t value, std::uint64_t previous);
std::uint64_t unzigzag(std::uint64_t coded, std::uint64_t previous);

/// Reads front to back. The first read beyond the end fails it for good; whoever uses the values
/// asks ok() before believing them.
class PackedReader {
public:
    explicit PackedReader(std::string_view bytes) : bytes_(bytes) {}

    bool ok() const { return ok_; }
    std::size_t left() const { return bytes_.size(); }
    std::string_view take(std::uint64_t count);
    std::uint64_t varint();
    std::uint64_t fixed(std::size_t bytes);
    std::vector<std::string> flags();

private:
    std::string_view fail();

    std::string_view bytes_;
    bool ok_ = true;
};

}  // namespace mailferry::store
