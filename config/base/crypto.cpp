#include "config/base/crypto.hpp"

#include "config/base/assert.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>

namespace mailferry {
namespace {

unsigned char const* octets(std::string_view bytes) {
    return reinterpret_cast<unsigned char const*>(bytes.data());
}

/// Fetched once: with EVP_sha256() each use would look its provider up.
EVP_MD const* algorithm() {
    static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    MAILFERRY_ASSERT(fetched != nullptr);
    return fetched;
}

}  // namespace

Sha256Digest sha256(std::string_view bytes) {
    Sha256Digest digest;
    auto const done = EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, algorithm(),
                                 nullptr);
    MAILFERRY_ASSERT(done == 1);
    return digest;
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    MAILFERRY_ASSERT(context_ != nullptr);
    MAILFERRY_ASSERT(EVP_DigestInit_ex(context_.get(), algorithm(), nullptr) == 1);
}

void Sha256::update(std::string_view bytes) {
    MAILFERRY_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Sha256 Sha256::clone() const {
    Sha256 copy;
    MAILFERRY_ASSERT(EVP_MD_CTX_copy_ex(copy.context_.get(), context_.get()) == 1);
    return copy;
}

Sha256Digest Sha256::finish() {
    Sha256Digest digest;
    MAILFERRY_ASSERT(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    MAILFERRY_ASSERT(EVP_DigestInit_ex(context_.get(), algorithm(), nullptr) == 1);
    return digest;
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view bytes) {
    Sha256Digest digest;
    // A null key means "the last one" to libcrypto; an empty key is a key.
    auto const* const key_data = key.empty() ? "" : key.data();
    auto const* const done = HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()),
                                  octets(bytes), bytes.size(), digest.data(), nullptr);
    MAILFERRY_ASSERT(done != nullptr);
    return digest;
}

void hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info,
                 std::span<std::uint8_t> out) {
    MAILFERRY_ASSERT(out.size() <= 255 * sizeof(Sha256Digest));
    auto pseudo_random_key = hmac_sha256(salt, key);
    Sha256Digest block{};
    std::string input;
    for (std::size_t filled = 0, counter = 1; filled < out.size(); ++counter) {
        input.append(info).push_back(static_cast<char>(counter));
        block = hmac_sha256(view_of(pseudo_random_key), input);
        auto const count = std::min(block.size(), out.size() - filled);
        std::copy_n(block.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(filled));
        filled += count;
        OPENSSL_cleanse(input.data(), input.size());
        input.assign(view_of(block));
    }
    OPENSSL_cleanse(input.data(), input.size());
    OPENSSL_cleanse(block.data(), block.size());
    OPENSSL_cleanse(pseudo_random_key.data(), pseudo_random_key.size());
}

void random_bytes(std::span<std::uint8_t> out) {
    MAILFERRY_ASSERT(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

std::string hex(std::string_view bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (auto const c : bytes) {
        auto const byte = static_cast<unsigned char>(c);
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15]);
    }
    return text;
}

}  // namespace mailferry
