#include "transport/graph/paths.hpp"
#include "transport/graph/app.hpp"

#include <gmock/gmock.h>

namespace mailferry::graph {
namespace {

TEST(Paths, EncodeIdsAsSegments) {
    EXPECT_EQ(paths::settings("alice@source.example"),
              "/users/alice%40source.example/settings/exchange");
    EXPECT_EQ(paths::items("MBX:1@2", "AA-_b=="),
              "/admin/exchange/mailboxes/MBX%3A1%402/folders/AA-_b%3D%3D/items");
    EXPECT_EQ(paths::child_folders("M", "a/b"),
              "/admin/exchange/mailboxes/M/folders/a%2Fb/childFolders");
    EXPECT_EQ(paths::item("M", "f", "i"), "/admin/exchange/mailboxes/M/folders/f/items/i");
}

TEST(Paths, OptionsHoldNoBlank) {
    for (auto const& options : {paths::item_options(500), paths::folder_options(250)}) {
        EXPECT_EQ(options.find(' '), std::string::npos);
        EXPECT_EQ(options.find('\''), std::string::npos);
    }
    EXPECT_NE(paths::item_options().find("%27Binary%200x300B%27"), std::string::npos);
}

TEST(Addresses, FollowTheCloud) {
    config::Tenant tenant;
    tenant.host = "graph.microsoft.com";
    auto const global = addresses_of(tenant);
    EXPECT_EQ(global.root, "https://graph.microsoft.com/v1.0");
    EXPECT_EQ(global.scope, "https://graph.microsoft.com/.default");
    EXPECT_THAT(global.hosts, testing::Contains("outlook.office365.com"));
    tenant.host = "graph.microsoft.us";
    EXPECT_THAT(addresses_of(tenant).hosts, testing::Contains("outlook.office365.us"));
    EXPECT_THAT(addresses_of(tenant).hosts,
                testing::Not(testing::Contains("outlook.office365.com")));
}

TEST(Addresses, OfATestServerHoldItsPort) {
    config::Tenant tenant;
    tenant.host = "127.0.0.1:8443";
    tenant.authority = "https://127.0.0.1:8444";
    auto const addresses = addresses_of(tenant);
    EXPECT_EQ(addresses.root, "https://127.0.0.1:8443/v1.0");
    EXPECT_EQ(addresses.scope, "https://graph.microsoft.com/.default");
    EXPECT_THAT(addresses.hosts, testing::ElementsAre("127.0.0.1"));
}

}  // namespace
}  // namespace mailferry::graph
