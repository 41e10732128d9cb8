#include "transport/auth/oauth_assertion.hpp"

#include "config/base/assert.hpp"
#include "config/base/crypto.hpp"
#include "transport/http/base64.hpp"
#include "transport/http/item_body.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>
#include <vector>

namespace mailferry::oauth {
namespace {

constexpr int key_bits_min = 2'048;
constexpr std::chrono::minutes assertion_life{10};

struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> reader_of(std::string_view text) {
    return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Instead of libcrypto's own, which would ask at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Error bad(std::string reason) {
    // What stays in the thread's queue would be taken for a TLS failure later.
    ERR_clear_error();
    return {Errc::invalid_config, std::move(reason)};
}

std::string digest_of(X509* certificate, EVP_MD const* algorithm) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    MAILFERRY_ASSERT(X509_digest(certificate, algorithm, digest.data(), &size) == 1);
    return {reinterpret_cast<char const*>(digest.data()), size};
}

std::string upper(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'f') c = static_cast<char>(c - ('a' - 'A'));
    return text;
}

std::string fresh_guid() {
    std::array<std::uint8_t, 16> bytes;
    random_bytes(bytes);
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);  // RFC 9562: version 4,
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);  // variant 1.
    auto text = hex(bytes);
    for (std::size_t const at : {8u, 13u, 18u, 23u}) text.insert(at, "-");
    return text;
}

std::string sign_ps256(EVP_PKEY* key, std::string_view text) {
    Owned<EVP_MD_CTX> const context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    auto const* const octets = reinterpret_cast<unsigned char const*>(text.data());
    std::size_t size = 0;
    MAILFERRY_ASSERT(EVP_DigestSignInit(context.get(), &settings, EVP_sha256(), nullptr, key) == 1);
    MAILFERRY_ASSERT(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1);
    MAILFERRY_ASSERT(EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1);
    MAILFERRY_ASSERT(EVP_DigestSign(context.get(), nullptr, &size, octets, text.size()) == 1);
    std::string signature(size, '\0');
    MAILFERRY_ASSERT(EVP_DigestSign(context.get(),
                                    reinterpret_cast<unsigned char*>(signature.data()), &size,
                                    octets, text.size()) == 1);
    signature.resize(size);
    return signature;
}

}  // namespace

struct AppCertificate::Impl {
    Owned<EVP_PKEY> key;
    std::string sha256;  ///< Of the certificate's DER, as base64url.
    std::string thumbprint;
    std::chrono::sys_seconds not_after;
};

AppCertificate::AppCertificate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AppCertificate::~AppCertificate() = default;

Result<std::shared_ptr<AppCertificate const>> AppCertificate::load(std::string_view certificate_pem,
                                                                   Secret const& key_pem) {
    auto const certificate_reader = reader_of(certificate_pem);
    Owned<X509> const certificate(
        PEM_read_bio_X509(certificate_reader.get(), nullptr, &no_passphrase, nullptr));
    if (!certificate) return bad("no certificate in PEM form (BEGIN CERTIFICATE) can be read");
    auto const key_reader = reader_of(key_pem.reveal());
    Owned<EVP_PKEY> key(
        PEM_read_bio_PrivateKey(key_reader.get(), nullptr, &no_passphrase, nullptr));
    if (!key && key_pem.reveal().find("ENCRYPTED") != std::string_view::npos)
        return bad("the key is behind a passphrase; give it without one, as a credential");
    if (!key) return bad("no private key in PEM form can be read");
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
        return bad("the key isn't an RSA key, and Microsoft takes no other");
    if (EVP_PKEY_get_bits(key.get()) < key_bits_min)
        return bad("the key has fewer than 2048 bits; make a new pair");
    if (X509_check_private_key(certificate.get(), key.get()) != 1)
        return bad("the key isn't the one of this certificate");
    auto impl = std::make_unique<Impl>();
    impl->key = std::move(key);
    impl->sha256 = http::base64url(digest_of(certificate.get(), EVP_sha256()));
    impl->thumbprint = upper(hex(digest_of(certificate.get(), EVP_sha1())));
    std::tm time{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &time) != 1)
        return bad("the certificate's end can't be read");
    impl->not_after = std::chrono::sys_seconds(std::chrono::seconds(::timegm(&time)));
    return std::shared_ptr<AppCertificate const>(new AppCertificate(std::move(impl)));
}

Secret AppCertificate::sign(std::string_view audience, std::string_view client_id,
                            std::chrono::sys_seconds now) const {
    auto const from = std::to_string(now.time_since_epoch().count());
    auto const until = std::to_string((now + assertion_life).time_since_epoch().count());
    auto const id = http::json_quoted(client_id);
    auto const header = R"({"alg":"PS256","typ":"JWT","x5t#S256":")" + impl_->sha256 + R"("})";
    auto const claims = R"({"aud":)" + http::json_quoted(audience) + R"(,"iss":)" + id +
                        R"(,"sub":)" + id + R"(,"jti":")" + fresh_guid() + R"(","nbf":)" + from +
                        R"(,"iat":)" + from + R"(,"exp":)" + until + "}";
    auto const signed_part = http::base64url(header) + "." + http::base64url(claims);
    return Secret(signed_part + "." + http::base64url(sign_ps256(impl_->key.get(), signed_part)));
}

std::chrono::sys_seconds AppCertificate::not_after() const { return impl_->not_after; }

std::string const& AppCertificate::thumbprint() const { return impl_->thumbprint; }

}  // namespace mailferry::oauth
