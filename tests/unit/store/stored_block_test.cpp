#include "store/stored_block.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace mailferry::store {
namespace {

StoredRecord record_of(std::uint64_t number, std::mt19937_64& random) {
    static std::vector<std::vector<std::string>> const sets{
        {}, {"\\Seen"}, {"\\Seen", "\\Answered"}, {"with blank", std::string("nul\0x", 5)}};
    return {number, random() >> 1, random(), static_cast<std::int64_t>(random() >> 30),
            random() >> 40, sets[random() % sets.size()]};
}

bool same(StoredRecord const& a, StoredRecord const& b) {
    return a.number == b.number && a.target_number == b.target_number &&
           a.fingerprint == b.fingerprint && a.received == b.received && a.size == b.size &&
           a.flags == b.flags;
}

void expect_round_trip(std::vector<StoredRecord> const& records) {
    auto const block = encode_block(records);
    auto const back = decode_block(block.runs, block.data);
    ASSERT_TRUE(back) << back.error().describe();
    EXPECT_TRUE(std::equal(records.begin(), records.end(), back->begin(), back->end(), same));
}

TEST(StoredBlockTest, ComesBackAsItWas) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE("seed=" + std::to_string(seed));
        std::mt19937_64 random(seed);
        std::vector<StoredRecord> records;
        std::uint64_t number = random() % 3;
        for (auto left = random() % block_items_max + 1; left > 0; --left) {
            records.push_back(record_of(number, random));
            number += random() % 4 == 0 ? random() % 1000 + 1 : 1;
        }
        expect_round_trip(records);
    }
}

TEST(StoredBlockTest, KeepsTheEndsOfEveryRange) {
    auto const most = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    auto const earliest = std::numeric_limits<std::int64_t>::min();
    auto const latest = std::numeric_limits<std::int64_t>::max();
    expect_round_trip({{0, 0, 0, earliest, 0, {}},
                       {1, most, ~std::uint64_t{0}, latest, most, {""}},
                       {most, 1, 1, earliest, 1, {}}});
}

TEST(StoredBlockTest, NumbersAloneAreRuns) {
    std::mt19937_64 random(1);
    std::vector<StoredRecord> records;
    for (std::uint64_t const n : {3, 4, 5, 9, 11, 12}) records.push_back(record_of(n, random));
    auto const runs = decode_runs(encode_block(records).runs);
    ASSERT_TRUE(runs);
    EXPECT_EQ(*runs, (std::vector<NumberRun>{{3, 5}, {9, 9}, {11, 12}}));
}

struct DamagedRuns {
    std::string_view name;
    std::string bytes;
    std::string_view reason;
};

// Goal: a named reason for each kind of damage, whatever the checksum says.
TEST(StoredBlockTest, DamagedNumbersAreNamed) {
    DamagedRuns const cases[] = {
        {"empty", "", "no numbers"},
        {"half_a_run", std::string("\x05", 1), "numbers end in the middle"},
        {"endless_varint", std::string(11, '\xff'), "numbers end in the middle"},
        {"too_long_a_run", std::string("\x01\x80\x04", 3), "a run of numbers is too long"},
        {"touching_runs", std::string("\x01\x00\x00\x00", 4), "numbers don't ascend"},
        {"too_many", std::string("\x01\xff\x03\x01\x00", 5), "more than 512 numbers"},
        {"beyond_64_bits", std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01", 11),
         "a number is beyond 64 bits"},
    };
    for (auto const& c : cases) {
        SCOPED_TRACE(c.name);
        auto const runs = decode_runs(c.bytes);
        ASSERT_FALSE(runs);
        EXPECT_EQ(runs.error().code, Errc::corrupt);
        EXPECT_EQ(runs.error().context, c.reason);
    }
}

TEST(StoredBlockTest, EveryDamagedByteIsNoticed) {
    std::mt19937_64 random(7);
    std::vector<StoredRecord> records;
    for (std::uint64_t n = 1; n < 40; n += 3) records.push_back(record_of(n, random));
    auto const block = encode_block(records);
    for (std::size_t i = 0; i < block.data.size(); ++i) {
        auto data = block.data;
        data[i] = static_cast<char>(data[i] ^ 0x10);
        EXPECT_FALSE(decode_block(block.runs, data)) << i;
        EXPECT_FALSE(decode_block(block.runs, block.data.substr(0, i))) << i;
    }
    for (std::size_t i = 0; i < block.runs.size(); ++i) {
        auto runs = block.runs;
        runs[i] = static_cast<char>(runs[i] ^ 0x10);
        EXPECT_FALSE(decode_block(runs, block.data)) << i;
    }
}

/// Puts a right checksum behind any body, to reach the checks behind it.
std::string sealed(std::string_view runs, std::string body) {
    std::uint32_t sum = 2166136261U;
    for (auto const part : {runs, std::string_view(body)})
        for (char const c : part) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619U;
    for (int shift = 0; shift < 32; shift += 8) body.push_back(static_cast<char>(sum >> shift));
    return body;
}

// Goal: decoding is safe for any bytes. Method: mutated bodies with a checksum that fits; the
// address sanitizer sees a read beyond the end.
TEST(StoredBlockTest, AnyBytesAreSafeToDecode) {
    std::mt19937_64 random(11);
    std::vector<StoredRecord> records;
    for (std::uint64_t n = 1; n < 20; ++n) records.push_back(record_of(n, random));
    auto const block = encode_block(records);
    auto const body = block.data.substr(0, block.data.size() - 4);
    int refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        auto mutated = body;
        for (auto left = random() % 4 + 1; left > 0; --left)
            mutated[random() % mutated.size()] = static_cast<char>(random());
        if (random() % 3 == 0) mutated.resize(random() % mutated.size() + 1);
        refused += !decode_block(block.runs, sealed(block.runs, mutated));
    }
    EXPECT_GT(refused, 5000);
}

TEST(StoredBlockTest, DamagedFlagsAreRefused) {
    EXPECT_EQ(*decode_flags(encode_flags(std::vector<std::string>{"a", ""})),
              (std::vector<std::string>{"a", ""}));
    EXPECT_FALSE(decode_flags(""));
    EXPECT_FALSE(decode_flags(std::string("\x01\x05" "abc", 5)));
    EXPECT_FALSE(decode_flags(std::string("\x00x", 2)));
    EXPECT_FALSE(decode_flags(std::string("\xff\xff\xff\xff\x7f", 5)));
}

TEST(StoredBlockTest, SplitLeavesRoomWhereItemsWillCome) {
    std::vector<StoredRecord> const records(1100);
    auto const sizes = [&](Split how) {
        std::vector<std::size_t> found;
        for (auto const piece : split_records(records, how)) found.push_back(piece.size());
        return found;
    };
    EXPECT_EQ(sizes(Split::full_first), (std::vector<std::size_t>{512, 512, 76}));
    EXPECT_EQ(sizes(Split::full_last), (std::vector<std::size_t>{76, 512, 512}));
    EXPECT_EQ(sizes(Split::even), (std::vector<std::size_t>{367, 367, 366}));
}

}  // namespace
}  // namespace mailferry::store
