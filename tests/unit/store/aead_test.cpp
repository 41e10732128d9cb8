#include "store/aead.hpp"

#include "store/little_endian.hpp"
#include "tests/support/spool_values.hpp"

namespace mailferry::store {
namespace {

std::string unhex(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2)
        bytes.push_back(
            static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
    return bytes;
}

// Test case 16 of the GCM specification (McGrew and Viega): 256-bit key, 96-bit nonce, 20 bytes of
// associated data.
TEST(AeadTest, AgreesWithThePublishedVector) {
    Aead aead(unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
    auto const nonce_bytes = unhex("cafebabefacedbaddecaf888");
    Aead::Nonce nonce;
    std::memcpy(nonce.data(), nonce_bytes.data(), nonce.size());
    auto const associated = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    auto const plain = unhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449"
        "a6b5"
        "25b16aedf5aa0de657ba637b39");
    std::vector<std::byte> sealed(plain.size() + aead_tag_bytes);
    aead.seal(nonce, bytes_of(associated), bytes_of(plain), sealed);
    EXPECT_EQ(
        hex(text_of(sealed)),
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10"
        "56828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
    std::vector<std::byte> opened(plain.size());
    ASSERT_TRUE(aead.open(nonce, bytes_of(associated), sealed, opened));
    EXPECT_EQ(text_of(opened), plain);
}

TEST(AeadTest, AnyChangedInputIsRefused) {
    Aead aead(std::string(32, 'k')), other(std::string(32, 'j'));
    Aead::Nonce const nonce{}, other_nonce{std::byte{1}};
    auto const plain = std::string("some bytes");
    std::vector<std::byte> sealed(plain.size() + aead_tag_bytes), opened(plain.size());
    aead.seal(nonce, bytes_of("place"), bytes_of(plain), sealed);
    EXPECT_TRUE(aead.open(nonce, bytes_of("place"), sealed, opened));
    EXPECT_FALSE(other.open(nonce, bytes_of("place"), sealed, opened));
    EXPECT_FALSE(aead.open(other_nonce, bytes_of("place"), sealed, opened));
    EXPECT_FALSE(aead.open(nonce, bytes_of("elsewhere"), sealed, opened));
    for (auto& byte : sealed) {
        byte ^= std::byte{1};
        EXPECT_FALSE(aead.open(nonce, bytes_of("place"), sealed, opened));
        byte ^= std::byte{1};
    }
    EXPECT_FALSE(aead.open(nonce, bytes_of("place"), std::span(sealed).first(3), {}));
}

TEST(KeyWrapTest, OnlyTheSameMasterAndSpoolUnwrap) {
    std::array<std::byte, 16> const uuid{std::byte{7}}, other_uuid{std::byte{8}};
    KeyWrap keys(test::test_key(), uuid), other_spool(test::test_key(), other_uuid),
        other_master(test::test_key('j'), uuid);
    Secret const data_key(std::string(32, 'd'));
    Aead::Nonce const nonce{};
    auto const wrapped = keys.wrap(data_key, nonce, bytes_of("header"));
    EXPECT_EQ(keys.unwrap(wrapped, nonce, bytes_of("header")).reveal(), data_key.reveal());
    EXPECT_TRUE(keys.unwrap(wrapped, nonce, bytes_of("another")).empty());
    EXPECT_TRUE(other_spool.unwrap(wrapped, nonce, bytes_of("header")).empty());
    EXPECT_TRUE(other_master.unwrap(wrapped, nonce, bytes_of("header")).empty());
    EXPECT_EQ(keys.id(), other_spool.id());
    EXPECT_NE(keys.id(), other_master.id());
}

}  // namespace
}  // namespace mailferry::store
