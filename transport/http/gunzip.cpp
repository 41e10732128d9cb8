#include "transport/http/gunzip.hpp"

#include "config/base/assert.hpp"

#include <string.h>
#include <zlib.h>

namespace mailferry::http {
namespace {

constexpr int gzip_window_bits = 15 + 16;  // 16: a gzip header and trailer, with their check.
constexpr std::uint64_t unjudged_bytes = 1 << 20;

}  // namespace

Gunzip::Gunzip(std::uint64_t ratio_max)
    : ratio_max_(ratio_max), inflate_(std::make_unique<z_stream_s>()) {
    MAILFERRY_ASSERT(inflateInit2(inflate_.get(), gzip_window_bits) == Z_OK);
}

Gunzip::~Gunzip() { inflateEnd(inflate_.get()); }

void Gunzip::write(std::span<std::byte const> packed) {
    MAILFERRY_ASSERT(inflate_->avail_in == 0);
    // zlib only reads through next_in, its type is merely not const.
    inflate_->next_in = const_cast<Bytef*>(reinterpret_cast<Bytef const*>(packed.data()));
    inflate_->avail_in = static_cast<uInt>(packed.size());
    bytes_in_ += packed.size();
}

Result<std::optional<std::span<std::byte const>>> Gunzip::next() {
    for (;;) {
        if (at_boundary_ && inflate_->avail_in == 0) return std::nullopt;
        at_boundary_ = false;
        inflate_->next_out = reinterpret_cast<Bytef*>(unpacked_.data());
        inflate_->avail_out = static_cast<uInt>(unpacked_.size());
        // Even without new input: the last call may have stopped at a full output buffer.
        auto const status = inflate(inflate_.get(), Z_NO_FLUSH);
        if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END)
            return Error{Errc::protocol_error, "the gzip encoding is damaged"};
        if (status == Z_STREAM_END) {
            at_boundary_ = true;
            MAILFERRY_ASSERT(inflateReset(inflate_.get()) == Z_OK);
        }
        auto const count = unpacked_.size() - inflate_->avail_out;
        bytes_out_ += count;
        if (bytes_out_ > unjudged_bytes && bytes_out_ / ratio_max_ > bytes_in_)
            return Error{Errc::protocol_error, "the gzip encoding unpacks to more than " +
                                                   std::to_string(ratio_max_) + " times its size"};
        if (count > 0) return std::span<std::byte const>(unpacked_).first(count);
        if (!at_boundary_ && inflate_->avail_in == 0) return std::nullopt;
    }
}

void Gunzip::wipe() { ::explicit_bzero(unpacked_.data(), unpacked_.size()); }

}  // namespace mailferry::http
