#include "store/ledger_schema.hpp"
#include "store/stored_block.hpp"
#include "tests/support/ledger_values.hpp"

#include <algorithm>
#include <random>
#include <set>

namespace mailferry::store {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

class LedgerNamesTest : public testing::Test {
protected:
    std::vector<NamedItem> number(Names names) { return number_in(open.folder, std::move(names)); }
    std::vector<NamedItem> number_in(FolderId folder, Names names) {
        auto numbered = open(ledger().number_items(folder, std::move(names)));
        EXPECT_TRUE(numbered);
        return numbered ? *numbered : std::vector<NamedItem>();
    }
    FolderId folder_named(std::string name) {
        return *open(ledger().save_folder(folder_of(open.pair, std::move(name))));
    }
    /// Stores `records` as a target that names its items answers.
    void store(std::vector<StoredRecord> const& records) {
        std::vector<ItemRecord> items;
        for (auto const& record : records) items.push_back(open.hot(record.number));
        auto const intent = open.intent(std::move(items));
        ASSERT_TRUE(open(ledger().open_intent(intent)));
        for (int round = 0; round < 2; ++round)
            ASSERT_TRUE(open(ledger().close_intent(intent.id, "t1", records, {})));
    }
    std::vector<StoredRecord> stored() {
        return *open(ledger().stored(open.folder, 0, ~std::uint64_t{0}));
    }
    Names target_names(std::vector<std::uint64_t> numbers) {
        return *open(ledger().target_names(open.folder, std::move(numbers)));
    }
    SqliteLedger& ledger() { return *open.ledger; }

    ScratchDirectory scratch;
    OpenLedger open{scratch.file()};
};

TEST_F(LedgerNamesTest, GetAscendingNumbersAndKeepThem) {
    auto const first = number({"b", "a", "c"});
    ASSERT_EQ(first.size(), 3u);
    for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_EQ(first[i].name, (Names{"b", "a", "c"})[i]);
        EXPECT_EQ(first[i].number, i + 1);
        EXPECT_EQ(first[i].folder, open.folder);
        EXPECT_TRUE(first[i].is_new);
    }
    auto const second = number({"c", "d", "b"});
    ASSERT_EQ(second.size(), 3u);
    EXPECT_EQ(second[0].number, 3u);
    EXPECT_FALSE(second[0].is_new);
    EXPECT_EQ(second[1].number, 4u);
    EXPECT_TRUE(second[1].is_new);
    EXPECT_EQ(second[2].number, 1u);
    EXPECT_TRUE(number({}).empty());
}

TEST_F(LedgerNamesTest, TellCaseAndAnyByteApart) {
    auto const names =
        Names{"AAMk",     "AAmk",         "aamk",         "AAMk ", "", std::string("AAMk\0", 5),
              "AAMk\xff", "AAMk\xc3\x84", "AAMkA\xcc\x88"};
    std::set<std::uint64_t> numbers;
    for (auto const& item : number(names)) numbers.insert(item.number);
    EXPECT_EQ(numbers.size(), names.size());
    auto const again = number(names);
    for (auto const& item : again) EXPECT_FALSE(item.is_new) << item.name;
}

TEST_F(LedgerNamesTest, StandingTwiceInOneCallHaveOneNumber) {
    auto const found = number({"a", "b", "a", "a"});
    ASSERT_EQ(found.size(), 4u);
    EXPECT_EQ(found[2].number, found[0].number);
    EXPECT_EQ(found[3].number, found[0].number);
    EXPECT_TRUE(found[0].is_new);
    EXPECT_FALSE(found[2].is_new);
    EXPECT_EQ(number({"c"}).front().number, 3u);
}

TEST_F(LedgerNamesTest, AreOneSpaceForThePairsFoldersAndAnswerTheirHome) {
    auto const sent = folder_named("Sent");
    number({"a", "b"});
    auto const found = number_in(sent, {"b", "c"});
    EXPECT_EQ(found[0].number, 2u);
    EXPECT_EQ(found[0].folder, open.folder);
    EXPECT_EQ(found[1].number, 3u);
    EXPECT_EQ(found[1].folder, sent);

    for (int round = 0; round < 2; ++round)
        ASSERT_TRUE(open(ledger().rehome_items(sent, {"b", "nobody's"})));
    EXPECT_EQ(number({"b"}).front().folder, sent);
    EXPECT_EQ(number({"b"}).front().number, 2u);
    EXPECT_EQ(number({"a"}).front().folder, open.folder);
    EXPECT_TRUE(number({"nobody's"}).front().is_new);
}

