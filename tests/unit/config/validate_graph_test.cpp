#include "config/load.hpp"
#include "config/mapping.hpp"
#include "config/validate.hpp"
#include "tests/support/certificates.hpp"
#include "tests/unit/config/problem_text.hpp"
#include "tests/unit/config/temp_dir.hpp"

#include <gmock/gmock.h>

namespace mailferry::config {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::chrono::sys_seconds now = std::chrono::sys_days(2026y / 6 / 1) + 12h;

/// Two sound tenants of Microsoft's global cloud, and the files that they name.
class ValidateGraphTest : public testing::Test {
protected:
    static void SetUpTestSuite() { key_ = make_rsa_key(); }
    static void TearDownTestSuite() { key_.reset(); }

    ValidateGraphTest() {
        dir_.write("secret", "x\n");
        dir_.write("app.key", key_pem(key_));
        dir_.write("app.pem", certificate_pem(key_, now - 24h, now + 24h * 365), 0644);
    }

    Config sound() const {
        auto loaded = parse_config(R"([tenant.a]
protocol = "graph"
host = "graph.microsoft.com"
tenant_id = "0a1b2c3d-0000-4000-8000-000000000001"
[[tenant.a.admin]]
auth = "app-secret"
client_id = "0a1b2c3d-0000-4000-8000-00000000000a"
secret_file = "secret"
[tenant.b]
protocol = "graph"
host = "graph.microsoft.com"
tenant_id = "0a1b2c3d-0000-4000-8000-000000000002"
[[tenant.b.admin]]
auth = "app-certificate"
client_id = "0a1b2c3d-0000-4000-8000-00000000000b"
certificate_file = "app.pem"
key_file = "app.key"
[migration.m]
source = "a"
target = "b"
mapping = "m.csv"
[[migration.m.pass]]
name = "first"
kinds = ["mail", "calendar", "contacts", "tasks"]
mail_since = "7d"
)",
                                   dir_.path() / "m.toml");
        EXPECT_THAT(loaded.problems, IsEmpty());
        return std::move(loaded.config);
    }

    template <class Change>
    std::vector<std::string> after(Change change) const {
        auto config = sound();
        change(config);
        return messages_of(validate(config, now));
    }

    /// The same for one change to the first tenant.
    template <class Change>
    std::vector<std::string> with(Change change) const {
        return after([&](Config& config) { change(config.tenants[0]); });
    }

    /// The problems of a certificate and key that lie in `app.pem` and `app.key`.
    std::vector<std::string> with_pair(std::string const& certificate, std::string const& key) {
        dir_.write("app.pem", certificate, 0644);
        dir_.write("app.key", key);
        return after([](Config&) {});
    }

    static inline TestKey key_;
    TempDir dir_;
};

TEST_F(ValidateGraphTest, ASoundConfigurationHasNoProblem) {
    EXPECT_THAT(after([](Config&) {}), IsEmpty());
    EXPECT_THAT(with([](Tenant& t) {
                    t.host = "localhost:8443";
                    t.authority = "https://localhost:8444";
                    t.https_proxy = "http://proxy.example:3128";
                    t.throttle_scale = 100;
                }),
                IsEmpty());
}

TEST_F(ValidateGraphTest, Addresses) {
    EXPECT_THAT(with([](Tenant& t) { t.host.clear(); }),
                ElementsAre(HasSubstr("host is missing; Microsoft's global cloud")));
    EXPECT_THAT(with([](Tenant& t) { t.host = "https://graph.microsoft.com"; }),
                ElementsAre(HasSubstr("is no host name or address")));
    for (auto const* const bad : {"http://localhost", "localhost", "https://localhost/tenant", ""})
        EXPECT_THAT(with([&](Tenant& t) { t.authority = bad; }),
                    ElementsAre(HasSubstr("isn't https://HOST")))
            << bad;
    EXPECT_THAT(with([](Tenant& t) { t.https_proxy = "https://proxy:3128"; }),
                ElementsAre("tenant.a: https_proxy isn't http://HOST:PORT"));
    EXPECT_THAT(with([](Tenant& t) { t.https_proxy = "http://me:hunter2@proxy:3128"; }),
                ElementsAre(AllOf(HasSubstr("a password"), Not(HasSubstr("hunter2")))));
    EXPECT_THAT(with([](Tenant& t) { t.tls = Tls::none; }),
                ElementsAre(HasSubstr("tls = \"none\" doesn't fit protocol = \"graph\"")));
    EXPECT_THAT(with([](Tenant& t) { t.throttle_scale = 1.5; }),
                ElementsAre(HasSubstr("throttle_scale above 1 is for simulators")));
    EXPECT_THAT(with([](Tenant& t) { t.throttle_scale = 0.5; }), IsEmpty());
    EXPECT_THAT(with([&](Tenant& t) { t.ca_file = dir_.path() / "none"; }),
                ElementsAre(HasSubstr("No such file")));
}

TEST_F(ValidateGraphTest, Clouds) {
    auto const in = [&](std::string host, std::string authority) {
        return with([&](Tenant& t) {
            t.host = host;
            t.authority = authority;
        });
    };
    EXPECT_THAT(in("graph.microsoft.us", "https://login.microsoftonline.us"),
                ElementsAre(HasSubstr("warning: tenant.a: the mailbox import/export API is "
                                      "documented for the global cloud only")));
    EXPECT_THAT(in("dod-graph.microsoft.us", "https://login.microsoftonline.us"),
                ElementsAre(HasSubstr("DoD")));
    EXPECT_THAT(in("graph.microsoft.us", "https://login.microsoftonline.com"),
                Contains(HasSubstr("its own is authority = \"https://login.microsoftonline.us\"")));
    EXPECT_THAT(in("graph.microsoft.com", "https://localhost"),
                ElementsAre(HasSubstr("warning: tenant.a: host \"graph.microsoft.com\" belongs to "
                                      "the cloud \"global\", but authority signs in at "
                                      "\"localhost\"")));
    EXPECT_THAT(in("localhost", "https://login.microsoftonline.com"),
                ElementsAre(HasSubstr("is none of Microsoft's")));
}

