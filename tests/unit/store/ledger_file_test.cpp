#include "store/ledger_look.hpp"
#include "store/ledger_schema.hpp"
#include "tests/support/ledger_values.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <set>
#include <sys/stat.h>

namespace mailferry::store {
namespace {

namespace fs = std::filesystem;

TEST(LedgerFileTest, IsPrivateAndKeepsItsIdentity) {
    ScratchDirectory scratch;
    std::array<std::byte, 16> uuid{};
    std::set<ItemId> items;
    std::set<GroupId> groups;
    for (std::uint64_t run = 1; run <= 3; ++run) {
        OpenLedger open(scratch.file());
        if (run == 1) uuid = open.ledger->uuid();
        EXPECT_EQ(open.ledger->uuid(), uuid);
        EXPECT_EQ(open.ledger->incarnation(), run);
        for (int i = 0; i < 10'000; ++i) {
            EXPECT_TRUE(items.insert(open.ledger->next_item_id()).second);
            EXPECT_TRUE(groups.insert(open.ledger->next_group_id()).second);
        }
        for (auto const* const suffix : {"", "-wal"}) {
            struct stat status {};
            auto const name = scratch.file().string() + suffix;
            ASSERT_EQ(::stat(name.c_str(), &status), 0) << name;
            EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
        }
        if (run == 2) open.close();
    }
    EXPECT_NE(uuid, (std::array<std::byte, 16>{}));
}

TEST(LedgerFileTest, CloseLeavesOneFile) {
    ScratchDirectory scratch;
    {
        OpenLedger open(scratch.file());
        store_range(open, 1, 10);
        open.close();
    }
    EXPECT_FALSE(fs::exists(scratch.file().string() + "-wal"));
    OpenLedger again(scratch.file());
    EXPECT_EQ(again.known(), (std::vector<NumberRun>{{1, 10}}));
}

// Goal: what was acknowledged is in the file and its log at that moment. Method: copy both while
// the ledger is open, as a kill would leave them, and open the copy.
TEST(LedgerFileTest, AcknowledgedWritesAreInTheFilesAtOnce) {
    ScratchDirectory scratch;
    OpenLedger open(scratch.file());
    for (std::uint64_t step = 0; step < 20; ++step) {
        store_range(open, step * 10, 10);
        auto const intent = open.intent({open.hot(10'000 + step)});
        ASSERT_TRUE(open(open.ledger->open_intent(intent)));
        ScratchDirectory killed;
        fs::copy_file(scratch.file(), killed.file());
        fs::copy_file(scratch.file().string() + "-wal", killed.file().string() + "-wal");
        OpenLedger revived(killed.file());
        EXPECT_EQ(revived.known().front(), (NumberRun{0, step * 10 + 9}));
        EXPECT_EQ(revived(revived.ledger->open_intents(revived.pair))->size(), step + 1);
    }
}

TEST(LedgerFileTest, ALookChangesNothingAndTellsThePasses) {
    ScratchDirectory scratch;
    {
        OpenLedger open(scratch.file());
        PassRecord record;
        record.pair = open.pair;
        record.pass = "first";
        record.counters.bytes_stored = 7;
        ASSERT_TRUE(open(open.ledger->save_pass(record)));
        open.close();
    }
    auto const bytes = [&] {
        std::ifstream file(scratch.file(), std::ios::binary);
        return std::string{std::istreambuf_iterator<char>(file), {}};
    };
    auto const before = bytes();
    auto const passes = look_at_passes(scratch.file());
    ASSERT_TRUE(passes && *passes);
    ASSERT_EQ((*passes)->size(), 1U);
    EXPECT_EQ((*passes)->front().counters.bytes_stored, 7U);
    EXPECT_EQ(bytes(), before);

    alter(scratch.file(), "PRAGMA user_version = 1;");
    auto const other = look_at_passes(scratch.file());
    EXPECT_TRUE(other && !*other) << "of another schema";
}

TEST(LedgerFileTest, NewerSchemaIsRefusedWithTheCure) {
    ScratchDirectory scratch;
    { OpenLedger open(scratch.file()); }
    alter(scratch.file(), "UPDATE meta SET needs = '7.5'; PRAGMA user_version = 99;");
    auto const said = refusal_of(scratch.file(), Errc::invalid_config);
    auto const known = std::to_string(schema_steps().back().version);
    EXPECT_NE(said.find("ledger schema 99 is newer than this program knows (" + known +
                        "): install mailferry >= 7.5 or restore the backup"),
              std::string::npos)
        << said;
    alter(scratch.file(), "DROP TABLE meta;");
    EXPECT_NE(refusal_of(scratch.file(), Errc::invalid_config).find("a newer mailferry"),
              std::string::npos);
}

TEST(LedgerFileTest, OlderSchemaIsMigratedInOneTransaction) {
    ScratchDirectory scratch;
    {
        OpenLedger open(scratch.file());
        store_range(open, 1, 3);
        open.close();
    }
    auto const now = schema_steps();
    std::vector<SchemaStep> steps(now.begin(), now.end());
    auto const version = steps.back().version;
    steps.push_back({version + 1, "ALTER TABLE pair ADD COLUMN note TEXT;", "7.1"});
    steps.push_back({version + 2, "CREATE TABLE more(one INTEGER);", "7.2"});
    {
        auto database = Database::open(scratch.file(), 0);
        ASSERT_TRUE(database);
        ASSERT_TRUE(migrate(*database, steps));
        ASSERT_TRUE(migrate(*database, steps)) << "a current file stays as it is";
        auto query = database->query("SELECT needs, note, (SELECT count(*) FROM more), "
                                     "(SELECT sum(items) FROM block) FROM meta, pair");
        ASSERT_TRUE(*query.step());
        EXPECT_EQ(query.text(0), "7.2");
        EXPECT_TRUE(query.is_null(1));
        EXPECT_EQ(query.integer(3), 3);
    }
    auto const said = refusal_of(scratch.file(), Errc::invalid_config);
    EXPECT_NE(said.find("mailferry >= 7.2"), std::string::npos) << said;
}

TEST(LedgerFileTest, AnotherProgramsDatabaseIsLeftAlone) {
    ScratchDirectory scratch;
    alter(scratch.file(), "CREATE TABLE theirs(one INTEGER);");
    EXPECT_NE(refusal_of(scratch.file(), Errc::invalid_config).find("another program"),
              std::string::npos);
    auto database = Database::open(scratch.file(), 0);
    ASSERT_TRUE(database);
    auto mode = database->query("PRAGMA journal_mode");
    ASSERT_TRUE(*mode.step());
    EXPECT_EQ(mode.text(0), "delete");
}

TEST(LedgerFileTest, DirectoryThatIsMissingIsNamed) {
    ScratchDirectory scratch;
    refusal_of(scratch.file().parent_path() / "missing" / "ledger.sqlite", Errc::io_error);
}

TEST(LedgerFileTest, SecondProcessIsRefused) {
    ScratchDirectory scratch;
    OpenLedger open(scratch.file());
    EXPECT_NE(refusal_of(scratch.file(), Errc::invalid_config).find("another process"),
              std::string::npos);
}

}  // namespace
}  // namespace mailferry::store