TEST_F(LedgerNamesTest, OfAnotherPairAreOthers) {
    number({"a", "b", "c"});
    auto const pair = *open(ledger().open_pair("merger", "b@old.example", "b@new.example"));
    auto const folder = *open(ledger().save_folder(folder_of(pair.id, "INBOX")));
    auto const found = number_in(folder, {"c", "a"});
    EXPECT_EQ(found[0].number, 1u);
    EXPECT_EQ(found[1].number, 2u);
    EXPECT_TRUE(found[0].is_new && found[1].is_new);
    EXPECT_EQ(found[0].folder, folder);
    ASSERT_TRUE(open(ledger().rehome_items(folder, {"b"})));
    EXPECT_EQ(number({"b"}).front().folder, open.folder);
}

TEST_F(LedgerNamesTest, KeepTheirNumbersWhenItemsAreForgotten) {
    number({"a", "b"});
    ASSERT_TRUE(open(ledger().forget_items(open.folder)));
    auto const found = number({"c", "a"});
    EXPECT_EQ(found[0].number, 3u) << "a number never comes back for another name";
    EXPECT_EQ(found[1].number, 1u);
}

// Goal: one call for a whole page, and for many pages at once. Method: 50,000 long names, the same
// again in another order, with both calls under way together.
TEST_F(LedgerNamesTest, ComeByTheFiftyThousand) {
    constexpr std::size_t count = 50'000;
    std::mt19937_64 random(3);
    Names names;
    for (std::size_t i = 0; i < count; ++i) names.push_back(long_name(random));
    auto const first = number(names);
    ASSERT_EQ(first.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(first[i].number, i + 1);
    std::reverse(names.begin(), names.end());
    names.push_back("the last");
    auto const again = number(names);
    ASSERT_EQ(again.size(), count + 1);
    for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(again[i].number, count - i);
        ASSERT_FALSE(again[i].is_new);
    }
    EXPECT_EQ(again.back().number, count + 1);
}

TEST_F(LedgerNamesTest, AreInTheFilesWhenTheCallResolves) {
    number({"a"});
    ScratchDirectory killed;
    number({"b"});
    fs::copy_file(scratch.file(), killed.file());
    fs::copy_file(scratch.file().string() + "-wal", killed.file().string() + "-wal");
    OpenLedger revived(killed.file());
    auto const found = *revived(revived.ledger->number_items(revived.folder, {"b", "c"}));
    EXPECT_EQ(found[0].number, 2u);
    EXPECT_FALSE(found[0].is_new);
    EXPECT_EQ(found[1].number, 3u);
}

TEST_F(LedgerNamesTest, OfTheTargetStandBehindItsNumbers) {
    store({named_of(5, "Target-b"), named_of(1, "Target-a"), stored_of(9)});
    auto const kept = stored();
    ASSERT_EQ(kept.size(), 3u);
    EXPECT_EQ(kept[2].target_number, 109u) << "a target that numbers its items";
    EXPECT_EQ(kept[0].target_name, "") << "is asked for by target_names";
    EXPECT_NE(kept[0].target_number, 0u);
    EXPECT_NE(kept[0].target_number, kept[1].target_number);
    EXPECT_EQ(target_names({kept[1].target_number, 109, kept[0].target_number, 0}),
              (Names{"Target-b", "", "Target-a", ""}));
    EXPECT_EQ(number({"Target-a"}).front().number, 1u) << "the source's names are another space";
}

// Goal: names come back byte for byte, whatever they share with one another.
TEST_F(LedgerNamesTest, OfTheTargetComeBackAsTheyWere) {
    std::mt19937_64 random(5);
    Names names{"x", std::string("nul\0nul", 7), "\xff\xfe", "nul", "A", "AA", "AAA"};
    for (int i = 0; i < 300; ++i) {
        auto name = long_name(random);
        if (i % 7 == 0) name = std::string(108, 'B') + name.substr(random() % 152);
        if (i % 11 == 0) name.resize(random() % 150 + 1);
        if (i % 13 == 0) name.back() = static_cast<char>(random());
        names.push_back(name);
    }
    std::vector<StoredRecord> records;
    for (std::size_t i = 0; i < names.size(); ++i) {
        records.push_back(named_of(i + 1, names[i]));
        if (random() % 10 != 0 && i + 1 < names.size()) continue;
        store(records);
        records.clear();
    }
    std::vector<std::uint64_t> numbers;
    for (auto const& record : stored()) numbers.push_back(record.target_number);
    EXPECT_EQ(target_names(numbers), names);
}

