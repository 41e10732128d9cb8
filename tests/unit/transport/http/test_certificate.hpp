#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <functional>
#include <string>

namespace mailferry::http::test {

/// As PEM.
struct TestCertificate {
    std::string certificate, key;
};

inline std::string pem(std::function<int(BIO*)> const& write) {
    auto* const bio = BIO_new(BIO_s_mem());
    write(bio);
    char* data = nullptr;
    auto const size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

/// Self-signed for `names` ("DNS:localhost"), valid from and to so many seconds from now. Takes
/// the key over.
inline TestCertificate make_certificate(EVP_PKEY* key, char const* names, long from_s = -60,
                                        long to_s = 3'600) {
    auto* const certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), to_s);
    X509_set_pubkey(certificate, key);
    auto* const subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<unsigned char const*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    auto* const extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, const_cast<char*>(names));
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate, key, EVP_sha256());
    TestCertificate made{
        pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); }), pem([&](BIO* bio) {
            return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
        })};
    X509_free(certificate);
    EVP_PKEY_free(key);
    return made;
}

}  // namespace mailferry::http::test
