#include "config/base/certificate.hpp"

#include "config/base/assert.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <optional>

namespace mailferry {
namespace {

constexpr int key_bits_min = 2048;

template <auto free>
struct Free {
    template <class T>
    void operator()(T* object) const {
        free(object);
    }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using X509Pointer = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

Error refusal(std::string reason) { return {Errc::invalid_config, std::move(reason)}; }

/// A view of memory that must outlive it; nothing is copied.
Bio reader_of(std::string_view bytes) {
    auto const* const data = bytes.empty() ? "" : bytes.data();  // A null pointer is refused.
    Bio bio(BIO_new_mem_buf(data, static_cast<int>(bytes.size())));
    MAILFERRY_ASSERT(bio != nullptr);
    return bio;
}

/// Answers no passphrase, and remembers that one was asked for. libcrypto would ask the terminal.
int refuse_passphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

std::optional<std::chrono::sys_seconds> instant_of(ASN1_TIME const* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
    auto const day = std::chrono::year(parts.tm_year + 1900) /
                     std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)) /
                     std::chrono::day(static_cast<unsigned>(parts.tm_mday));
    return std::chrono::sys_days(day) + std::chrono::hours(parts.tm_hour) +
           std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec);
}

}  // namespace

Result<Certificate> parse_certificate(std::string_view pem) {
    auto const bio = reader_of(pem);
    bool passphrase_asked = false;
    X509Pointer const x509(
        PEM_read_bio_X509(bio.get(), nullptr, refuse_passphrase, &passphrase_asked));
    ERR_clear_error();
    if (!x509)
        return refusal(
            "holds no PEM certificate (-----BEGIN CERTIFICATE-----); convert a .cer in "
            "DER form with: openssl x509 -inform DER -in FILE -out FILE.pem");
    unsigned char* octets = nullptr;
    auto const size = i2d_X509(x509.get(), &octets);
    MAILFERRY_ASSERT(size > 0);
    Certificate certificate;
    certificate.der.assign(reinterpret_cast<char const*>(octets), static_cast<std::size_t>(size));
    OPENSSL_free(octets);
    auto const not_before = instant_of(X509_get0_notBefore(x509.get()));
    auto const not_after = instant_of(X509_get0_notAfter(x509.get()));
    if (!not_before || !not_after) return refusal("has no readable dates of validity");
    certificate.not_before = *not_before;
    certificate.not_after = *not_after;
    return certificate;
}

Result<void> check_key_of(Certificate const& certificate, Secret const& key_pem) {
    auto const bio = reader_of(key_pem.reveal());
    bool passphrase_asked = false;
    Key const key(
        PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &passphrase_asked));
    ERR_clear_error();
    if (passphrase_asked)
        return refusal(
            "the key is encrypted with a passphrase; take that off with: openssl pkey "
            "-in FILE -out FILE.plain, and keep the result in mode 0600");
    if (!key) return refusal("holds no PEM private key (-----BEGIN PRIVATE KEY-----)");
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
        return refusal("the key is no RSA key; sign-in with a certificate needs one");
    if (auto const bits = EVP_PKEY_get_bits(key.get()); bits < key_bits_min)
        return refusal("the RSA key has " + std::to_string(bits) + " bits; at least " +
                       std::to_string(key_bits_min) + " are needed");
    auto const* octets = reinterpret_cast<unsigned char const*>(certificate.der.data());
    X509Pointer const x509(d2i_X509(nullptr, &octets, static_cast<long>(certificate.der.size())));
    MAILFERRY_ASSERT(x509 != nullptr);
    auto* const public_key = X509_get0_pubkey(x509.get());
    bool const same = public_key != nullptr && EVP_PKEY_eq(public_key, key.get()) == 1;
    ERR_clear_error();
    if (!same) return refusal("the key is another one than the certificate's");
    return {};
}

}  // namespace mailferry
