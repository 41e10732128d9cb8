#include "transport/imap/sequence_set.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace mailferry::imap {
namespace {

constexpr std::uint32_t uid_max = 4294967295u;

TEST(UidSetTest, ParsesAndPrints) {
    struct Case {
        std::string_view text, printed;
    };
    for (auto const& c : {Case{"1", "1"}, Case{"1:3,7", "1:3,7"}, Case{"3:1", "1:3"},
                          Case{"5,1,3:4", "1,3:5"}, Case{"1:2,2:9,4", "1:9"},
                          Case{"4294967295", "4294967295"}, Case{"1:4294967295", "1:4294967295"}})
        EXPECT_EQ(UidSet::parse(c.text)->to_string(), c.printed) << c.text;
}

TEST(UidSetTest, RefusesWhatNoServerMaySend) {
    for (auto const* text :
         {"",  ",",   "1,", ",1", "1,,2", "0",  "0:5", "1:", ":1",         "1:2:3",
          "*", "1:*", "$",  "-1", "+1",   " 1", "1 ",  "a",  "4294967296", "99999999999999999999"})
        EXPECT_EQ(UidSet::parse(text), std::nullopt) << text;
}

TEST(UidSetTest, BoundsTheNumberOfRuns) {
    EXPECT_TRUE(UidSet::parse("1,3,5", 3));
    EXPECT_FALSE(UidSet::parse("1,3,5,7", 3));
}

TEST(UidSetTest, CountsBeyond32Bits) {
    EXPECT_EQ(UidSet(1, uid_max).count(), 4294967295u);
    EXPECT_EQ(UidSet().count(), 0u);
    EXPECT_EQ(UidSet().first(), std::nullopt);
    EXPECT_EQ(UidSet().last(), std::nullopt);
    EXPECT_EQ(UidSet(3, 9).first(), 3u);
    EXPECT_EQ(UidSet(3, 9).last(), 9u);
}

TEST(UidSetTest, ReachesBothEnds) {
    UidSet set(1, uid_max);
    set.erase(1);
    set.erase(uid_max);
    EXPECT_EQ(set.to_string(), "2:4294967294");
    set.insert(uid_max);
    set.insert(1);
    EXPECT_EQ(set, UidSet(1, uid_max));
    EXPECT_EQ(set.without(UidSet(1, uid_max)), UidSet());
    EXPECT_EQ(UidSet(uid_max, uid_max).without(UidSet(1, 5)).to_string(), "4294967295");
}

std::set<std::uint32_t> expanded(UidSet const& set) {
    std::set<std::uint32_t> uids;
    for (auto const& run : set.runs())
        for (auto uid = run.first; uid <= run.last; ++uid) uids.insert(uid);
    return uids;
}

bool is_normal(UidSet const& set) {
    for (std::size_t i = 1; i < set.runs().size(); ++i)
        if (set.runs()[i - 1].last + 1 >= set.runs()[i].first) return false;
    return true;
}

// Goal: the runs behave like the set they stand for. Method: random operations against std::set.
TEST(UidSetTest, BehavesLikeASet) {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        auto const draw = [&](std::uint32_t below) {
            return static_cast<std::uint32_t>(random() % below);
        };
        UidSet sets[2];
        std::set<std::uint32_t> models[2];
        for (int step = 0; step < 40; ++step) {
            auto const which = draw(2);
            auto const first = 1 + draw(60), last = first + draw(8);
            bool const inserts = draw(3) > 0;
            if (inserts)
                sets[which].insert(first, last);
            else
                sets[which].erase(first, last);
            for (auto uid = first; uid <= last; ++uid) {
                if (inserts)
                    models[which].insert(uid);
                else
                    models[which].erase(uid);
            }
            ASSERT_EQ(expanded(sets[which]), models[which]);
            ASSERT_TRUE(is_normal(sets[which]));
        }
        for (std::uint32_t uid = 1; uid < 75; ++uid) {
            bool const in_a = models[0].contains(uid), in_b = models[1].contains(uid);
            ASSERT_EQ(sets[0].contains(uid), in_a);
            ASSERT_EQ(sets[0].united(sets[1]).contains(uid), in_a || in_b);
            ASSERT_EQ(sets[0].without(sets[1]).contains(uid), in_a && !in_b);
            ASSERT_EQ(sets[0].intersected(sets[1]).contains(uid), in_a && in_b);
        }
        EXPECT_TRUE(is_normal(sets[0].united(sets[1])));
        EXPECT_TRUE(is_normal(sets[0].without(sets[1])));
        EXPECT_TRUE(is_normal(sets[0].intersected(sets[1])));
        EXPECT_EQ(sets[0].count(), models[0].size());
    }
}

TEST(UidSetTest, SplitsIntoPartsThatFitACommandLine) {
    UidSet set;
    for (std::uint32_t uid = 1'000'000; uid < 1'010'000; uid += 2) set.insert(uid);
    set.insert(4'000'000'000, uid_max);
    for (std::size_t limit : {21u, 22u, 100u, 8'000u}) {
        auto const parts = set.split(limit);
        UidSet joined;
        for (auto const& part : parts) {
            EXPECT_LE(part.to_string().size(), limit);
            EXPECT_FALSE(part.empty());
            EXPECT_LT(joined.last().value_or(0), *part.first());
            joined = joined.united(part);
        }
        EXPECT_EQ(joined, set);
    }
    EXPECT_EQ(set.split(8'000).size(), 6u);
    EXPECT_TRUE(UidSet().split().empty());
}

TEST(UidSetDeathTest, AnEmptyRunIsABug) {
    UidSet set;
    EXPECT_DEATH(set.insert(0, 5), "first");
    EXPECT_DEATH(set.insert(5, 4), "first");
}

}  // namespace
}  // namespace mailferry::imap
