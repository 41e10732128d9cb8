#include "daemon/item_digest.hpp"

#include <cstring>

namespace mailferry::daemon {
namespace {

store::Sha256Digest as_bytes(Sha256Digest const& digest) {
    store::Sha256Digest out;
    std::memcpy(out.data(), digest.data(), out.size());
    return out;
}

}  // namespace

void ItemDigest::update(std::span<std::byte const> bytes) {
    std::string_view const whole(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    if (whole.empty()) return;
    begun_ = true;
    std::size_t from = 0;
    for (auto at = whole.find('\n'); at != whole.npos; at = whole.find('\n', at + 1)) {
        bool const bare = at == 0 ? !after_cr_ : whole[at - 1] != '\r';
        if (!bare) continue;
        auto const before = whole.substr(from, at - from);
        plain_.update(before);
        if (canonical_)
            canonical_->update(before);
        else
            canonical_ = plain_.clone();
        canonical_bytes_ += before.size() + 1;
        canonical_->update("\r");
        from = at;
    }
    auto const tail = whole.substr(from);
    plain_.update(tail);
    if (canonical_) canonical_->update(tail);
    canonical_bytes_ += tail.size();
    after_cr_ = whole.back() == '\r';
}

ItemIdentity ItemDigest::finish() {
    ItemIdentity identity;
    identity.plain = as_bytes(plain_.finish());
    identity.canonical = canonical_ ? as_bytes(canonical_->finish()) : identity.plain;
    identity.canonical_bytes = canonical_bytes_;
    canonical_.reset();
    canonical_bytes_ = 0;
    after_cr_ = false;
    begun_ = false;
    return identity;
}

}  // namespace mailferry::daemon
