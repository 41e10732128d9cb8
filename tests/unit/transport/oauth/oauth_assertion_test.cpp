#include "transport/auth/oauth_assertion.hpp"

#include "tests/support/certificates.hpp"
#include "transport/auth/sasl.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/err.h>

#include <algorithm>

namespace mailferry::oauth {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TestCertificate const& rsa_pair() {
    static auto const pair = make_certificate(make_rsa_key(2'048), "DNS:app");
    return pair;
}

std::string from_base64url(std::string text) {
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    while (text.size() % 4 != 0) text += '=';
    return transport::base64_decode(text).value_or("not base64");
}

/// By the certificate's public key alone, as the service does it.
bool verify_ps256(std::string const& certificate_pem, std::string const& text,
                  std::string const& signature) {
    auto* const bio = BIO_new_mem_buf(certificate_pem.data(), -1);
    auto* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    auto* const key = X509_get0_pubkey(certificate);
    auto* const context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* settings = nullptr;
    EVP_DigestVerifyInit(context, &settings, EVP_sha256(), nullptr, key);
    EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, 32);
    EVP_PKEY_CTX_set_rsa_mgf1_md(settings, EVP_sha256());
    auto const good = EVP_DigestVerify(
        context, reinterpret_cast<unsigned char const*>(signature.data()), signature.size(),
        reinterpret_cast<unsigned char const*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    X509_free(certificate);
    BIO_free(bio);
    return good == 1;
}

std::string x5t_of(std::string const& certificate_pem) {
    auto* const bio = BIO_new_mem_buf(certificate_pem.data(), -1);
    auto* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    std::string digest(32, '\0');
    X509_digest(certificate, EVP_sha256(), reinterpret_cast<unsigned char*>(digest.data()),
                nullptr);
    X509_free(certificate);
    BIO_free(bio);
    return digest;
}

TEST(OauthAssertionTest, ThePublicKeyConfirmsIt) {
    auto const& pair = rsa_pair();
    auto const loaded = AppCertificate::load(pair.certificate, Secret(pair.key));
    ASSERT_TRUE(loaded) << loaded.error().describe();
    std::chrono::sys_seconds const now{std::chrono::seconds(1'800'000'000)};
    auto const token = (*loaded)->sign("https://login.example/t/oauth2/v2.0/token", "client", now);
    auto const text = std::string(token.reveal());
    auto const first = text.find('.'), second = text.rfind('.');
    ASSERT_NE(first, second);
    EXPECT_EQ(text.find('='), text.npos);

    EXPECT_TRUE(verify_ps256(pair.certificate, text.substr(0, second),
                             from_base64url(text.substr(second + 1))));
    EXPECT_FALSE(verify_ps256(pair.certificate, text.substr(0, second) + "x",
                              from_base64url(text.substr(second + 1))));

    auto const header = from_base64url(text.substr(0, first));
    EXPECT_THAT(header,
                MatchesRegex(R"(\{"alg":"PS256","typ":"JWT","x5t#S256":"[-_A-Za-z0-9]{43}"\})"));
    auto const x5t = header.substr(header.rfind(':') + 2, 43);
    EXPECT_EQ(from_base64url(x5t), x5t_of(pair.certificate));

    EXPECT_THAT(from_base64url(text.substr(first + 1, second - first - 1)),
                MatchesRegex(R"(\{"aud":"https://login\.example/t/oauth2/v2\.0/token",)"
                             R"("iss":"client","sub":"client","jti":"[-0-9a-f]{36}",)"
                             R"("nbf":1800000000,"iat":1800000000,"exp":1800000600\})"));
    auto const other = (*loaded)->sign("a", "client", now);
    EXPECT_NE(other.reveal(), (*loaded)->sign("a", "client", now).reveal()) << "a fresh jti";
}

TEST(OauthAssertionTest, WhatTheOperatorSeesOfIt) {
    auto const& pair = rsa_pair();
    auto const loaded = AppCertificate::load(pair.certificate, Secret(pair.key));
    ASSERT_TRUE(loaded);
    EXPECT_THAT((*loaded)->thumbprint(), MatchesRegex("[0-9A-F]{40}"));
    auto const left = (*loaded)->not_after() - std::chrono::system_clock::now();
    EXPECT_GT(left, std::chrono::minutes(50));
    EXPECT_LT(left, std::chrono::minutes(61));
}

TEST(OauthAssertionTest, WhatCantBeUsedSaysWhy) {
    auto const& pair = rsa_pair();
    auto const other = make_certificate(make_rsa_key(2'048), "DNS:app");
    auto const elliptic = make_certificate(make_elliptic_key(), "DNS:app");
    auto const small = make_certificate(make_rsa_key(1'024), "DNS:app");
    auto const locked = key_pem(make_rsa_key(), "word");
    struct {
        std::string certificate, key;
        char const* reason;
    } const cases[] = {
        {"", pair.key, "no certificate in PEM form"},
        {pair.key, pair.key, "no certificate in PEM form"},
        {pair.certificate, "", "no private key"},
        {pair.certificate, "rubbish", "no private key"},
        {pair.certificate, locked, "behind a passphrase"},
        {pair.certificate, other.key, "isn't the one of this certificate"},
        {elliptic.certificate, elliptic.key, "isn't an RSA key"},
        {small.certificate, small.key, "fewer than 2048 bits"},
    };
    for (auto const& c : cases) {
        auto const loaded = AppCertificate::load(c.certificate, Secret(c.key));
        ASSERT_FALSE(loaded) << c.reason;
        EXPECT_EQ(loaded.error().code, Errc::invalid_config);
        EXPECT_THAT(loaded.error().context, HasSubstr(c.reason));
        EXPECT_EQ(ERR_peek_error(), 0u) << "TLS would stumble over it";
    }
}

}  // namespace
}  // namespace mailferry::oauth
