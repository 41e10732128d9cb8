#pragma once

/// Identifies items by their bytes without keeping one.

#include "daemon/item_digest.hpp"
#include "transport/session.hpp"

#include <bit>
#include <cstring>
#include <map>
#include <optional>

namespace mailferry::daemon {

/// The number that the ledger keeps of an item's content: the first 8 bytes of its digest.
inline std::uint64_t fingerprint_of(store::Sha256Digest const& digest) {
    std::uint64_t fingerprint = 0;
    std::memcpy(&fingerprint, digest.data(), sizeof fingerprint);
    return fingerprint;
}

/// What the ledger keeps of an item whose bytes may differ between two readings: the digest of its
/// identity in place of that of its bytes, and of its version in place of the fingerprint.
inline store::Sha256Digest identity_digest(transport::ItemMeta const& meta) {
    return std::bit_cast<store::Sha256Digest>(sha256(meta.identity));
}
inline std::uint64_t version_fingerprint(transport::ItemMeta const& meta) {
    return fingerprint_of(std::bit_cast<store::Sha256Digest>(sha256(meta.version)));
}

/// Takes items off a session and remembers the identity of each.
class ContentReader final : public transport::ItemReceiver {
public:
    struct Seen {
        ItemIdentity identity;
        transport::ItemMeta meta;
    };

    awaitable<Result<void>> begin(std::uint64_t) override {
        digest_.finish();
        co_return Result<void>{};
    }
    awaitable<Result<void>> piece(std::span<std::byte const> bytes) override {
        digest_.update(bytes);
        co_return Result<void>{};
    }
    awaitable<Result<void>> end(transport::ItemMeta meta) override {
        auto const number = meta.number;
        seen.insert_or_assign(number, Seen{digest_.finish(), std::move(meta)});
        co_return Result<void>{};
    }
    void failed(transport::ItemNumber, Error) override {}

    std::map<transport::ItemNumber, Seen> seen;

private:
    ItemDigest digest_;
};

}  // namespace mailferry::daemon
