#include "transport/http/url.hpp"
#include "transport/http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailferry::http {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(UrlTest, Parts) {
    auto const url = parse_url("https://Graph.Microsoft.com/v1.0/users?$select=id");
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->tls);
    EXPECT_EQ(url->host, "graph.microsoft.com");
    EXPECT_EQ(url->port, 443);
    EXPECT_EQ(url->target, "/v1.0/users?$select=id");
    EXPECT_EQ(url->authority(), "graph.microsoft.com");

    auto const v6 = parse_url("http://[::1]:8080");
    ASSERT_TRUE(v6);
    EXPECT_FALSE(v6->tls);
    EXPECT_EQ(v6->host, "::1");
    EXPECT_EQ(v6->port, 8080);
    EXPECT_EQ(v6->target, "/");
    EXPECT_EQ(v6->authority(), "[::1]:8080");

    auto const query_only = parse_url("HTTPS://h?q=1");
    ASSERT_TRUE(query_only);
    EXPECT_EQ(query_only->target, "/?q=1");
}

// An import URL is signed: not a byte may change.
TEST(UrlTest, TheTargetStaysByteForByte) {
    constexpr std::string_view target =
        "/api/gv1.0/Mailboxes('MBX:a@b%20')/importItem?authtoken=eyJ%2b+/==&x='%41../a//b;";
    auto const url = parse_url("https://outlook.office365.com" + std::string(target));
    ASSERT_TRUE(url);
    EXPECT_EQ(url->target, target);
}

TEST(UrlTest, WhatIsShownHasNoQuery) {
    auto const url = parse_url("https://h:444/a/b?token=secret");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->where(), "https://h:444/a/b");
}

TEST(UrlTest, WhatIsRefusedSaysWhyWithoutTheAddress) {
    for (auto const* const text :
         {"", "graph.microsoft.com", "ftp://h/secret", "https://", "https:///secret",
          "https://u:secret@h/", "https://h:0/secret", "https://h:65536/secret",
          "https://h:x/secret", "https://[::1/secret", "https://[::1]x/secret", "https://h/a b",
          "https://h/secret\r\nX: y", "https://h/#secret", "https://h\xc3\xa4/secret",
          "https://h/\x7f"}) {
        auto const url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, Errc::protocol_error);
        EXPECT_THAT(url.error().describe(), Not(HasSubstr("secret")));
    }
    EXPECT_FALSE(parse_url("https://h/" + std::string(20'000, 'x')));
}

TEST(UrlTest, Segments) {
    EXPECT_EQ(percent_encoded("AAMk-_.~=+/ @\xc3\xa4"), "AAMk-_.~%3D%2B%2F%20%40%C3%A4");
}

TEST(UrlTest, Proxies) {
    auto const proxy = parse_proxy("http://proxy.example:3128");
    ASSERT_TRUE(proxy);
    EXPECT_EQ(proxy->host, "proxy.example");
    EXPECT_EQ(proxy->port, 3128);
    for (auto const* const text :
         {"proxy:3128", "https://proxy:3128", "http://u:p@proxy:3128", "http://proxy:3128/path"})
        EXPECT_EQ(parse_proxy(text).error().code, Errc::invalid_config) << text;
}

}  // namespace
}  // namespace mailferry::http
