#include "transport/stream/deflate.hpp"

#include "config/base/assert.hpp"

#include <zlib.h>

namespace mailferry::transport {
namespace {

constexpr int raw_window_bits = -15;  // Raw deflate: no zlib header, as RFC 4978 wants it.

Bytef* zlib_pointer(std::byte const* bytes) {
    // zlib only reads through next_in, its type is merely not const.
    return const_cast<Bytef*>(reinterpret_cast<Bytef const*>(bytes));
}

}  // namespace

DeflateStream::DeflateStream(std::unique_ptr<Stream> below, std::string_view received)
    : below_(std::move(below)),
      inflate_(std::make_unique<z_stream_s>()),
      deflate_(std::make_unique<z_stream_s>()),
      early_(received) {
    MAILFERRY_ASSERT(inflateInit2(inflate_.get(), raw_window_bits) == Z_OK);
    MAILFERRY_ASSERT(deflateInit2(deflate_.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                                  raw_window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    inflate_->next_in = zlib_pointer(bytes_of(early_).data());
    inflate_->avail_in = static_cast<uInt>(early_.size());
}

DeflateStream::~DeflateStream() {
    inflateEnd(inflate_.get());
    deflateEnd(deflate_.get());
}

awaitable<Result<std::size_t>> DeflateStream::read_some(std::span<std::byte> buffer) {
    for (;;) {
        if (ended_) co_return std::size_t{0};
        inflate_->next_out = reinterpret_cast<Bytef*>(buffer.data());
        inflate_->avail_out = static_cast<uInt>(buffer.size());
        // Even without new input: the last call may have stopped at a full output buffer.
        auto const status = inflate(inflate_.get(), Z_SYNC_FLUSH);
        auto const count = buffer.size() - inflate_->avail_out;
        if (status == Z_STREAM_END) ended_ = true;
        if (count > 0) co_return count;
        if (ended_) continue;
        if (status != Z_OK && status != Z_BUF_ERROR)
            co_return Error{Errc::protocol_error, "the compressed stream is damaged"};
        auto const read = co_await below_->read_some(packed_in_);
        if (!read) co_return read.error();
        if (*read == 0) co_return std::size_t{0};
        inflate_->next_in = zlib_pointer(packed_in_.data());
        inflate_->avail_in = static_cast<uInt>(*read);
    }
}

awaitable<Result<void>> DeflateStream::write_all(std::span<std::byte const> bytes) {
    deflate_->next_in = zlib_pointer(bytes.data());
    deflate_->avail_in = static_cast<uInt>(bytes.size());
    do {
        deflate_->next_out = reinterpret_cast<Bytef*>(packed_out_.data());
        deflate_->avail_out = static_cast<uInt>(packed_out_.size());
        auto const status = deflate(deflate_.get(), Z_SYNC_FLUSH);
        MAILFERRY_ASSERT(status == Z_OK || status == Z_BUF_ERROR);
        auto const count = packed_out_.size() - deflate_->avail_out;
        auto const written = co_await below_->write_all(std::span(packed_out_).first(count));
        if (!written) co_return written.error();
    } while (deflate_->avail_out == 0);
    co_return Result<void>{};
}

awaitable<Result<void>> DeflateStream::start_tls() {
    co_return Error{Errc::unsupported, "TLS can't be started above compression"};
}

}  // namespace mailferry::transport
