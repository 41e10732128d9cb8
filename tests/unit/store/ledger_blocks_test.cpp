#include "tests/support/ledger_case.hpp"

#include <algorithm>
#include <map>
#include <random>

namespace mailferry::store {
namespace {

using Runs = std::vector<NumberRun>;

/// Stores numbers through an intent, as the daemon does.
void store(OpenLedger& open, std::vector<StoredRecord> const& records) {
    std::vector<ItemRecord> items;
    for (auto const& record : records) items.push_back(open.hot(record.number));
    auto const intent = open.intent(std::move(items));
    ASSERT_TRUE(open(open.ledger->open_intent(intent)));
    auto const closed = open(open.ledger->close_intent(intent.id, "t1", records, {}));
    ASSERT_TRUE(closed) << closed.error().describe();
}

Runs runs_of(std::map<std::uint64_t, StoredRecord> const& model) {
    Runs runs;
    for (auto const& [number, record] : model) {
        if (!runs.empty() && runs.back().last + 1 == number)
            runs.back().last = number;
        else
            runs.push_back({number, number});
    }
    return runs;
}

enum class Order { ascending, descending, scattered };

// Goal: blocks hold what was stored, whatever the order it came in. Method: a map as the model.
void expect_blocks_like_a_map(Order order, unsigned seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed) +
                 " order=" + std::to_string(static_cast<int>(order)));
    ScratchDirectory scratch;
    OpenLedger open(scratch.file());
    std::mt19937_64 random(seed);
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t n = random() % 2; numbers.size() < 3000; n += random() % 5 ? 1 : 9)
        numbers.push_back(n);
    if (order == Order::descending) std::reverse(numbers.begin(), numbers.end());
    if (order == Order::scattered) std::shuffle(numbers.begin(), numbers.end(), random);

    std::map<std::uint64_t, StoredRecord> model;
    for (std::size_t done = 0; done < numbers.size();) {
        std::vector<StoredRecord> records;
        for (auto left = random() % 200 + 1; left > 0 && done < numbers.size(); --left, ++done) {
            auto record = stored_of(numbers[done]);
            record.fingerprint = random();
            if (random() % 3 == 0) record.flags = {"k" + std::to_string(random() % 5)};
            model[record.number] = record;
            records.push_back(record);
        }
        store(open, records);
        EXPECT_EQ(open.known(), runs_of(model));
        auto const first = numbers[random() % numbers.size()];
        auto const last = first + random() % 500;
        auto const range = *open(open.ledger->stored(open.folder, first, last));
        auto expected = model.lower_bound(first);
        for (auto const& record : range) {
            ASSERT_NE(expected, model.end());
            EXPECT_EQ(record.number, expected->first);
            EXPECT_EQ(record.fingerprint, expected->second.fingerprint);
            EXPECT_EQ(record.flags, expected->second.flags);
            ++expected;
        }
        EXPECT_EQ(expected, model.upper_bound(last));
    }
    EXPECT_EQ(*open(open.ledger->stored_count(open.folder)), model.size());
    EXPECT_EQ(open(open.ledger->stored(open.folder, 0, ~std::uint64_t{0}))->size(), model.size());
}

TEST(LedgerBlocksTest, HoldWhatWasStoredInAnyOrder) {
    for (unsigned seed = 1; seed <= 3; ++seed)
        for (auto const order : {Order::ascending, Order::descending, Order::scattered})
            expect_blocks_like_a_map(order, seed);
}

}  // namespace
}  // namespace mailferry::store
