#include "tests/support/graphsim/tenant.hpp"

#include "tests/support/graphsim/encoding.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <stdexcept>

namespace graphsim {

AppCertificate certificate_of(std::string_view pem) {
    std::unique_ptr<BIO, decltype(&BIO_free)> input(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    std::unique_ptr<X509, decltype(&X509_free)> parsed(
        PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr), &X509_free);
    if (!parsed) throw std::invalid_argument("no PEM certificate");
    unsigned char* der = nullptr;
    auto const size = i2d_X509(parsed.get(), &der);
    std::string const bytes(reinterpret_cast<char const*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    std::tm end{};
    ASN1_TIME_to_tm(X509_get0_notAfter(parsed.get()), &end);
    AppCertificate certificate;
    certificate.sha1 = sha1(bytes);
    certificate.sha256 = sha256(bytes);
    certificate.key = {X509_get_pubkey(parsed.get()), &EVP_PKEY_free};
    certificate.not_after = Time{std::chrono::seconds{timegm(&end)}};
    return certificate;
}

User* Tenant::user(std::string_view name_or_id) const {
    for (auto const& user : users) {
        if (equal_folded(user->name, name_or_id) || equal_folded(user->id, name_or_id)) {
            return user.get();
        }
    }
    return nullptr;
}

}  // namespace graphsim
