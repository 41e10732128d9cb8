#include "transport/graph/refusal.hpp"
#include "json_feed.hpp"

#include <gtest/gtest.h>

namespace mailferry::graph {
namespace {

TEST(RefusalHandler, ReadsCodesInPiecesOfEverySize) {
    constexpr std::string_view text = R"json({
 "error": {
  "code": "ApplicationThrottled",
  "message": "Application is over its MailboxConcurrency limit.",
  "innerError": {
   "date": "2026-05-01T10:00:00",
   "code": "Inner",
   "request-id": "0"
  }
 }
})json";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        RefusalHandler handler;
        ASSERT_TRUE(feed(handler, text, size));
        EXPECT_EQ(handler.code, "ApplicationThrottled");
        EXPECT_EQ(handler.inner_code, "Inner");
        EXPECT_EQ(handler.message, "Application is over its MailboxConcurrency limit.");
    }
}

Refusal refused(int status, std::string code = {}) {
    Refusal refusal;
    refusal.status = status;
    refusal.code = std::move(code);
    return refusal;
}

struct ErrorCase {
    char const* name;
    int status;
    char const* code;
    Subject subject;
    Errc expected;
};

class ErrorOf : public testing::TestWithParam<ErrorCase> {};

TEST_P(ErrorOf, SaysWhatNext) {
    auto const& c = GetParam();
    auto refusal = refused(c.status, c.code);
    refusal.message = "text of theirs";
    auto const error = error_of(refusal, c.subject, "doing");
    EXPECT_EQ(error.code, c.expected) << error.describe();
    EXPECT_EQ(error.context.find("theirs"), std::string::npos);
    EXPECT_NE(error.server_text.find("theirs"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ErrorOf,
    testing::Values(
        ErrorCase{"permission", 403, "ErrorAccessDenied", Subject::mailbox, Errc::mailbox_refused},
        ErrorCase{"scope", 403, "Authorization_RequestDenied", Subject::source_item,
                  Errc::mailbox_refused},
        ErrorCase{"second401", 401, "InvalidAuthenticationToken", Subject::mailbox,
                  Errc::login_refused},
        ErrorCase{"no_mailbox", 404, "ResourceNotFound", Subject::mailbox, Errc::mailbox_refused},
        ErrorCase{"no_licence", 404, "MailboxNotEnabledForRESTAPI", Subject::source_folder,
                  Errc::mailbox_refused},
        ErrorCase{"folder_gone", 404, "ErrorFolderNotFound", Subject::source_folder,
                  Errc::folder_unreadable},
        ErrorCase{"target_folder_gone", 404, "ErrorFolderNotFound", Subject::target_item,
                  Errc::folder_refused},
        ErrorCase{"item_gone", 404, "ErrorItemNotFound", Subject::source_item, Errc::item_vanished},
        ErrorCase{"element_gone", 0, "ErrorItemNotFound", Subject::source_item,
                  Errc::item_vanished},
        ErrorCase{"element_corrupt", 0, "ErrorCorruptData", Subject::source_item,
                  Errc::item_damaged},
        ErrorCase{"element_busy", 0, "ErrorServerBusy", Subject::source_item, Errc::unavailable},
        ErrorCase{"element_large", 0, "ErrorMessageSizeExceeded", Subject::source_item,
                  Errc::item_too_large},
        ErrorCase{"corrupt_stream", 400, "ErrorCorruptData", Subject::target_item,
                  Errc::item_refused},
        ErrorCase{"large413", 413, "", Subject::target_item, Errc::item_too_large},
        ErrorCase{"large400", 400, "ErrorMessageSizeExceeded", Subject::target_item,
                  Errc::item_too_large},
        ErrorCase{"quota403", 403, "ErrorQuotaExceeded", Subject::target_item, Errc::over_quota},
        ErrorCase{"quota507", 507, "", Subject::target_item, Errc::over_quota},
        ErrorCase{"moving", 409, "ErrorMailboxMoveInProgress", Subject::mailbox, Errc::unavailable},
        ErrorCase{"locked", 423, "", Subject::mailbox, Errc::unavailable},
        ErrorCase{"throttled", 429, "TooManyRequests", Subject::mailbox, Errc::throttled},
        ErrorCase{"server", 503, "", Subject::source_item, Errc::unavailable},
        ErrorCase{"bad_folder", 400, "BadRequest", Subject::target_folder, Errc::folder_refused}),
    [](auto const& tested) { return std::string(tested.param.name); });

TEST(ErrorOf, NamesThePermission) {
    auto refusal = refused(403);
    EXPECT_NE(
        error_of(refusal, Subject::source_item, "exporting").context.find("MailboxItem.Export.All"),
        std::string::npos);
    EXPECT_NE(
        error_of(refusal, Subject::target_item, "x").context.find("MailboxItem.ImportExport.All"),
        std::string::npos);
}

TEST(ErrorOf, InnerCodeCounts) {
    auto refusal = refused(500, "ErrorInternalServerError");
    refusal.inner_code = "ErrorQuotaExceeded";
    EXPECT_EQ(error_of(refusal, Subject::target_item, "x").code, Errc::over_quota);
    EXPECT_FALSE(is_transient(refusal));
}

TEST(ErrorOf, AMoveTakesMinutes) {
    auto refusal = refused(409, "ErrorMailboxMoveInProgress");
    EXPECT_EQ(error_of(refusal, Subject::mailbox, "x").retry_after, std::chrono::minutes(5));
}

TEST(Refusal, ResyncByStatusOrCode) {
    auto refusal = refused(410);
    EXPECT_TRUE(is_resync(refusal));
    refusal.status = 400;
    EXPECT_FALSE(is_resync(refusal));
    refusal.code = "SyncStateNotFound";
    EXPECT_TRUE(is_resync(refusal));
}

TEST(VerdictOf, TellsTheLimiterThatIsMeant) {
    http::ResponseHead head;
    Refusal refusal;
    head.status = 429;
    EXPECT_EQ(verdict_of(head, refusal), Verdict::throttled);
    refusal.message = "Application is over its MailboxConcurrency limit.";
    EXPECT_EQ(verdict_of(head, refusal), Verdict::too_many_at_once);
    refusal.message.clear();
    head.headers.push_back({"X-MS-Throttle-Scope", "Tenant_Application/ReadWrite/1/2"});
    EXPECT_EQ(verdict_of(head, refusal), Verdict::app_throttled);
    for (auto const& [status, verdict] :
         {std::pair(200, Verdict::taken), std::pair(404, Verdict::taken),
          std::pair(500, Verdict::failed), std::pair(502, Verdict::failed),
          std::pair(503, Verdict::overloaded), std::pair(504, Verdict::throttled),
          std::pair(507, Verdict::taken)}) {
        head.status = status;
        EXPECT_EQ(verdict_of(head, refusal), verdict) << status;
    }
}

}  // namespace
}  // namespace mailferry::graph
