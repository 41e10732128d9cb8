#pragma once

/// Base64 (RFC 4648, standard alphabet with padding) for bytes that come in pieces of any size. For
/// short texts see transport/auth/sasl.hpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::http {

/// Length of the text for so many bytes.
constexpr std::uint64_t base64_size(std::uint64_t bytes) { return (bytes + 2) / 3 * 4; }

class Base64Encoder {
public:
    /// Appends to `out` what is complete.
    void write(std::span<std::byte const> bytes, std::string& out);
    /// Appends the rest with its padding; then a new text may begin.
    void finish(std::string& out);

private:
    std::array<std::byte, 3> held_{};
    std::size_t held_count_ = 0;
};

/// Strict: no blanks, no line ends, padding required and in its place, no bits left over.
class Base64Decoder {
public:
    /// Appends to `out` what is complete. False at the first fault; then it is of no more use
    /// until reset().
    [[nodiscard]] bool write(std::string_view text, std::vector<std::byte>& out);
    /// Whether the text may end here; then a new one may begin.
    [[nodiscard]] bool finish();
    void reset() { *this = Base64Decoder(); }

private:
    bool take(unsigned char c, std::vector<std::byte>& out);
    std::uint32_t bits_ = 0;
    int count_ = 0;    ///< Characters of the present group of four, padding included.
    int padding_ = 0;  ///< Of them, `=`.
    bool bad_ = false;
};

/// Without padding, in the alphabet of URLs (RFC 4648 5), as JSON web tokens want it.
std::string base64url(std::string_view bytes);

}  // namespace mailferry::http
