#include "tests/support/ledger_values.hpp"

#include <fstream>

namespace mailferry::store {
namespace {

namespace fs = std::filesystem;

TEST(LedgerDamageTest, WhatIsNoDatabaseIsCorrupt) {
    ScratchDirectory scratch;
    std::ofstream(scratch.file()) << std::string(8192, 'x');
    EXPECT_NE(refusal_of(scratch.file(), Errc::corrupt).find("restore"), std::string::npos);
}

TEST(LedgerDamageTest, DamagedPagesAreCorrupt) {
    ScratchDirectory scratch;
    {
        OpenLedger open(scratch.file());
        store_range(open, 1, 500);
        open.close();
    }
    {
        std::fstream file(scratch.file(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(4096);
        for (auto left = fs::file_size(scratch.file()) - 4096; left > 0; --left) file.put('\x55');
    }
    EXPECT_NE(refusal_of(scratch.file(), Errc::corrupt).find("restore"), std::string::npos);
}

// Goal: damage in one block names folder and block, and stays in that folder.
TEST(LedgerDamageTest, DamagedBlockNamesFolderAndBlock) {
    struct Damage {
        char const* sql;
        bool numbers_too;
    };
    Damage const damages[] = {
        {"UPDATE block SET data = zeroblob(length(data));", false},
        {"UPDATE block SET runs = x'ffff';", true},
        {"UPDATE block SET first = first + 1, last = last + 1;", true},
    };
    for (auto const& damage : damages) {
        SCOPED_TRACE(damage.sql);
        ScratchDirectory scratch;
        {
            OpenLedger open(scratch.file());
            store_range(open, 1, 10);
            open.close();
        }
        alter(scratch.file(), damage.sql);
        OpenLedger open(scratch.file());
        auto const place = "folder=" + std::to_string(static_cast<std::int64_t>(open.folder)) +
                           " block=1: ";
        auto const stored = open(open.ledger->stored(open.folder, 0, 100));
        ASSERT_FALSE(stored);
        EXPECT_EQ(stored.error().code, Errc::corrupt);
        EXPECT_NE(stored.error().context.find(place), std::string::npos) << stored.error().context;
        auto const known = open(open.ledger->known_numbers(open.folder));
        EXPECT_EQ(!known, damage.numbers_too);
        EXPECT_TRUE(known || known.error().code == Errc::corrupt);
        // The write that fails is undone whole, and the next one is not affected.
        auto const intent = open.intent({open.hot(5000)});
        ASSERT_TRUE(open(open.ledger->open_intent(intent)));
        EXPECT_FALSE(open(open.ledger->close_intent(intent.id, "t1", {stored_of(5000)}, {})));
        EXPECT_EQ(open(open.ledger->open_intents(open.pair))->size(), 1u);
        auto const second = open(open.ledger->save_folder(folder_of(open.pair, "Sent")));
        EXPECT_TRUE(second);
    }
}

}  // namespace
}  // namespace mailferry::store
