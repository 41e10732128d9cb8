#include "tests/unit/transport/session/session_fixture.hpp"

namespace mailferry::imap {
namespace {

std::string meta(int uid) {
    return "* 1 FETCH (UID " + std::to_string(uid) +
           " FLAGS () INTERNALDATE \"01-Jan-2020 00:00:00 +0000\" RFC822.SIZE 5)\r\n";
}

std::string opened(int exists, int uidnext, int modseq, int uidvalidity = 7) {
    return "* " + std::to_string(exists) + " EXISTS\r\n* OK [UIDVALIDITY " +
           std::to_string(uidvalidity) + "] ok\r\n* OK [UIDNEXT " + std::to_string(uidnext) +
           "] ok\r\n* OK [HIGHESTMODSEQ " + std::to_string(modseq) + "] ok\r\n$ OK open\r\n";
}

class TextSink final : public transport::ScanSink {
public:
    void item(ItemMeta item) override { text += std::to_string(item.number) + " "; }
    void vanished(ItemNumber first, ItemNumber last) override {
        text += "-" + std::to_string(first) + ":" + std::to_string(last) + " ";
    }
    std::string text;
};

class ScanTest : public SessionTest {
protected:
    std::string scan(std::vector<Exchange> steps, transport::ScanRequest request,
                     Folder folder = folder_named("A")) {
        auto& server = script(signed_in(std::move(steps)));
        TextSink sink;
        run([&]() -> awaitable<void> {
            auto session = co_await open_source();
            do {
                auto const result = co_await (*session)->scan(folder, request, sink);
                if (!result) {
                    sink.text += result.error().describe();
                    co_return;
                }
                request.from = result->next;
                sink.text += "| " + result->mark + (result->complete ? " complete " : " changes ");
            } while (request.from != 0);
        });
        EXPECT_EQ(server.unexpected, "");
        return sink.text;
    }
    transport::ScanRequest since(std::string mark) {
        transport::ScanRequest request;
        request.since_mark = std::move(mark);
        return request;
    }
};

TEST_F(ScanTest, ASmallFolderIsListedTogetherWithItsOpening) {
    auto folder = folder_named("A");
    folder.items = 2;
    // What came after the opening is left for the next scan.
    EXPECT_EQ(scan({{"EXAMINE", opened(2, 6, 9)},
                    {"UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)",
                     meta(3) + meta(5) + meta(6) + "$ OK\r\n"}},
                   {}, folder),
              "3 5 | 7:6:2:9 complete ");
}

TEST_F(ScanTest, ABigFolderComesInPartsUnderTheMarkOfTheFirst) {
    transport::ScanRequest request;
    request.items_max = 2;
    EXPECT_EQ(scan({{"EXAMINE", opened(4, 9, 20)},
                    {"UID FETCH 1:4 (", meta(1) + meta(4) + "$ OK\r\n"},
                    {"EXAMINE", opened(4, 9, 22)},
                    {"UID FETCH 5:8 (", meta(5) + meta(8) + "$ OK\r\n"}},
                   request),
              "1 4 | 7:9:4:20 complete 5 8 | 7:9:4:20 complete ");
}

TEST_F(ScanTest, ChangesAreNewOnesChangedOnesAndWhatIsGone) {
    EXPECT_EQ(
        scan({{"EXAMINE", opened(3, 8, 30)},
              {"UID FETCH 1:5 (UID FLAGS INTERNALDATE RFC822.SIZE) (CHANGEDSINCE 9)",
               meta(2) + "$ OK\r\n"},
              {"UID FETCH 6:7 (", meta(6) + "* 3 FETCH (UID 7 FLAGS ())\r\n$ OK\r\n"},
              {"UID SEARCH RETURN (ALL) UID 1:5", "* ESEARCH (TAG \"x\") UID ALL 2,5\r\n$ OK\r\n"}},
             since("7:6:4:9")),
        "2 6 -1:1 -3:4 | 7:8:3:30 changes ");
}

TEST_F(ScanTest, NumbersThatAddUpNeedNoSearch) {
    EXPECT_EQ(scan({{"EXAMINE", opened(4, 6, 9)}}, since("7:6:4:9")), "| 7:6:4:9 changes ");
}

TEST_F(ScanTest, NumberingThatBeganAnewMeansEverything) {
    auto const all = Exchange{"UID FETCH 1:5 (", meta(1) + "$ OK\r\n"};
    EXPECT_EQ(scan({{"EXAMINE", opened(1, 6, 3)}, all}, since("7:6:1:9")), "1 | 7:6:1:3 complete ");
    EXPECT_EQ(scan({{"EXAMINE", opened(1, 6, 9, 8)}, all}, since("7:6:1:9")),
              "1 | 8:6:1:9 complete ");
    EXPECT_EQ(scan({{"EXAMINE", opened(1, 6, 9)}, all}, since("7:6:1:0")), "1 | 7:6:1:9 complete ");
}

TEST_F(ScanTest, ARefusedOpeningIsTheFoldersAffair) {
    EXPECT_TRUE(scan({{"EXAMINE", "$ NO locked\r\n"}}, {}).starts_with("folder_unreadable"));
}

}  // namespace
}  // namespace mailferry::imap
