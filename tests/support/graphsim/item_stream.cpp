#include "tests/support/graphsim/item_stream.hpp"

#include <cstring>

namespace graphsim {

namespace json = boost::json;

namespace {

constexpr std::string_view magic("\x01\x00\x00\x00", 4);
constexpr std::size_t fixed_bytes = 4 + 8 + 32;  // Description length, payload length, hash.
constexpr std::uint32_t description_bytes_max = 16u << 20;
constexpr std::uint64_t mask_key = 0x6D61736B206F6674ULL;

template <typename Number>
std::string little_endian(Number number) {
    std::string bytes;
    for (std::size_t n = 0; n < sizeof number; ++n) {
        bytes += static_cast<char>(number >> (8 * n) & 255);
    }
    return bytes;
}

template <typename Number>
Number number_at(std::string_view bytes, std::size_t place) {
    Number number = 0;
    for (std::size_t n = sizeof number; n-- > 0;) {
        number = static_cast<Number>(number << 8 | static_cast<unsigned char>(bytes[place + n]));
    }
    return number;
}

void mask(std::string& bytes, std::size_t from, std::uint64_t nonce) {
    Random random(nonce ^ mask_key);
    std::uint64_t word = 0;
    for (std::size_t n = 0; from + n < bytes.size(); ++n) {
        if (n % 8 == 0) word = random.next();
        bytes[from + n] = static_cast<char>(bytes[from + n] ^ static_cast<char>(word >> n % 8 * 8));
    }
}

/// Between 0.9 and 1.3 of the listed size.
std::uint64_t stream_bytes(LogicalItem const& item) {
    Random random(item.payload_seed);
    return item.size * (900 + random.below(401)) / 1000;
}

}  // namespace

ItemStreamWriter::ItemStreamWriter(LogicalItem const& item, std::uint64_t nonce)
    : random_(mixed(item.payload_seed, nonce)) {
    auto const description = json::serialize(to_json(item));
    auto const around = magic.size() + 8 + fixed_bytes + description.size() + 32;
    auto const wanted = stream_bytes(item);
    payload_left_ = wanted > around ? wanted - around : 0;
    auto const logical = sha256(description);
    head_ = std::string(magic) + little_endian(nonce);
    auto const masked_from = head_.size();
    head_ += little_endian(static_cast<std::uint32_t>(description.size()));
    head_ += little_endian(payload_left_) + logical + description;
    mask(head_, masked_from, nonce);
}

void ItemStreamWriter::append(std::string& bytes, std::string_view piece) {
    hash_.add(piece);
    bytes += piece;
}

bool ItemStreamWriter::next(std::string& bytes, std::size_t bytes_max) {
    if (state_ == State::head) {
        append(bytes, head_);
        state_ = State::payload;
        return true;
    }
    if (state_ == State::payload && payload_left_ > 0) {
        auto const count = std::min<std::uint64_t>(bytes_max, payload_left_);
        std::string piece(count + 8, '\0');
        for (std::size_t n = 0; n < count; n += 8) {
            auto const word = random_.next();
            // Every fourth word repeats the last: such bytes compress a little, as real ones do.
            if ((word & 3) != 0) last_word_ = word;
            std::memcpy(piece.data() + n, &last_word_, 8);
        }
        piece.resize(count);
        payload_left_ -= count;
        append(bytes, piece);
        return true;
    }
    if (state_ == State::over) return false;
    bytes += hash_.finish();
    state_ = State::over;
    return true;
}

bool ItemStreamReader::read_head() {
    auto const begin = magic.size() + 8;
    if (head_.size() < begin + fixed_bytes) return true;
    auto const nonce = number_at<std::uint64_t>(head_, magic.size());
    auto plain = head_;
    mask(plain, begin, nonce);
    auto const description_bytes = number_at<std::uint32_t>(plain, begin);
    if (!head_.starts_with(magic) || description_bytes > description_bytes_max) return false;
    auto const whole = begin + fixed_bytes + description_bytes;
    if (head_.size() < whole) return true;
    payload_left_ = number_at<std::uint64_t>(plain, begin + 4);
    auto const description = std::string_view(plain).substr(begin + fixed_bytes, description_bytes);
    if (sha256(description) != std::string_view(plain).substr(begin + 12, 32)) return false;
    boost::system::error_code error;
    auto const parsed = json::parse(description, error);
    if (error || !parsed.is_object()) return false;
    item_ = logical_item_of(parsed.as_object());
    if (!item_) return false;
    auto const rest = head_.substr(whole);
    hash_.add(std::string_view(head_).substr(0, whole));
    bytes_ -= rest.size();
    return add(rest);
}

bool ItemStreamReader::add(std::string_view bytes) {
    if (broken_) return false;
    bytes_ += bytes.size();
    if (!item_) {
        head_ += bytes;
        return !(broken_ = !read_head());
    }
    auto const payload = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), payload_left_));
    hash_.add(payload);
    payload_left_ -= payload.size();
    trailer_ += bytes.substr(payload.size());
    return !(broken_ = trailer_.size() > 32);
}

std::optional<LogicalItem> ItemStreamReader::finish() {
    if (broken_ || !item_ || payload_left_ > 0 || hash_.finish() != trailer_) return std::nullopt;
    return item_;
}

}  // namespace graphsim
