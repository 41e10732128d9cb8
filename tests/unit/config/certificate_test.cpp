#include "config/base/certificate.hpp"

#include "tests/support/certificates.hpp"

#include <gmock/gmock.h>

namespace mailferry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::chrono::sys_seconds from = std::chrono::sys_days(2026y / 1 / 31) + 7h;
constexpr std::chrono::sys_seconds until =
    std::chrono::sys_days(2028y / 2 / 29) + 23h + 59min + 58s;

TEST(CertificateTest, DatesAndBytesAreRead) {
    auto const key = make_rsa_key();
    auto const pem = certificate_pem(key, from, until);
    auto const certificate = parse_certificate("# a comment before it\n" + pem + key_pem(key));
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->not_before, from);
    EXPECT_EQ(certificate->not_after, until);
    EXPECT_EQ(certificate->der.substr(0, 2), "\x30\x82");
    EXPECT_TRUE(check_key_of(*certificate, Secret(key_pem(key))));
    EXPECT_TRUE(check_key_of(*certificate, Secret(pem + key_pem(key))));
}

TEST(CertificateTest, WhatIsNoCertificate) {
    auto const key = make_rsa_key();
    auto const pem = certificate_pem(key, from, until);
    for (auto const& bytes :
         {std::string(), std::string("\x30\x82\x00", 3), key_pem(key), pem.substr(0, 200)}) {
        auto const certificate = parse_certificate(bytes);
        ASSERT_FALSE(certificate);
        EXPECT_EQ(certificate.error().code, Errc::invalid_config);
        EXPECT_THAT(certificate.error().context, HasSubstr("openssl x509 -inform DER"));
    }
}

struct KeyCase {
    std::string_view name;
    std::string pem;
    std::string_view reason;
};

TEST(CertificateTest, KeysThatCantSignIn) {
    auto const key = make_rsa_key();
    auto const certificate = parse_certificate(certificate_pem(key, from, until));
    ASSERT_TRUE(certificate);
    for (auto const& c : std::vector<KeyCase>{
             {"another", key_pem(make_rsa_key()), "another one than the certificate's"},
             {"short", key_pem(make_rsa_key(1024)), "has 1024 bits; at least 2048"},
             {"elliptic", key_pem(make_elliptic_key()), "no RSA key"},
             {"encrypted", key_pem(key, "hunter2"), "encrypted with a passphrase"},
             {"no_key", "hello", "holds no PEM private key"},
             {"empty", "", "holds no PEM private key"}}) {
        auto const checked = check_key_of(*certificate, Secret(c.pem));
        ASSERT_FALSE(checked) << c.name;
        EXPECT_EQ(checked.error().code, Errc::invalid_config);
        EXPECT_THAT(checked.error().context, HasSubstr(std::string(c.reason))) << c.name;
    }
}

}  // namespace
}  // namespace mailferry
