#pragma once

/// The identity of an item's bytes while they stream by: their SHA-256, and the SHA-256 and size of
/// the same bytes with each bare LF made CRLF, which is how servers keep mail.

#include "config/base/crypto.hpp"
#include "store/spool.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace mailferry::daemon {

struct ItemIdentity {
    store::Sha256Digest plain{};
    store::Sha256Digest canonical{};
    std::uint64_t canonical_bytes = 0;
};

class ItemDigest {
public:
    void update(std::span<std::byte const> bytes);
    /// The identity of everything since the start or the last finish().
    ItemIdentity finish();
    /// Forgets what was read since then.
    void restart() {
        if (begun_) finish();
    }

private:
    Sha256 plain_;
    std::optional<Sha256> canonical_;  ///< Only once a bare LF was met: mostly the two are equal.
    std::uint64_t canonical_bytes_ = 0;
    bool after_cr_ = false;
    bool begun_ = false;
};

}  // namespace mailferry::daemon
