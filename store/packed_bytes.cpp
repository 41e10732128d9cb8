#include "store/packed_bytes.hpp"

namespace mailferry::store {

Error corrupt(std::string_view reason) { return {Errc::corrupt, std::string(reason)}; }

std::uint32_t packed_checksum(std::string_view first, std::string_view second) {
    std::uint32_t sum = 2166136261U;
    for (auto const part : {first, second})
        for (char const c : part) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619U;
    return sum;
}

void put_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    out.push_back(static_cast<char>(value));
}

void put_fixed(std::string& out, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

void put_flags(std::string& out, std::span<std::string const> flags) {
    put_varint(out, flags.size());
    for (auto const& flag : flags) {
        put_varint(out, flag.size());
        out.append(flag);
    }
}

std::uint64_t zigzag(std::uint64_t value, std::uint64_t previous) {
    auto const difference = value - previous;
    return (difference << 1) ^ (difference >> 63 ? ~std::uint64_t{0} : 0);
}

std::uint64_t unzigzag(std::uint64_t coded, std::uint64_t previous) {
    return previous + ((coded >> 1) ^ (coded & 1 ? ~std::uint64_t{0} : 0));
}

std::string_view PackedReader::take(std::uint64_t count) {
    if (!ok_ || count > bytes_.size()) return fail();
    auto const taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
}

std::uint64_t PackedReader::varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        auto const byte = take(1);
        if (byte.empty()) return 0;
        auto const bits = static_cast<unsigned char>(byte[0]);
        if (shift == 63 && bits > 1) break;
        value |= static_cast<std::uint64_t>(bits & 0x7f) << shift;
        if ((bits & 0x80) == 0) return value;
    }
    fail();
    return 0;
}

std::uint64_t PackedReader::fixed(std::size_t bytes) {
    auto const taken = take(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < taken.size(); ++i)
        value |= static_cast<std::uint64_t>(static_cast<unsigned char>(taken[i])) << (8 * i);
    return value;
}

std::vector<std::string> PackedReader::flags() {
    std::vector<std::string> flags;
    auto const count = varint();
    for (std::uint64_t i = 0; i < count && ok_; ++i) {
        auto const length = varint();
        flags.emplace_back(take(length));
    }
    return flags;
}

std::string_view PackedReader::fail() {
    ok_ = false;
    bytes_ = {};
    return {};
}

}  // namespace mailferry::store
