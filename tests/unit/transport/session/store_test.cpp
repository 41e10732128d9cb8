#include "tests/unit/transport/session/session_fixture.hpp"
#include "transport/imap/append.hpp"

namespace mailferry::imap {
namespace {

using transport::StoreItem;

Exchange const select{"SELECT \"A\"",
                      "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 5] ok\r\n"
                      "* OK [PERMANENTFLAGS (\\Seen \\Flagged Kept)] ok\r\n$ OK open\r\n"};
std::string const single = "IMAP4rev1 LITERAL+ UIDPLUS";

class StoreTest : public SessionTest {
protected:
    struct Outcome {
        std::string text;  ///< "5 6", "x(item_refused) 6", "error doubtful".
        bool gate_asked = false;
        bool is_alive = false;
        std::string before_gate;  ///< What the server had when before_commit was called.
    };

    Outcome store(std::vector<Exchange> steps, std::vector<StoreItem> items,
                  std::string const& capabilities = "IMAP4rev1 LITERAL+ UIDPLUS MULTIAPPEND",
                  std::optional<std::uint64_t> cut_after = {}) {
        steps.insert(steps.begin(), select);
        auto& server = script(signed_in(std::move(steps), capabilities));
        Outcome outcome;
        run([&]() -> awaitable<void> {
            auto session = co_await open_target();
            static_cast<void>(co_await (*session)->position(folder_named("A")));
            auto const offset = server.received.size();
            server.octets_until_cut = cut_after;
            auto const gate = [&]() -> awaitable<Result<void>> {
                outcome.gate_asked = true;
                outcome.before_gate = server.received.substr(offset);
                for (int i = 0; i < 3; ++i) co_await asio::post(asio::use_awaitable);
                if (gate_error) co_return *gate_error;
                co_return Result<void>{};
            };
            auto const result = co_await (*session)->store(folder_named("A"), items, gate);
            outcome.is_alive = (*session)->alive();
            sent = server.received.substr(offset);
            if (!result) {
                outcome.text = "error " + std::string(to_string(result.error().code));
                co_return;
            }
            if (result->group_refused) outcome.text = "group ";
            for (auto const& item : result->items)
                outcome.text += item.refused
                                    ? "x(" + std::string(to_string(item.refused->code)) + ") "
                                    : std::to_string(item.number) + " ";
        });
        unexpected = server.unexpected;
        return outcome;
    }

