#include "transport/imap/quirks.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace mailferry::imap {
namespace {

TEST(QuirksTest, AreKnownByTheServersName) {
    std::vector<std::string> const none;
    EXPECT_EQ(quirks_for("", none), Quirks());
    EXPECT_EQ(quirks_for("Stalwart", none), Quirks());
    EXPECT_TRUE(quirks_for("Dovecot", none).has_x_guid);
    EXPECT_TRUE(quirks_for("Cyrus IMAP Murder", none).needs_crlf);
    EXPECT_TRUE(quirks_for("Cyrus IMAP", none).mailbox_id_alone);
    EXPECT_TRUE(quirks_for("Cyrus IMAP", none).needs_quick_ack);
    EXPECT_TRUE(quirks_for("vm Cyrus IMAP 3.6.1 server ready", none).login_ignores_mailbox);
    EXPECT_TRUE(quirks_for("Cyrus IMAP", none).dies_of_braces);
    auto const exchange = quirks_for("The Microsoft Exchange IMAP4 service is ready.", none);
    EXPECT_TRUE(exchange.extra_continuation_after_literal_plus);
    EXPECT_TRUE(exchange.one_fetch_in_flight);
    EXPECT_TRUE(exchange.sizes_are_estimates);
    EXPECT_TRUE(exchange.flags_need_store);
    EXPECT_TRUE(exchange.status_is_stale);
    EXPECT_TRUE(exchange.no_keywords);
    EXPECT_TRUE(quirks_for("Courier-IMAP ready.", none).one_fetch_in_flight);
    EXPECT_TRUE(quirks_for("GImap", none).one_fetch_in_flight);
    EXPECT_TRUE(quirks_for("", std::vector<std::string>{"X-GM-EXT-1"}).one_fetch_in_flight);
    EXPECT_TRUE(quirks_for("hMailServer", none).sizes_are_estimates);
}

}  // namespace
}  // namespace mailferry::imap
