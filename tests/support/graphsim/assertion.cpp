#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/token_endpoint.hpp"

#include <openssl/evp.h>
#include <openssl/rsa.h>

namespace graphsim {

namespace {

constexpr double clock_skew_seconds = 300;

[[noreturn]] void refuse(int code, std::string text) {
    throw TokenError(401, "invalid_client", code, std::move(text));
}

struct Jwt {
    json::object header;
    json::object claims;
    std::string_view signed_part;
    std::string signature;
};

json::object decoded_object(std::string_view part) {
    auto const bytes = from_base64url(part);
    boost::system::error_code error;
    auto const value = bytes ? json::parse(*bytes, error) : json::value{};
    if (!bytes || error || !value.is_object()) {
        refuse(50027, "JWT token is invalid or malformed.");
    }
    return value.as_object();
}

Jwt decoded(std::string_view text) {
    auto const first = text.find('.');
    auto const last = text.rfind('.');
    if (first == text.npos || first == last) refuse(50027, "JWT token is invalid or malformed.");
    Jwt jwt;
    jwt.header = decoded_object(text.substr(0, first));
    jwt.claims = decoded_object(text.substr(first + 1, last - first - 1));
    jwt.signed_part = text.substr(0, last);
    jwt.signature = from_base64url(text.substr(last + 1)).value_or("");
    return jwt;
}

std::string text_of(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

std::optional<Time> time_claim(json::object const& claims, std::string_view name) {
    auto const* value = claims.if_contains(name);
    if (value == nullptr || !value->is_number()) return std::nullopt;
    return Time{} + seconds(value->to_number<double>());
}

AppCertificate const& certificate_named(App const& app, json::object const& header) {
    auto const sha256_text = text_of(header, "x5t#S256");
    auto const sha1_text = text_of(header, "x5t");
    for (auto const& certificate : app.certificates) {
        bool const same = sha256_text.empty() ? base64url(certificate.sha1) == sha1_text
                                              : base64url(certificate.sha256) == sha256_text;
        if (same) return certificate;
    }
    refuse(700027,
           "The certificate with identifier used to sign the client assertion is not "
           "registered on application. [Reason - The key was not found.]");
}

bool signature_right(Jwt const& jwt, AppCertificate const& certificate) {
    auto const algorithm = text_of(jwt.header, "alg");
    if (algorithm != "PS256" && algorithm != "RS256") return false;
    if (EVP_PKEY_get_base_id(certificate.key.get()) != EVP_PKEY_RSA) return false;
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                    &EVP_MD_CTX_free);
    EVP_PKEY_CTX* key_context = nullptr;
    EVP_DigestVerifyInit(context.get(), &key_context, EVP_sha256(), nullptr, certificate.key.get());
    if (algorithm == "PS256") {
        EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, 32);
        EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, EVP_sha256());
    }
    auto const* signature = reinterpret_cast<unsigned char const*>(jwt.signature.data());
    auto const* text = reinterpret_cast<unsigned char const*>(jwt.signed_part.data());
    return EVP_DigestVerify(context.get(), signature, jwt.signature.size(), text,
                            jwt.signed_part.size()) == 1;
}

void check_times(json::object const& claims, Time now) {
    auto const expires = time_claim(claims, "exp");
    auto const begins = time_claim(claims, "nbf");
    bool const over = !expires || *expires <= now;
    bool const early = begins && *begins > now + seconds(clock_skew_seconds);
    bool const long_lived = expires && *expires > now + seconds(24 * 3600);
    if (over || early || long_lived) {
        refuse(700024, "Client assertion is not within its valid time range.");
    }
}

}  // namespace

void check_assertion(World& world, App const& app, std::string_view assertion,
                     std::string const& endpoint) {
    auto const jwt = decoded(assertion);
    auto const& certificate = certificate_named(app, jwt.header);
    Clock const real;
    auto const now = world.options.assertion_by_virtual_clock ? world.clock.now() : real.now();
    if (certificate.not_after <= world.clock.now()) {
        refuse(700027,
               "The certificate used to sign the client assertion has expired. "
               "[Reason - The key used is expired.]");
    }
    if (!signature_right(jwt, certificate)) {
        refuse(700027, "Client assertion failed signature validation.");
    }
    if (text_of(jwt.claims, "aud") != endpoint) {
        refuse(700023, "Client assertion audience claim does not match Realm issuer.");
    }
    if (text_of(jwt.claims, "iss") != app.id || text_of(jwt.claims, "sub") != app.id) {
        refuse(700021,
               "Client assertion application identifier doesn't match 'client_id' "
               "parameter.");
    }
    check_times(jwt.claims, now);
    auto const id = text_of(jwt.claims, "jti");
    if (id.empty() || !world.used_assertions.insert(app.id + " " + id).second) {
        refuse(50013, "Assertion failed validation: its 'jti' is absent or was used before.");
    }
}

}  // namespace graphsim