    std::optional<Error> gate_error;
    std::string sent, unexpected;
};

std::vector<StoreItem> two_items() {
    return {item_of("first message", {"\\Seen", "Lost", "\\Recent"}), item_of("second", {"Kept"})};
}

TEST_F(StoreTest, AGroupIsOneCommandAndItsLastOctetWaits) {
    auto const outcome =
        store({{"APPEND \"A\"", "$ OK [APPENDUID 7 5:6] stored\r\n"}}, two_items());
    EXPECT_EQ(outcome.text, "5 6 ");
    std::string const head =
        "a3 APPEND \"A\" (\\Seen) \"01-Jan-2020 12:00:00 +0000\" {13+}\r\nfirst message (Kept) "
        "\"01-Jan-2020 12:00:00 +0000\" {6+}\r\nsecon";
    EXPECT_EQ(outcome.before_gate, head);
    EXPECT_EQ(sent, head + "d\r\n");
}

TEST_F(StoreTest, WithoutMultiappendTheFirstOneWaits) {
    auto const outcome = store({{"APPEND \"A\"", "$ OK [APPENDUID 7 5] stored\r\n"},
                                {"APPEND \"A\"", "$ OK [APPENDUID 7 6] stored\r\n"}},
                               two_items(), single);
    EXPECT_EQ(outcome.text, "5 6 ");
    EXPECT_TRUE(outcome.before_gate.ends_with("{13+}\r\nfirst messag")) << outcome.before_gate;
}

TEST_F(StoreTest, SynchronisingLiteralsWaitForTheirInvitation) {
    auto const outcome = store({{"APPEND \"A\"", "+ go\r\n"},
                                {"APPEND \"A\"", "+ go\r\n"},
                                {"APPEND \"A\"", "$ OK [APPENDUID 7 5:6] stored\r\n"}},
                               two_items(), "IMAP4rev1 UIDPLUS MULTIAPPEND");
    EXPECT_EQ(outcome.text, "5 6 ");
    EXPECT_NE(sent.find("{13}\r\nfirst"), std::string::npos);
}

TEST_F(StoreTest, ALiteralThatIsNotInvitedIsNotSent) {
    auto const outcome =
        store({{"APPEND \"A\"", "$ NO [TOOBIG] no\r\n"}}, {item_of("first message")}, "IMAP4rev1");
    EXPECT_EQ(outcome.text, "x(item_too_large) ");
    EXPECT_FALSE(outcome.gate_asked);
    EXPECT_TRUE(outcome.is_alive);
    EXPECT_EQ(sent.find("first"), std::string::npos);
}

struct RefusedCase {
    std::string_view answer, outcome;
};

TEST_F(StoreTest, ARefusedGroupTellsWhatToDo) {
    constexpr RefusedCase cases[] = {
        {"BAD Invalid flag", "group x(item_refused) x(item_refused) "},
        {"NO [TRYCREATE] none", "error folder_refused"},
        {"NO [OVERQUOTA] full", "error over_quota"},
        {"NO Suggested Backoff Time: 10 milliseconds", "error throttled"},
        {"NO [LIMIT] Mail size is larger", "group x(item_too_large) x(item_too_large) "},
        {"OK [APPENDUID 7 5] only one", "error doubtful"},
        {"OK stored", "0 0 "},
    };
    for (auto const& c : cases) {
        SCOPED_TRACE(std::string(c.answer));
        auto const outcome =
            store({{"APPEND", "$ " + std::string(c.answer) + "\r\n"}}, two_items());
        EXPECT_EQ(outcome.text, c.outcome);
        EXPECT_TRUE(outcome.is_alive);
        EXPECT_EQ(unexpected, "");
    }
}

TEST_F(StoreTest, SinglesHaveEachTheirOwnVerdict) {
    auto const outcome = store(
        {{"APPEND", "$ OK [APPENDUID 7 5] stored\r\n"}, {"APPEND", "$ NO [OVERQUOTA] full\r\n"}},
        two_items(), single);
    EXPECT_EQ(outcome.text, "5 x(over_quota) ");
    auto const nothing =
        store({{"APPEND", "$ NO [OVERQUOTA] full\r\n"}, {"APPEND", "$ NO [OVERQUOTA] full\r\n"}},
              two_items(), single);
    EXPECT_EQ(nothing.text, "error over_quota");
}

TEST_F(StoreTest, WhatTheTargetSaidItWontTakeIsNotSent) {
    auto const outcome = store({{"APPEND", "$ OK [APPENDUID 7 5] stored\r\n"}}, two_items(),
                               "IMAP4rev1 LITERAL+ UIDPLUS MULTIAPPEND APPENDLIMIT=10");
    EXPECT_EQ(outcome.text, "x(item_too_large) 5 ");
}

TEST_F(StoreTest, AnIntentionThatFailsEndsTheStoreWithoutItsCommit) {
    gate_error = Error{Errc::disk_full, "ledger"};
    auto const outcome = store({}, two_items());
    EXPECT_EQ(outcome.text, "error disk_full");
    EXPECT_FALSE(outcome.is_alive);
    EXPECT_TRUE(sent.ends_with("secon"));
}

// Goal: a store is in doubt exactly if the server may have what lets it commit. Method: cut the
// line behind each octet of the exchange; the answer is always lost.
TEST_F(StoreTest, CutBehindEachOctet) {
    for (auto const& capabilities :
         {std::string("IMAP4rev1 LITERAL+ UIDPLUS MULTIAPPEND"), single}) {
        auto const is_multi = capabilities != single;
        std::vector<Exchange> steps{{"APPEND", "$ OK [APPENDUID 7 5] stored\r\n"}};
        if (is_multi) steps.front().says = "$ OK [APPENDUID 7 5:6] stored\r\n";
        if (!is_multi) steps.push_back({"APPEND", "$ OK [APPENDUID 7 6] stored\r\n"});
        auto const whole = store(steps, two_items(), capabilities);
        ASSERT_EQ(whole.text, "5 6 ");
        auto const octets = sent.size();
        auto const guarded = whole.before_gate.size();  // The next octet may commit.
        for (std::size_t cut = 1; cut <= octets; ++cut) {
            SCOPED_TRACE("multi=" + std::to_string(is_multi) + " cut=" + std::to_string(cut));
            auto const outcome = store(steps, two_items(), capabilities, cut);
            EXPECT_EQ(outcome.text, cut <= guarded ? "error connection_lost" : "error doubtful");
            EXPECT_EQ(outcome.gate_asked, cut >= guarded);
            EXPECT_FALSE(outcome.is_alive);
        }
    }
}

TEST(AppendTest, DatesThatTargetsMistakeAreClamped) {
    EXPECT_EQ(storable_date({1'577'880'000, 60}), (DateTime{1'577'880'000, 60}));
    EXPECT_EQ(storable_date({-2'209'161'600, 60}), (DateTime{86'400, 0}));
    EXPECT_EQ(storable_date({4'000'000'000, 0}), (DateTime{2'147'471'999, 0}));
    EXPECT_EQ(storable_date({1'577'880'000, 2'000}), (DateTime{1'577'880'000, 0}));
}

}  // namespace
}  // namespace mailferry::imap