TEST_F(LedgerNamesTest, OfTheTargetAreLearntWithNewFlags) {
    auto unknown = stored_of(1);
    unknown.target_number = 0;
    store({unknown, named_of(2, "two")});
    auto const two = stored()[1].target_number;
    for (int round = 0; round < 2; ++round)
        ASSERT_TRUE(open(ledger().update_flags(
            open.folder, {named_of(1, "one"), named_of(2, "other"), named_of(3, "three")})));
    auto const kept = stored();
    EXPECT_EQ(kept[1].target_number, two) << "a number that is known stays";
    EXPECT_EQ(target_names({kept[0].target_number, two}), (Names{"one", "two"}));
}

/// A ledger as mailferry 0.1 left it: two stored items, one in the spool, one being sent.
void make_schema_1(fs::path const& file) {
    auto database = Database::open(file, 0);
    ASSERT_TRUE(database);
    ASSERT_TRUE(migrate(*database, schema_steps().first(1)));
    auto const done = database->execute(
        "INSERT INTO pair VALUES(1, 'merger', 'a@old.example', 'a@new.example');"
        "INSERT INTO folder VALUES(1, 1, 'INBOX', 'INBOX', 'T', 'T', 'g1', '42', 1, NULL, NULL, "
        "'t1');"
        "INSERT INTO intent VALUES(7, 1, 't1', 50, 1);"
        "INSERT INTO item VALUES(5, 1, 3, 'spooled', 9, zeroblob(32), 1, 2, 0, x'00', 1, 0, 9, 0, "
        "'', '', '', NULL, NULL);"
        "INSERT INTO item VALUES(6, 1, 4, 'sending', 9, zeroblob(32), 1, 2, 0, x'00', 0, 0, 0, 1, "
        "'', '', '', 7, 0);");
    ASSERT_TRUE(done) << done.error().describe();
    auto const block = encode_block(std::vector{stored_of(1), stored_of(2)});
    ASSERT_TRUE(database
                    ->query("INSERT INTO block VALUES(1, 1, 1, 2, 2, ?1, ?2)", Blob{block.runs},
                            Blob{block.data})
                    .run());
    ASSERT_TRUE(database->close());
}

TEST(LedgerMigrationTest, LedgerOfSchema1OpensAndGoesOn) {
    ScratchDirectory scratch;
    make_schema_1(scratch.file());
    for (int round = 0; round < 2; ++round) {
        OpenLedger open(scratch.file());
        auto& ledger = *open.ledger;
        auto const folder = open(ledger.folders(open.pair))->front();
        EXPECT_EQ(folder.mark, "42") << "an unchanged folder need not be listed again";
        EXPECT_EQ(open.known(), (std::vector<NumberRun>{{1, 4}}));
        EXPECT_EQ(open(ledger.stored(open.folder, 0, 10))->front().target_number, 101u);
        auto const live = *open(ledger.live_items(open.pair));
        ASSERT_EQ(live.size(), 2u);
        EXPECT_EQ(live[0].replaces, 0u);
        EXPECT_EQ(open(ledger.open_intents(open.pair))->front().id, GroupId{7});
    }
    OpenLedger open(scratch.file());
    auto& ledger = *open.ledger;
    EXPECT_EQ(open(ledger.number_items(open.folder, {"a"}))->front().number, 1u);
    ASSERT_TRUE(open(ledger.close_intent(GroupId{7}, "t1", {named_of(4, "four")}, {})));
    auto const four = open(ledger.stored_numbers(open.folder, {4}))->front();
    EXPECT_EQ(*open(ledger.target_names(open.folder, {four.target_number})), Names{"four"});
    EXPECT_EQ(open.known(), (std::vector<NumberRun>{{1, 4}}));
}

}  // namespace
}  // namespace mailferry::store
