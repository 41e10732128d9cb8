#pragma once

/// Base64, hex, percent encoding, form fields, SHA-256: what the protocol's texts are made of.

#include <openssl/evp.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace graphsim {

std::string base64(std::string_view bytes);
std::string base64url(std::string_view bytes);                     ///< Without padding.
std::optional<std::string> from_base64(std::string_view text);     ///< Strict: padding, alphabet.
std::optional<std::string> from_base64url(std::string_view text);  ///< Without padding.
std::string hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);
std::string percent_decoded(std::string_view text, bool plus_is_space = false);
/// Everything but letters, digits and -._~ is encoded.
std::string percent_encoded(std::string_view text);
/// a=1&b=2; nullopt if a name comes twice.
std::optional<std::map<std::string, std::string>> form_fields(std::string_view text);
std::string lower(std::string_view text);
bool equal_folded(std::string_view one, std::string_view other);  ///< ASCII case ignored.

class Sha256 {
public:
    Sha256();
    void add(std::string_view bytes);
    std::string finish();  ///< 32 bytes; the object can't be used any more.

private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string sha256(std::string_view bytes);
std::string sha1(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);
/// Bytes that nobody can guess.
std::string secret_bytes(std::size_t count);
/// A random GUID out of 16 bytes.
std::string guid_of(std::string_view bytes16);
std::string random_guid();
bool is_guid(std::string_view text);

/// Decodes base64 that arrives in pieces. No line breaks are taken, padding only at the end.
class Base64Decoder {
public:
    /// Appends to `bytes`; false at the first character that can't be.
    bool add(std::string_view text, std::string& bytes);
    bool complete() const { return count_ == 0; }

private:
    unsigned group_ = 0;
    int count_ = 0;
    int padding_ = 0;
};

}  // namespace graphsim
