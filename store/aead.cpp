#include "store/aead.hpp"

#include "config/base/assert.hpp"
#include "config/base/crypto.hpp"
#include "store/little_endian.hpp"

#include <openssl/evp.h>

#include <cstring>
#include <string>

namespace mailferry::store {
namespace {

unsigned char const* octets(std::byte const* bytes) {
    return reinterpret_cast<unsigned char const*>(bytes);
}
unsigned char* octets(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

std::span<std::uint8_t> octets_of(Secret& secret) {
    auto const bytes = secret.writable();
    return {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

Aead key_encryption_key(Secret const& master, std::span<std::byte const, 16> spool_uuid) {
    auto key = Secret::zeroed(aead_key_bytes);
    hkdf_sha256(master.reveal(), text_of(spool_uuid), "mailferry kek v1", octets_of(key));
    return Aead(key.reveal());
}

KeyId key_id_of(Secret const& master) {
    std::array<std::uint8_t, 32> public_part;
    hkdf_sha256(master.reveal(), {}, "kid", public_part);
    auto const digest = sha256(std::string("mailferry kid").append(view_of(public_part)));
    KeyId id;
    std::memcpy(id.data(), digest.data(), id.size());
    return id;
}

}  // namespace

void Aead::Free::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }

Aead::Aead(std::string_view key) : sealing_(EVP_CIPHER_CTX_new()), opening_(EVP_CIPHER_CTX_new()) {
    MAILFERRY_ASSERT(key.size() == aead_key_bytes);
    MAILFERRY_ASSERT(sealing_ != nullptr && opening_ != nullptr);
    auto const* const bytes = reinterpret_cast<unsigned char const*>(key.data());
    auto const* const cipher = EVP_aes_256_gcm();
    MAILFERRY_ASSERT(EVP_EncryptInit_ex(sealing_.get(), cipher, nullptr, bytes, nullptr) == 1);
    MAILFERRY_ASSERT(EVP_DecryptInit_ex(opening_.get(), cipher, nullptr, bytes, nullptr) == 1);
}

void Aead::seal(Nonce const& nonce, std::span<std::byte const> associated,
                std::span<std::byte const> plain, std::span<std::byte> out) {
    MAILFERRY_ASSERT(out.size() == plain.size() + aead_tag_bytes);
    auto* const context = sealing_.get();
    int count = 0;
    auto good = EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, octets(nonce.data())) == 1 &&
                EVP_EncryptUpdate(context, nullptr, &count, octets(associated.data()),
                                  static_cast<int>(associated.size())) == 1;
    if (!plain.empty())
        good = good && EVP_EncryptUpdate(context, octets(out.data()), &count, octets(plain.data()),
                                         static_cast<int>(plain.size())) == 1;
    auto* const tag = octets(out.data() + plain.size());
    good = good && EVP_EncryptFinal_ex(context, tag, &count) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, aead_tag_bytes, tag) == 1;
    // There is no input for which AES-GCM can fail: a failure here means no memory or no provider.
    MAILFERRY_ASSERT(good);
}

bool Aead::open(Nonce const& nonce, std::span<std::byte const> associated,
                std::span<std::byte const> sealed, std::span<std::byte> out) {
    if (sealed.size() < aead_tag_bytes) return false;
    auto const cipher = sealed.first(sealed.size() - aead_tag_bytes);
    MAILFERRY_ASSERT(out.size() == cipher.size());
    std::array<unsigned char, aead_tag_bytes> tag;
    std::memcpy(tag.data(), sealed.data() + cipher.size(), tag.size());
    auto* const context = opening_.get();
    int count = 0;
    auto good = EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, octets(nonce.data())) == 1 &&
                EVP_DecryptUpdate(context, nullptr, &count, octets(associated.data()),
                                  static_cast<int>(associated.size())) == 1;
    if (!cipher.empty())
        good = good && EVP_DecryptUpdate(context, octets(out.data()), &count, octets(cipher.data()),
                                         static_cast<int>(cipher.size())) == 1;
    MAILFERRY_ASSERT(good);
    MAILFERRY_ASSERT(
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, aead_tag_bytes, tag.data()) == 1);
    return EVP_DecryptFinal_ex(context, tag.data(), &count) == 1;
}

KeyWrap::KeyWrap(Secret const& master, std::span<std::byte const, 16> spool_uuid)
    : key_(key_encryption_key(master, spool_uuid)), id_(key_id_of(master)) {}

WrappedKey KeyWrap::wrap(Secret const& data_key, Aead::Nonce const& nonce,
                         std::span<std::byte const> associated) {
    WrappedKey wrapped;
    key_.seal(nonce, associated, bytes_of(data_key.reveal()), wrapped);
    return wrapped;
}

Secret KeyWrap::unwrap(WrappedKey const& wrapped, Aead::Nonce const& nonce,
                       std::span<std::byte const> associated) {
    auto key = Secret::zeroed(aead_key_bytes);
    if (!key_.open(nonce, associated, wrapped, std::as_writable_bytes(key.writable()))) return {};
    return key;
}

}  // namespace mailferry::store
