#include "daemon/item_digest.hpp"

#include <gtest/gtest.h>

namespace mailferry::daemon {
namespace {

ItemIdentity identity_of(std::string const& bytes, std::size_t piece_bytes) {
    ItemDigest digest;
    for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
        auto const piece = bytes.substr(at, piece_bytes);
        digest.update(std::as_bytes(std::span<char const>(piece.data(), piece.size())));
    }
    return digest.finish();
}

// Goal: a bare LF counts as CRLF and nothing else does, however the bytes are cut.
TEST(ItemDigestTest, CanonicalFormIsTheSameInEverySlicing) {
    struct Case {
        std::string bytes, canonical;
    } const cases[] = {
        {"", ""},
        {"a\r\nb\r\n", "a\r\nb\r\n"},
        {"a\nb\n", "a\r\nb\r\n"},
        {"\n\n\r\n\n", "\r\n\r\n\r\n\r\n"},
        {"a\rb\r\r\n\n", "a\rb\r\r\n\r\n"},
        {"mixed\r\nthen bare\nend", "mixed\r\nthen bare\r\nend"},
    };
    for (auto const& c : cases) {
        auto const expected = identity_of(c.canonical, 1 << 20);
        auto const plain = identity_of(c.bytes, 1 << 20).plain;
        for (std::size_t piece = 1; piece <= c.bytes.size() + 1; ++piece) {
            auto const identity = identity_of(c.bytes, piece);
            EXPECT_EQ(identity.canonical, expected.plain) << c.bytes << " in " << piece;
            EXPECT_EQ(identity.canonical_bytes, c.canonical.size());
            EXPECT_EQ(identity.plain, plain);
        }
    }
}

TEST(ItemDigestTest, FinishStartsAfresh) {
    ItemDigest digest;
    std::string const bytes = "x\ny";
    digest.update(std::as_bytes(std::span<char const>(bytes.data(), bytes.size())));
    digest.finish();
    EXPECT_EQ(digest.finish().canonical, identity_of("", 1).canonical);
}

}  // namespace
}  // namespace mailferry::daemon
