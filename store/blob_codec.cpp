#include "store/blob_codec.hpp"

#include "config/base/assert.hpp"

#include <zstd.h>

namespace mailferry::store {

void BlobCodec::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }
void BlobCodec::Free::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

BlobCodec::BlobCodec() : packing_(ZSTD_createCCtx()), unpacking_(ZSTD_createDCtx()) {
    MAILFERRY_ASSERT(packing_ != nullptr && unpacking_ != nullptr);
}

std::optional<std::span<std::byte const>> BlobCodec::pack(std::span<std::byte const> plain,
                                                          int level, unsigned saving_min_percent) {
    if (plain.empty()) return std::nullopt;
    auto const needed = ZSTD_compressBound(plain.size());
    if (needed > scratch_bytes_) {
        scratch_ = std::make_unique_for_overwrite<std::byte[]>(needed);
        scratch_bytes_ = needed;
    }
    if (level != level_set_) {
        auto const set = ZSTD_CCtx_setParameter(packing_.get(), ZSTD_c_compressionLevel, level);
        MAILFERRY_ASSERT(ZSTD_isError(set) == 0);
        level_set_ = level;
    }
    auto const packed =
        ZSTD_compress2(packing_.get(), scratch_.get(), scratch_bytes_, plain.data(), plain.size());
    // With room for the bound only a lack of memory is left to fail: the bytes go in as they are.
    if (ZSTD_isError(packed) != 0) return std::nullopt;
    auto const allowed = plain.size() - plain.size() * saving_min_percent / 100;
    if (packed >= plain.size() || packed > allowed) return std::nullopt;
    return std::span<std::byte const>(scratch_.get(), packed);
}

bool BlobCodec::unpack(std::span<std::byte const> packed, std::span<std::byte> plain) {
    auto const filled = ZSTD_decompressDCtx(unpacking_.get(), plain.data(), plain.size(),
                                            packed.data(), packed.size());
    return ZSTD_isError(filled) == 0 && filled == plain.size();
}

}  // namespace mailferry::store
