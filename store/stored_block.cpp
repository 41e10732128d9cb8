#include "store/stored_block.hpp"

#include "config/base/assert.hpp"
#include "store/packed_bytes.hpp"

#include <algorithm>
#include <map>

namespace mailferry::store {
namespace {

constexpr char format_version = 1;
constexpr std::size_t fingerprint_bytes = 8;

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
    put_fixed(out, packed_checksum(block.runs, out), checksum_bytes);
    return block;
}

Result<std::vector<NumberRun>> decode_runs(std::string_view runs) {
    PackedReader reader(runs);
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
    if (PackedReader(data.substr(body.size())).fixed(checksum_bytes) != packed_checksum(runs, body))
        return corrupt("the checksum doesn't match");

    PackedReader reader(body);
    if (reader.take(1)[0] != format_version) return corrupt("unknown block format");
    auto const set_count = reader.varint();
    if (set_count > block_items_max) return corrupt("more than 512 flag sets");
    std::vector<std::vector<std::string>> sets;
    for (std::uint64_t i = 0; i < set_count && reader.ok(); ++i) sets.push_back(reader.flags());

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
    PackedReader reader(bytes);
    auto flags = reader.flags();
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
