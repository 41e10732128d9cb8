#pragma once

/// AES-256-GCM and the keys of the spool. A nonce must never occur twice under one key: the callers
/// count frames (FrameHeader::seq) or draw a fresh key with each nonce (key wrap).

#include "config/base/secret.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <span>

struct evp_cipher_ctx_st;

namespace mailferry::store {

inline constexpr std::size_t aead_key_bytes = 32, aead_nonce_bytes = 12, aead_tag_bytes = 16;

/// One key, with its schedule computed once for each direction. Not thread-safe.
class Aead {
public:
    using Nonce = std::array<std::byte, aead_nonce_bytes>;

    /// `key` has aead_key_bytes bytes; the caller keeps (or wipes) its own copy.
    explicit Aead(std::string_view key);

    /// Writes ciphertext and tag: `out` has plain.size() + aead_tag_bytes bytes, apart from
    /// `plain`.
    void seal(Nonce const& nonce, std::span<std::byte const> associated,
              std::span<std::byte const> plain, std::span<std::byte> out);
    /// `sealed` is ciphertext and tag; `out` has the ciphertext's size. False: forged or damaged,
    /// and `out` holds nothing that may be used.
    [[nodiscard]] bool open(Nonce const& nonce, std::span<std::byte const> associated,
                            std::span<std::byte const> sealed, std::span<std::byte> out);

private:
    struct Free {
        void operator()(evp_cipher_ctx_st* context) const;
    };
    std::unique_ptr<evp_cipher_ctx_st, Free> sealing_, opening_;
};

using WrappedKey = std::array<std::byte, aead_key_bytes + aead_tag_bytes>;
using KeyId = std::array<std::byte, 16>;

/// The key-encryption key that a master key gives for one spool, and the master key's public name.
class KeyWrap {
public:
    /// `master` has 32 bytes (store/master_key).
    KeyWrap(Secret const& master, std::span<std::byte const, 16> spool_uuid);

    KeyId const& id() const { return id_; }
    /// `nonce` is random and new for each data key.
    WrappedKey wrap(Secret const& data_key, Aead::Nonce const& nonce,
                    std::span<std::byte const> associated);
    /// Empty: the wrap is damaged or was made by another key.
    Secret unwrap(WrappedKey const& wrapped, Aead::Nonce const& nonce,
                  std::span<std::byte const> associated);

private:
    Aead key_;
    KeyId id_;
};

}  // namespace mailferry::store
