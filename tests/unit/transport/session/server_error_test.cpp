#include "transport/imap/server_error.hpp"

#include <gtest/gtest.h>

namespace mailferry::imap {
namespace {

Status status_of(std::string code, std::string text, StatusKind kind = StatusKind::no) {
    Status status;
    status.kind = kind;
    if (!code.empty()) status.code = ResponseCode{std::move(code), ""};
    status.text = std::move(text);
    return status;
}

struct RefusalCase {
    std::string_view name, code, text;
    Errc login, append;
};

constexpr RefusalCase refusal_cases[] = {
    {"wrong_password", "AUTHENTICATIONFAILED", "no", Errc::login_refused, Errc::item_refused},
    {"no_right", "AUTHORIZATIONFAILED", "no", Errc::mailbox_refused, Errc::item_refused},
    {"exchange_no_mailbox", "", "User is authenticated but not connected.", Errc::mailbox_refused,
     Errc::item_refused},
    {"unavailable", "UNAVAILABLE", "later", Errc::unavailable, Errc::unavailable},
    {"throttled", "THROTTLED", "slow down", Errc::throttled, Errc::throttled},
    {"backoff", "", "Request is throttled. Suggested Backoff Time: 299961 milliseconds",
     Errc::throttled, Errc::throttled},
    {"limit_means_connections_or_size", "LIMIT", "too much", Errc::throttled, Errc::item_too_large},
    {"connections", "", "Maximum number of connections from user+IP exceeded", Errc::throttled,
     Errc::item_refused},
    {"quota", "OVERQUOTA", "full", Errc::login_refused, Errc::over_quota},
    {"quota_courier", "ALERT", "You exceeded your mail quota.", Errc::login_refused,
     Errc::over_quota},
    {"no_folder", "TRYCREATE", "no", Errc::login_refused, Errc::folder_refused},
    {"too_big", "TOOBIG", "no", Errc::login_refused, Errc::item_too_large},
    {"too_large_cyrus", "", "Message size exceeds fixed limit", Errc::login_refused,
     Errc::item_too_large},
    {"bad_bytes", "", "Message contains NUL characters", Errc::login_refused, Errc::item_refused},
};

TEST(ServerErrorTest, RefusalsAreClassedByCodeAndByKnownTexts) {
    for (auto const& c : refusal_cases) {
        SCOPED_TRACE(std::string(c.name));
        auto const status = status_of(std::string(c.code), std::string(c.text));
        EXPECT_EQ(to_string(login_refusal(status, "").code), to_string(c.login));
        EXPECT_EQ(to_string(append_refusal(status, "").code), to_string(c.append));
    }
}

TEST(ServerErrorTest, TheSuggestedPauseIsTakenToTheMillisecondAndBounded) {
    using std::chrono::milliseconds;
    EXPECT_EQ(suggested_pause("suggested backoff time: 299961 Milliseconds"),
              milliseconds(299'961));
    EXPECT_EQ(suggested_pause("Suggested Backoff Time: 5 seconds"), milliseconds(5'000));
    EXPECT_EQ(suggested_pause("Backoff Time: 99999999999999999999 ms"), milliseconds(86'400'000));
    EXPECT_EQ(suggested_pause("Backoff Time: soon"), std::nullopt);
    EXPECT_EQ(suggested_pause("no time"), std::nullopt);
    auto const error =
        farewell(status_of("", "Suggested Backoff Time: 1500 milliseconds", StatusKind::bye), "");
    EXPECT_EQ(error.code, Errc::throttled);
    EXPECT_EQ(error.retry_after, milliseconds(1'500));
}

}  // namespace
}  // namespace mailferry::imap
