#include "tests/crash/crash_seeds.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/spool_values.hpp"

#include <map>

namespace mailferry::store {
namespace {

using test::crash_seeds;
using test::noise;
using test::SimDisk;
using test::SpoolLife;
using test::words;

/// What a ledger would hold: written only after the spool has called an item durable.
struct Ledger {
    std::map<std::uint64_t, SpoolLocation> live;
    std::uint64_t incarnation = 0;

    std::vector<LiveItem> items() const {
        std::vector<LiveItem> items;
        for (auto const& [item, location] : live) items.push_back({item, location});
        return items;
    }
};

std::string text_of_item(std::uint64_t item) {
    auto const seed = static_cast<unsigned>(item);
    switch (item % 5) {
    case 0: return {};
    case 1: return words(500, seed);
    case 2: return noise(180'000, seed);
    case 3: return words(70'000, seed);
    default: return noise(5000, seed);
    }
}

SpoolLife::Settings settings_of(Ledger& ledger) {
    SpoolLife::Settings settings;
    settings.max_bytes = 4 * test::mebibyte;  // Segments of 1 MiB: they roll within one life.
    settings.incarnation = ++ledger.incarnation;
    settings.seed = static_cast<unsigned>(ledger.incarnation);
    return settings;
}

awaitable<void> store_one(SpoolLife& life, Ledger& ledger, std::uint64_t item) {
    auto const location = co_await life.put_task(item, text_of_item(item), "meta", ItemOwner{item % 3});
    if (!location) co_return;
    auto const durable = co_await life.spool->durable(item, *location);
    if (durable) ledger.live[item] = *durable;
}

/// Stores items in pairs at the same time and releases some, as deliveries would.
awaitable<void> work(SpoolLife& life, Ledger& ledger, std::uint64_t first_item) {
    for (auto item = first_item; item < first_item + 16; item += 2) {
        TaskGroup pair(life.context().get_executor());
        pair.spawn(store_one(life, ledger, item));
        pair.spawn(store_one(life, ledger, item + 1));
        co_await pair.join();
        if (item % 4 == 1 && ledger.live.size() > 3) {
            auto const oldest = ledger.live.begin();
            auto const [released, location] = *oldest;
            ledger.live.erase(oldest);
            life.spool->release(released, location);
        }
    }
}

/// Every item of the ledger is there, byte for byte, and recovery reports no loss.
void expect_all(SpoolLife& life, Ledger const& ledger) {
    ASSERT_NE(life.spool, nullptr) << life.refusal->describe();
    EXPECT_TRUE(life.lost.empty()) << "a promised item is lost";
    for (auto const& damage : life.report.damages)
        EXPECT_TRUE(damage.torn_tail) << damage.reason << " at " << damage.offset;
    for (auto const& [item, location] : ledger.live) {
        auto const text = life.get(item, location);
        ASSERT_TRUE(text) << text.error().describe();
        EXPECT_TRUE(*text == text_of_item(item)) << "item " << item;
    }
    EXPECT_EQ(life.spool->usage().items_live, ledger.live.size());
}

// Goal: whatever durable() promised is there after a power cut, byte for byte, and the spool works
// on. Method: cut the power before disk operation 0, 1, 2, ... until a run finishes unharmed.
// SimDisk keeps what was synced; of each unsynced write a seeded random part survives. Each seed is
// a replay.
TEST(SpoolCrashTest, DurableItemsSurviveAPowerCutAtEveryStep) {
    for (unsigned seed = 1; seed <= crash_seeds(); ++seed) {
        bool finished = false;
        for (std::uint64_t cut = 0; !finished; ++cut) {
            SCOPED_TRACE(testing::Message() << "seed=" << seed << " cut=" << cut);
            ASSERT_LT(cut, 1000U) << "the run must end without a cut at some point";
            SimDisk disk(seed);
            disk.cut_power_before(cut);
            Ledger ledger;
            {
                SpoolLife life(disk.directory(), settings_of(ledger));
                test::run_in(life.context(), work(life, ledger, 1));
            }
            finished = !disk.crashed();
            EXPECT_TRUE(!finished || ledger.live.size() == 13) << "16 stored, 3 released";
            auto after = disk.after_power_loss();
            {
                SpoolLife life(after.directory(), settings_of(ledger), ledger.items());
                expect_all(life, ledger);
                test::run_in(life.context(), work(life, ledger, 101));
                EXPECT_LE(life.spool->usage().bytes_allocated, life.spool->usage().bytes_max);
            }
            SpoolLife life(after.directory(), settings_of(ledger), ledger.items());
            expect_all(life, ledger);
            if (testing::Test::HasFailure()) return;
        }
    }
}

// Goal: recovery that is cut itself, and cut again, ends in the same state. Method: as above, with
// the second cut before each operation of the recovery.
TEST(SpoolCrashTest, RecoveryCanBeCutAtEveryStep) {
    for (unsigned seed = 1; seed <= crash_seeds(); ++seed) {
        for (std::uint64_t cut = 3; cut < 60; cut += 7) {
            bool finished = false;
            for (std::uint64_t second_cut = 0; !finished; ++second_cut) {
                SCOPED_TRACE(testing::Message()
                             << "seed=" << seed << " cut=" << cut << " second=" << second_cut);
                ASSERT_LT(second_cut, 1000U);
                SimDisk disk(seed);
                disk.cut_power_before(cut);
                Ledger ledger;
                {
                    SpoolLife life(disk.directory(), settings_of(ledger));
                    test::run_in(life.context(), work(life, ledger, 1));
                }
                auto after = disk.after_power_loss();
                after.cut_power_before(second_cut);
                {
                    SpoolLife life(after.directory(), settings_of(ledger), ledger.items());
                    EXPECT_TRUE(life.lost.empty());
                    finished = !after.crashed();
                }
                auto last = after.after_power_loss();
                SpoolLife life(last.directory(), settings_of(ledger), ledger.items());
                expect_all(life, ledger);
                if (testing::Test::HasFailure()) return;
            }
        }
    }
}

// Goal: the test above would notice a sync that does nothing. Method: a disk whose syncs report
// success and keep nothing must lose promised items for some cut.
TEST(SpoolCrashTest, ADiskThatLiesIsNoticed) {
    std::size_t lost = 0;
    for (unsigned seed = 1; seed <= 3; ++seed) {
        SimDisk disk(seed);
        disk.ignore_syncs();
        Ledger ledger;
        {
            SpoolLife life(disk.directory(), settings_of(ledger));
            test::run_in(life.context(), work(life, ledger, 1));
        }
        auto after = disk.after_power_loss();
        SpoolLife life(after.directory(), settings_of(ledger), ledger.items());
        if (life.spool != nullptr) lost += life.lost.size();
    }
    EXPECT_GT(lost, 0U);
}

}  // namespace
}  // namespace mailferry::store
