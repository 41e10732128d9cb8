#pragma once

/// Bytes that must not leave the process: passwords, tokens, keys.

#include <cstddef>
#include <span>
#include <string_view>

namespace mailferry {

/// Owns secret bytes on pages of their own, which are kept out of swap and core dumps as far as the
/// system allows (mlock may hit RLIMIT_MEMLOCK; the secret is then usable all the same) and are
/// wiped before they go back. Move-only. There is no stream or format operator and no conversion:
/// the one way to the bytes is reveal(), which a reviewer can search for.
class Secret {
public:
    Secret() = default;
    /// Copies `bytes`; the caller wipes its own copy.
    explicit Secret(std::string_view bytes);
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    Secret(Secret const&) = delete;
    Secret& operator=(Secret const&) = delete;
    ~Secret();

    /// `size` zero bytes, to be filled through writable(): nothing secret need exist elsewhere.
    static Secret zeroed(std::size_t size);
    std::span<char> writable() { return {data_, size_}; }
    /// Keeps the first `size` bytes (at most size()) and wipes the rest.
    void shrink(std::size_t size);

    /// The bytes; the view lives as long as this object and may hold any byte, NUL included.
    std::string_view reveal() const { return {data_, size_}; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

private:
    void release() noexcept;

    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t mapped_bytes_ = 0;
};

}  // namespace mailferry
