#pragma once

/// Integers as they stand in files: least significant byte first, at any alignment.

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

namespace mailferry::store {

template <std::unsigned_integral T>
void store_le(std::byte* to, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
        to[i] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
}

template <std::unsigned_integral T>
T load_le(std::byte const* from) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        value = static_cast<T>(value | static_cast<T>(static_cast<T>(from[i]) << (8 * i)));
    return value;
}

/// The bytes as config/base/crypto takes them.
inline std::string_view text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}
inline std::span<std::byte const> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

}  // namespace mailferry::store
