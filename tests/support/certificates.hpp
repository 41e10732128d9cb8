#pragma once

/// Keys and self-signed certificates for tests, made on the spot: no key lies in the repository.

#include <gtest/gtest.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>
#include <string>

namespace mailferry {

using TestKey = std::shared_ptr<EVP_PKEY>;

inline TestKey make_rsa_key(unsigned bits = 2048) { return {EVP_RSA_gen(bits), EVP_PKEY_free}; }

inline TestKey make_elliptic_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

template <class Write>
std::string written_to_memory(Write write) {
    std::unique_ptr<BIO, decltype(&BIO_free_all)> const bio(BIO_new(BIO_s_mem()), BIO_free_all);
    EXPECT_EQ(write(bio.get()), 1);
    char* bytes = nullptr;
    auto const size = BIO_get_mem_data(bio.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

/// PKCS#8 in PEM; encrypted if there is a passphrase.
inline std::string key_pem(TestKey const& key, std::string passphrase = {}) {
    return written_to_memory([&](BIO* bio) {
        if (passphrase.empty())
            return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), EVP_aes_256_cbc(), passphrase.data(),
                                             static_cast<int>(passphrase.size()), nullptr, nullptr);
    });
}

/// Self-signed; `names` ("DNS:localhost,IP:127.0.0.1") are what a TLS client compares, null: none.
inline std::string certificate_pem(TestKey const& key, std::chrono::sys_seconds not_before,
                                   std::chrono::sys_seconds not_after,
                                   char const* names = nullptr) {
    std::unique_ptr<X509, decltype(&X509_free)> const x509(X509_new(), X509_free);
    X509_set_version(x509.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    ASN1_TIME_set(X509_getm_notBefore(x509.get()), not_before.time_since_epoch().count());
    ASN1_TIME_set(X509_getm_notAfter(x509.get()), not_after.time_since_epoch().count());
    X509_set_pubkey(x509.get(), key.get());
    auto* const name = X509_get_subject_name(x509.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<unsigned char const*>("mailferry"), -1, -1, 0);
    X509_set_issuer_name(x509.get(), name);
    if (names != nullptr) {
        std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> const extension(
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names),
            X509_EXTENSION_free);
        X509_add_ext(x509.get(), extension.get(), -1);
    }
    EXPECT_GT(X509_sign(x509.get(), key.get(), EVP_sha256()), 0);
    return written_to_memory([&](BIO* bio) { return PEM_write_bio_X509(bio, x509.get()); });
}

/// As PEM.
struct TestCertificate {
    std::string certificate, key;
};

/// For `names`, valid from and to so many seconds from now.
inline TestCertificate make_certificate(TestKey const& key, char const* names, long from_s = -60,
                                        long to_s = 3'600) {
    auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return {certificate_pem(key, now + std::chrono::seconds(from_s),
                            now + std::chrono::seconds(to_s), names),
            key_pem(key)};
}

}  // namespace mailferry
