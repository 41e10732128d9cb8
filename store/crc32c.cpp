#include "store/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace mailferry::store {
namespace {

constexpr std::uint32_t reversed_polynomial = 0x82F63B78;

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        auto sum = i;
        for (int bit = 0; bit < 8; ++bit)
            sum = (sum >> 1) ^ ((sum & 1) != 0 ? reversed_polynomial : 0);
        table[i] = sum;
    }
    return table;
}

constexpr auto table = make_table();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(
    std::span<std::byte const> bytes, std::uint32_t before) {
    std::uint64_t sum = ~before;
    auto const* at = bytes.data();
    auto left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, sizeof word);
        sum = _mm_crc32_u64(sum, word);
    }
    auto narrow = static_cast<std::uint32_t>(sum);
    for (; left > 0; ++at, --left) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*at));
    return ~narrow;
}
#endif

}  // namespace

std::uint32_t crc32c_by_table(std::span<std::byte const> bytes, std::uint32_t before) {
    auto sum = ~before;
    for (auto const byte : bytes)
        sum = (sum >> 8) ^ table[(sum ^ static_cast<std::uint32_t>(byte)) & 0xFF];
    return ~sum;
}

std::uint32_t crc32c(std::span<std::byte const> bytes, std::uint32_t before) {
#if defined(__x86_64__)
    static bool const has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction) return crc32c_by_instruction(bytes, before);
#endif
    return crc32c_by_table(bytes, before);
}

}  // namespace mailferry::store
