#include "config/endpoint.hpp"

#include <gtest/gtest.h>

namespace mailferry::config {
namespace {

std::string printed(std::optional<Endpoint> const& endpoint) {
    return endpoint ? endpoint->host + ' ' + std::to_string(endpoint->port) : "nothing";
}

struct EndpointCase {
    std::string_view name, text, endpoint;
};

constexpr EndpointCase host_cases[] = {
    {"host", "graph.microsoft.com", "graph.microsoft.com 443"},
    {"host_and_port", "localhost:8443", "localhost 8443"},
    {"four", "127.0.0.1:1", "127.0.0.1 1"},
    {"six", "[::1]", "::1 443"},
    {"six_and_port", "[2001:db8::1]:8443", "2001:db8::1 8443"},
    {"other_letters", "m\u00fcller.example", "m\u00fcller.example 443"},
    {"empty", "", "nothing"},
    {"bare_six", "::1", "nothing"},
    {"six_without_colons", "[abc]", "nothing"},
    {"open_bracket", "[::1", "nothing"},
    {"after_the_bracket", "[::1]x", "nothing"},
    {"no_port", "a:", "nothing"},
    {"port_zero", "a:0", "nothing"},
    {"port_too_large", "a:65536", "nothing"},
    {"port_of_letters", "a:b", "nothing"},
    {"path", "a/b", "nothing"},
    {"user", "u@a", "nothing"},
    {"blank", "a b", "nothing"},
    {"query", "a?b", "nothing"},
    {"control_character", "a\r\nb", "nothing"},
};

class HostPortTest : public testing::TestWithParam<EndpointCase> {};

TEST_P(HostPortTest, IsReadWholeOrNotAtAll) {
    EXPECT_EQ(printed(parse_host_port(GetParam().text, 443)), GetParam().endpoint);
}

INSTANTIATE_TEST_SUITE_P(Config, HostPortTest, testing::ValuesIn(host_cases),
                         [](auto const& c) { return std::string(c.param.name); });

TEST(EndpointTest, OriginsAndProxies) {
    EXPECT_EQ(printed(parse_origin("https://a", "https", 443)), "a 443");
    EXPECT_EQ(printed(parse_origin("HTTPS://a:1/", "https", 443)), "a 1");
    for (auto const* const bad : {"http://a", "a", "https://", "https:///", "https://a/tenant",
                                  "https://a//", "https://u:p@a", " https://a"})
        EXPECT_EQ(printed(parse_origin(bad, "https", 443)), "nothing") << bad;
    EXPECT_EQ(printed(parse_proxy("http://proxy:3128")), "proxy 3128");
    EXPECT_EQ(printed(parse_proxy("http://[::1]:3128/")), "::1 3128");
    for (auto const* const bad :
         {"http://proxy", "https://proxy:3128", "http://u:p@proxy:3128", "proxy:3128"})
        EXPECT_EQ(printed(parse_proxy(bad)), "nothing") << bad;
}

TEST(EndpointTest, OfATenant) {
    Tenant tenant;
    tenant.host = "graph.microsoft.com";
    EXPECT_EQ(printed(graph_endpoint(tenant)), "graph.microsoft.com 443");
    EXPECT_EQ(printed(authority_endpoint(tenant)), "login.microsoftonline.com 443");
}

TEST(EndpointTest, Guids) {
    EXPECT_TRUE(is_guid("01234567-89ab-CDEF-0123-456789abcdef"));
    for (auto const* const bad :
         {"", "01234567-89ab-cdef-0123-456789abcde", "01234567-89ab-cdef-0123-456789abcdef0",
          "{01234567-89ab-cdef-0123-456789abcdef}", "0123456789abcdef0123456789abcdef0000",
          "g1234567-89ab-cdef-0123-456789abcdef"})
        EXPECT_FALSE(is_guid(bad)) << bad;
}

TEST(EndpointTest, Clouds) {
    auto const* const global = cloud_of_graph("Graph.Microsoft.com");
    ASSERT_NE(global, nullptr);
    EXPECT_TRUE(is_global(*global));
    EXPECT_TRUE(signs_in_at(*global, "login.microsoftonline.com"));
    auto const* const dod = cloud_of_graph("dod-graph.microsoft.us");
    ASSERT_NE(dod, nullptr);
    EXPECT_FALSE(is_global(*dod));
    EXPECT_TRUE(signs_in_at(*dod, "login.microsoftonline.us"));
    EXPECT_FALSE(signs_in_at(*dod, "login.microsoftonline.com"));
    auto const* const china = cloud_of_graph("microsoftgraph.chinacloudapi.cn");
    ASSERT_NE(china, nullptr);
    EXPECT_TRUE(signs_in_at(*china, "login.partner.microsoftonline.cn"));
    EXPECT_TRUE(signs_in_at(*china, "login.chinacloudapi.cn"));
    EXPECT_EQ(cloud_of_graph("localhost"), nullptr);
    EXPECT_EQ(cloud_of_authority("localhost"), nullptr);
}

TEST(EndpointTest, ImapTokensAreForTheHostsCloud) {
    EXPECT_EQ(imap_token_scope("outlook.office365.com"), "https://outlook.office365.com/.default");
    EXPECT_EQ(imap_token_scope("Outlook.Office365.US"), "https://outlook.office365.us/.default");
    EXPECT_EQ(imap_token_scope("localhost"), "https://outlook.office365.com/.default");
}

TEST(EndpointTest, InitialDomains) {
    for (auto const* const initial : {"a@contoso.onmicrosoft.com", "a@Contoso.OnMicrosoft.COM",
                                      "a@contoso.mail.onmicrosoft.com", "a@c.onmicrosoft.us"})
        EXPECT_TRUE(is_on_initial_domain(initial)) << initial;
    for (auto const* const custom :
         {"a@contoso.com", "a", "a@onmicrosoft.com", "a@.onmicrosoft.com", "a@xonmicrosoft.com",
          "a@x.onmicrosoft.com.example"})
        EXPECT_FALSE(is_on_initial_domain(custom)) << custom;
}

}  // namespace
}  // namespace mailferry::config