TEST_F(ValidateGraphTest, Identifiers) {
    auto const with_id = [&](std::string id) { return with([&](Tenant& t) { t.tenant_id = id; }); };
    EXPECT_THAT(with_id(""), ElementsAre("tenant.a: tenant_id is missing"));
    EXPECT_THAT(with_id("fabrikam.onmicrosoft.com"),
                ElementsAre(HasSubstr("warning: tenant.a: tenant_id \"fabrikam.onmicrosoft.com\" "
                                      "is a domain")));
    EXPECT_THAT(with_id("a/b"), ElementsAre(HasSubstr("no GUID and no domain")));
    EXPECT_THAT(with_id("11111111-1111-1111-1111-111111111111"),
                ElementsAre(HasSubstr("is the one that init wrote: put in")));
    auto const with_client = [&](std::string id) {
        return with([&](Tenant& t) { t.admins[0].client_id = id; });
    };
    EXPECT_THAT(with_client(""), ElementsAre("tenant.a: admin: client_id is missing"));
    EXPECT_THAT(with_client("my app"), ElementsAre(HasSubstr("is no GUID")));
    EXPECT_THAT(with_client("22222222-2222-2222-2222-222222222222"),
                ElementsAre(HasSubstr("is the one that init wrote: put in")));
}

TEST_F(ValidateGraphTest, Apps) {
    EXPECT_THAT(with([](Tenant& t) { t.admins[0].password = {}; }),
                ElementsAre(HasSubstr("secret_credential or secret_file is missing")));
    EXPECT_THAT(with([](Tenant& t) { t.admins[0].user = "x"; }),
                ElementsAre(HasSubstr("user doesn't fit auth = \"app-secret\"")));
    EXPECT_THAT(with([](Tenant& t) {
                    t.admins.push_back(t.admins[0]);
                    t.admins[1].client_id = "0A1B2C3D-0000-4000-8000-00000000000A";
                }),
                ElementsAre(HasSubstr("is there twice")));
    EXPECT_THAT(with([](Tenant& t) { t.sessions_per_mailbox = 5; }),
                ElementsAre(HasSubstr("warning: tenant.a: sessions_per_mailbox = 5: Microsoft")));
    EXPECT_THAT(with([](Tenant& t) {
                    t.admins.push_back(t.admins[0]);
                    t.admins[1].client_id = "0a1b2c3d-0000-4000-8000-00000000000c";
                    t.sessions_per_mailbox = 8;
                }),
                IsEmpty());
}

TEST_F(ValidateGraphTest, OneTenantOnBothSides) {
    auto config = sound();
    EXPECT_FALSE(same_endpoint(config.tenants[0], config.tenants[1]));
    config.tenants[1].tenant_id = "0A1B2C3D-0000-4000-8000-000000000001";
    config.tenants[1].host = "Graph.Microsoft.com:443";
    EXPECT_TRUE(same_endpoint(config.tenants[0], config.tenants[1]));
}

TEST_F(ValidateGraphTest, Certificates) {
    auto const key = key_pem(key_);
    EXPECT_THAT(with_pair(certificate_pem(key_, now - 24h, now + 24h * 29 + 1h), key),
                ElementsAre(AllOf(HasSubstr("warning: tenant.b: admin: certificate_file"),
                                  HasSubstr("expires on 2026-06-30, in 29 days"))));
    EXPECT_THAT(with_pair(certificate_pem(key_, now - 24h, now + 24h * 30), key), IsEmpty());
    EXPECT_THAT(with_pair(certificate_pem(key_, now - 48h, now - 24h), key),
                ElementsAre(HasSubstr("expired on 2026-05-31")));
    EXPECT_THAT(with_pair(certificate_pem(key_, now + 24h, now + 24h * 90), key),
                ElementsAre(HasSubstr("is valid from 2026-06-02 only")));
    EXPECT_THAT(with_pair("hello", key), ElementsAre(HasSubstr("holds no PEM certificate")));
    EXPECT_THAT(
        with_pair(certificate_pem(key_, now, now + 24h * 90), key_pem(make_rsa_key())),
        ElementsAre(AllOf(HasSubstr("app.key: the key is another one"), Not(HasSubstr("BEGIN")))));
}

TEST_F(ValidateGraphTest, CertificatesThatArentThere) {
    auto const with_app = [&](auto change) {
        return after([&](Config& config) { change(config.tenants[1].admins[0]); });
    };
    EXPECT_THAT(with_app([](Admin& a) { a.certificate_file.clear(); }),
                ElementsAre("tenant.b: admin: certificate_file is missing"));
    EXPECT_THAT(with_app([&](Admin& a) { a.certificate_file = dir_.path() / "none"; }),
                ElementsAre(HasSubstr("No such file")));
    EXPECT_THAT(with_app([](Admin& a) { a.key = {}; }),
                ElementsAre(HasSubstr("key_credential or key_file is missing")));
    EXPECT_THAT(with_app([&](Admin& a) { a.key.file = dir_.write("open.key", "x", 0644); }),
                ElementsAre(HasSubstr("chmod 600")));
}

}  // namespace
}  // namespace mailferry::config
