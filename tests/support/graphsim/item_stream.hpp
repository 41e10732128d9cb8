#pragma once

/// The opaque stream of an item, as exportItems hands it out and importItem takes it.
///
/// Bytes: 01 00 00 00, 8 bytes nonce, then masked with a key out of the nonce: u32 length of the
/// description, u64 length of the payload, the SHA-256 of the logical item, the description; then
/// the payload, made on the fly out of a seed; then the SHA-256 of all before. Nothing of it is
/// MIME, and any changed, missing or added byte is noticed.

#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/logical_item.hpp"
#include "tests/support/graphsim/random.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace graphsim {

class ItemStreamWriter {
public:
    /// The same nonce gives the same bytes.
    ItemStreamWriter(LogicalItem const& item, std::uint64_t nonce);

    /// Appends about `bytes_max` bytes; false once the stream is over.
    bool next(std::string& bytes, std::size_t bytes_max);

private:
    void append(std::string& bytes, std::string_view piece);

    std::string head_;
    std::uint64_t payload_left_;
    Random random_;
    std::uint64_t last_word_ = 0;
    Sha256 hash_;
    enum class State { head, payload, trailer, over } state_ = State::head;
};

class ItemStreamReader {
public:
    /// False once the stream can't be right any more; later bytes are ignored then.
    bool add(std::string_view bytes);
    /// The item, if every byte was there and right.
    std::optional<LogicalItem> finish();
    std::uint64_t bytes() const { return bytes_; }

private:
    bool read_head();

    std::string head_;
    std::string trailer_;
    std::optional<LogicalItem> item_;
    std::uint64_t payload_left_ = 0;
    std::uint64_t bytes_ = 0;
    bool broken_ = false;
    Sha256 hash_;
};

}  // namespace graphsim
