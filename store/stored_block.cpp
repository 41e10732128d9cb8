#include "store/stored_block.hpp"

#include "config/base/assert.hpp"

#include <algorithm>
#include <map>

namespace mailferry::store {
namespace {

constexpr char format_version = 1;
constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t fingerprint_bytes = 8;

Error corrupt(std::string_view reason) { return {Errc::corrupt, std::string(reason)}; }

/// FNV-1a, 32 bits: any single damaged byte changes it.
std::uint32_t checksum(std::string_view first, std::string_view second) {
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

/// The difference as a small number whichever its sign; wraps, so that every pair of values works.
std::uint64_t zigzag(std::uint64_t value, std::uint64_t previous) {
    auto const difference = value - previous;
    return (difference << 1) ^ (difference >> 63 ? ~std::uint64_t{0} : 0);
}

std::uint64_t unzigzag(std::uint64_t coded, std::uint64_t previous) {
    return previous + ((coded >> 1) ^ (coded & 1 ? ~std::uint64_t{0} : 0));
}

/// Reads front to back. The first read beyond the end fails it for good; whoever uses the values
/// asks ok() before believing them.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    bool ok() const { return ok_; }
    std::size_t left() const { return bytes_.size(); }

    std::string_view take(std::uint64_t count) {
        if (!ok_ || count > bytes_.size()) return fail();
        auto const taken = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return taken;
    }

    std::uint64_t varint() {
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

    std::uint64_t fixed(std::size_t bytes) {
        auto const taken = take(bytes);
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < taken.size(); ++i)
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(taken[i])) << (8 * i);
        return value;
    }

private:
    std::string_view fail() {
        ok_ = false;
        bytes_ = {};
        return {};
    }

    std::string_view bytes_;
    bool ok_ = true;
};

void put_flags(std::string& out, std::span<std::string const> flags) {
    put_varint(out, flags.size());
    for (auto const& flag : flags) {
        put_varint(out, flag.size());
        out.append(flag);
    }
}

std::vector<std::string> take_flags(Reader& reader) {
    std::vector<std::string> flags;
    auto const count = reader.varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        auto const length = reader.varint();
        flags.emplace_back(reader.take(length));
    }
    return flags;
}

std::string encode_runs(std::span<StoredRecord const> records) {
    std::string out;
    std::uint64_t behind = 0;  // First number that the next run may begin with.
    for (std::size_t i = 0; i < records.size();) {
        auto const first = records[i].number;
        MAILFERRY_ASSERT(first >= behind);
        std::size_t length = 1;
        while (i + length < records.size() && records[i + length].number == first + length)
            ++length;
        put_varint(out, first - behind);
        put_varint(out, length - 1);
        behind = first + length;
        i += length;
    }
    return out;
}

}  // namespace

StoredBlock encode_block(std::span<StoredRecord const> records) {
    MAILFERRY_ASSERT(!records.empty() && records.size() <= block_items_max);
    StoredBlock block{encode_runs(records), {}};

    std::map<std::vector<std::string>, std::size_t> places;
    std::string sets;
    for (auto const& record : records)
        if (places.try_emplace(record.flags, places.size()).second) put_flags(sets, record.flags);

    auto& out = block.data;
    out.push_back(format_version);
    put_varint(out, places.size());
    out.append(sets);
    std::uint64_t target = 0;
    std::uint64_t received = 0;
    for (auto const& record : records) {
        put_varint(out, zigzag(record.target_number, target));
        put_varint(out, zigzag(static_cast<std::uint64_t>(record.received), received));
        put_varint(out, record.size);
        put_fixed(out, record.fingerprint, fingerprint_bytes);
        put_varint(out, places.at(record.flags));
        target = record.target_number;
        received = static_cast<std::uint64_t>(record.received);
    }
    put_fixed(out, checksum(block.runs, out), checksum_bytes);
    return block;
}

Result<std::vector<NumberRun>> decode_runs(std::string_view runs) {
    Reader reader(runs);
    std::vector<NumberRun> found;
    std::uint64_t behind = 0;
    std::uint64_t count = 0;
    while (reader.left() > 0) {
        auto const gap = reader.varint();
        auto const more = reader.varint();
        if (!reader.ok()) return corrupt("numbers end in the middle");
        auto const first = behind + gap;
        if (first < behind || (gap == 0 && !found.empty())) return corrupt("numbers don't ascend");
        if (more >= block_items_max) return corrupt("a run of numbers is too long");
        auto const last = first + more;
        if (last < first || last + 1 == 0) return corrupt("a number is beyond 64 bits");
        count += more + 1;
        if (count > block_items_max) return corrupt("more than 512 numbers");
        found.push_back({first, last});
        behind = last + 1;
    }
    if (found.empty()) return corrupt("no numbers");
    return found;
}

Result<std::vector<StoredRecord>> decode_block(std::string_view runs, std::string_view data) {
    auto const numbers = decode_runs(runs);
    if (!numbers) return numbers.error();
    if (data.size() < 1 + checksum_bytes) return corrupt("data is too short");
    auto const body = data.substr(0, data.size() - checksum_bytes);
    if (Reader(data.substr(body.size())).fixed(checksum_bytes) != checksum(runs, body))
        return corrupt("the checksum doesn't match");

    Reader reader(body);
    if (reader.take(1)[0] != format_version) return corrupt("unknown block format");
    auto const set_count = reader.varint();
    if (set_count > block_items_max) return corrupt("more than 512 flag sets");
    std::vector<std::vector<std::string>> sets;
    for (std::uint64_t i = 0; i < set_count && reader.ok(); ++i) sets.push_back(take_flags(reader));

    std::vector<StoredRecord> records;
    std::uint64_t target = 0;
    std::uint64_t received = 0;
    for (auto const& run : *numbers) {
        for (auto number = run.first; number <= run.last; ++number) {
            target = unzigzag(reader.varint(), target);
            received = unzigzag(reader.varint(), received);
            auto const size = reader.varint();
            auto const fingerprint = reader.fixed(fingerprint_bytes);
            auto const set = reader.varint();
            if (!reader.ok()) return corrupt("data ends in the middle");
            if (set >= sets.size()) return corrupt("unknown flag set");
            records.push_back({number, target, fingerprint, static_cast<std::int64_t>(received),
                               size, sets[set]});
        }
    }
    if (reader.left() > 0) return corrupt("bytes left over behind the last item");
    return records;
}

std::string encode_flags(std::span<std::string const> flags) {
    std::string out;
    put_flags(out, flags);
    return out;
}

Result<std::vector<std::string>> decode_flags(std::string_view bytes) {
    Reader reader(bytes);
    auto flags = take_flags(reader);
    if (!reader.ok() || reader.left() > 0) return corrupt("flags are damaged");
    return flags;
}

std::vector<std::span<StoredRecord const>> split_records(std::span<StoredRecord const> records,
                                                         Split how) {
    auto const pieces = (records.size() + block_items_max - 1) / block_items_max;
    std::vector<std::span<StoredRecord const>> cut;
    for (std::size_t i = 0; i < pieces; ++i) {
        auto const pieces_left = pieces - i;
        auto count = std::min(records.size(), block_items_max);
        if (how == Split::full_last) count = records.size() - (pieces_left - 1) * block_items_max;
        if (how == Split::even) count = (records.size() + pieces_left - 1) / pieces_left;
        cut.push_back(records.first(count));
        records = records.subspan(count);
    }
    return cut;
}

}  // namespace mailferry::store
