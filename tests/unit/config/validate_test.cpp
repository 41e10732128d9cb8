#include "config/validate.hpp"
#include "config/check.hpp"
#include "config/load.hpp"
#include "config/mapping.hpp"
#include "tests/unit/config/problem_text.hpp"
#include "tests/unit/config/temp_dir.hpp"

#include <gmock/gmock.h>

namespace mailferry::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A folder with the files that the configurations below name.
class ValidateTest : public testing::Test {
protected:
    ValidateTest() {
        dir_.write("pw", "x\n");
        dir_.write("open", "x\n", 0644);
        dir_.write("ca.pem", "x", 0644);
        dir_.write("m.csv", "source,target\na@x.example,a@y.example\n");
    }

    Config sound() const {
        auto const file = dir_.path() / "m.toml";
        auto loaded = parse_config(R"([tenant.a]
host = "a.example"
[[tenant.a.admin]]
user = "admin"
password_file = "pw"
[tenant.b]
host = "b.example"
[[tenant.b.admin]]
user = "admin"
password_file = "pw"
[migration.m]
source = "a"
target = "b"
mapping = "m.csv"
[[migration.m.pass]]
name = "all"
)",
                                   file);
        EXPECT_THAT(described(loaded.problems), IsEmpty());
        return std::move(loaded.config);
    }

    /// The messages after one change, without `file:line: `.
    template <class Change>
    std::vector<std::string> after(Change change) const {
        auto config = sound();
        change(config);
        auto const problems = validate(config);
        for (auto const& problem : problems) {
            EXPECT_EQ(problem.file, (dir_.path() / "m.toml").string());
            EXPECT_GT(problem.line, 0);
        }
        return messages_of(problems);
    }

    TempDir dir_;
};

TEST_F(ValidateTest, ASoundConfigurationHasNoProblem) {
    EXPECT_THAT(after([](Config&) {}), IsEmpty());
}

TEST_F(ValidateTest, NothingAtAll) {
    Config empty;
    empty.file = "m.toml";
    EXPECT_THAT(described(validate(empty)),
                ElementsAre("m.toml:1: no [tenant.NAME]: source and target are tenants",
                            "m.toml:1: no [migration.NAME]: nothing would be copied"));
}

TEST_F(ValidateTest, MissingParts) {
    EXPECT_THAT(after([](Config& c) { c.tenants[0].host.clear(); }),
                ElementsAre("tenant.a: host is missing"));
    EXPECT_THAT(after([](Config& c) { c.tenants[0].admins.clear(); }),
                ElementsAre(HasSubstr("tenant.a: no [[tenant.a.admin]]")));
    EXPECT_THAT(after([](Config& c) { c.migrations[0].source.clear(); }),
                ElementsAre("migration.m: source is missing"));
    EXPECT_THAT(after([](Config& c) { c.migrations[0].target = "bb"; }),
                ElementsAre("migration.m: target \"bb\" is no tenant; did you mean \"b\"?"));
    EXPECT_THAT(after([](Config& c) { c.migrations[0].target = "zebra"; }),
                ElementsAre(HasSubstr("it needs a table [tenant.zebra]")));
    EXPECT_THAT(after([](Config& c) { c.migrations[0].mapping.clear(); }),
                ElementsAre("migration.m: mapping is missing"));
    EXPECT_THAT(after([](Config& c) { c.migrations[0].passes.clear(); }),
                ElementsAre(HasSubstr("no [[migration.m.pass]]")));
    EXPECT_THAT(after([](Config& c) { c.migrations[0].passes[0].name.clear(); }),
                ElementsAre("migration.m: a pass has no name"));
}

TEST_F(ValidateTest, Hosts) {
    auto const with_host = [&](std::string const& host) {
        return after([&](Config& c) { c.tenants[0].host = host; });
    };
    for (auto const* const bad : {"https://a.example", "a b", "a\n", "a.example/x"})
        EXPECT_THAT(with_host(bad), ElementsAre(HasSubstr("is not a bare host name"))) << bad;
    EXPECT_THAT(with_host("a.example:993"), ElementsAre(HasSubstr("use port = NUMBER")));
    for (auto const* const good : {"::1", "2001:db8::1", "10.0.0.1", "müller.example"})
        EXPECT_THAT(with_host(good), IsEmpty()) << good;
}

TEST_F(ValidateTest, PlaintextOnlyTowardsLoopback) {
    auto const with_host = [&](std::string const& host, bool allowed) {
        return after([&](Config& c) {
            c.tenants[0].host = host;
            c.tenants[0].tls = Tls::none;
            c.tenants[0].allow_plaintext = allowed;
        });
    };
    for (auto const* const host :
         {"127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"})
        EXPECT_THAT(with_host(host, false), IsEmpty()) << host;
    for (auto const* const host :
         {"10.0.0.1", "128.0.0.1", "localhost.example", "127.example", "::2"}) {
        EXPECT_THAT(with_host(host, false), ElementsAre(HasSubstr("in the clear"))) << host;
        EXPECT_THAT(with_host(host, true), IsEmpty()) << host;
    }
}

TEST_F(ValidateTest, PortsThatDontFitTls) {
    EXPECT_THAT(after([](Config& c) { c.tenants[0].port = 143; }),
                ElementsAre(HasSubstr("warning: tenant.a: port 143")));
    EXPECT_THAT(after([](Config& c) {
                    c.tenants[0].port = 993;
                    c.tenants[0].tls = Tls::starttls;
                }),
                ElementsAre(HasSubstr("warning: tenant.a: port 993")));
}

TEST_F(ValidateTest, ProtocolsOfLaterVersions) {
    for (auto const protocol : {Protocol::dav, Protocol::ews, Protocol::jmap})
        EXPECT_THAT(after([&](Config& c) { c.tenants[0].protocol = protocol; }),
                    Contains(HasSubstr("is not supported by this version; supported are \"imap\" "
                                       "and \"graph\"")));
}

TEST_F(ValidateTest, ProtocolsDontMix) {
    EXPECT_THAT(after([&](Config& c) { c.tenants[0].protocol = Protocol::graph; }),
                testing::AllOf(Contains("tenant.a: tenant_id is missing"),
                               Contains(HasSubstr("auth = \"plain\" doesn't fit protocol = "
                                                  "\"graph\"; accepted are \"app-secret\" or "
                                                  "\"app-certificate\"")),
                               Contains("migration.m: source is graph and target is imap; items "
                                        "cross between tenants of the same protocol in this "
                                        "version: imap→imap, graph→graph")));
}

TEST_F(ValidateTest, Admins) {
    auto const with = [&](auto change) {
        return after([&](Config& c) { change(c.tenants[0].admins[0]); });
    };
    EXPECT_THAT(with([](Admin& a) { a.user.clear(); }),
                ElementsAre("tenant.a: admin: user is missing"));
    EXPECT_THAT(with([](Admin& a) { a.password = {}; }),
                ElementsAre(HasSubstr("password_credential or password_file is missing")));
    EXPECT_THAT(with([&](Admin& a) { a.password.file = dir_.path() / "open"; }),
                ElementsAre(HasSubstr("chmod 600")));
    EXPECT_THAT(with([&](Admin& a) { a.password.file = dir_.path() / "none"; }),
                ElementsAre(HasSubstr("No such file")));
    EXPECT_THAT(with([](Admin& a) { a.client_id = "x"; }),
                ElementsAre("tenant.a: admin: client_id doesn't fit auth = \"plain\""));
    EXPECT_THAT(with([](Admin& a) { a.certificate_file = "x"; }),
                ElementsAre(HasSubstr("certificate_file and key_* don't fit")));
    EXPECT_THAT(with([](Admin& a) {
                    a.auth = Auth::xoauth2;
                    a.password = {};
                }),
                ElementsAre(HasSubstr("token_credential or token_file is missing")));
    EXPECT_THAT(with([](Admin& a) { a.auth = Auth::app_certificate; }),
                testing::AllOf(Contains(HasSubstr("tenant_id is missing")),
                               Contains(HasSubstr("user doesn't fit")),
                               Contains(HasSubstr("client_id is missing")),
                               Contains(HasSubstr("certificate_file is missing")),
                               Contains(HasSubstr("key_credential or key_file is missing"))));
    EXPECT_THAT(with([](Admin& a) {
                    a.auth = Auth::user;
                    a.user.clear();
                    a.password = {};
                }),
                IsEmpty());
    EXPECT_THAT(with([](Admin& a) { a.auth = Auth::user; }),
                ElementsAre(HasSubstr("user doesn't fit"), HasSubstr("from the mapping only")));
    EXPECT_THAT(after([](Config& c) { c.tenants[0].admins.push_back(c.tenants[0].admins[0]); }),
                ElementsAre(HasSubstr("admin \"admin\" is there twice")));
    EXPECT_THAT(after([](Config& c) {
                    Admin user;
                    user.place = c.tenants[0].admins[0].place;
                    user.auth = Auth::user;
                    c.tenants[0].admins.push_back(user);
                }),
                ElementsAre(HasSubstr("must be the only one")));
    EXPECT_THAT(after([](Config& c) {
                    c.tenants[0].admins[0].auth = Auth::login_master;
                    c.tenants[0].master_separator.clear();
                }),
                ElementsAre(HasSubstr("master_separator is empty")));
}

TEST_F(ValidateTest, ImapByTheTokensOfAnApp) {
    auto const with = [&](auto change) {
        return after([&](Config& config) {
            auto& tenant = config.tenants[0];
            tenant.tenant_id = "0a1b2c3d-0000-4000-8000-000000000001";
            auto& admin = tenant.admins[0];
            admin.auth = Auth::app_secret;
            admin.user.clear();
            admin.client_id = "0a1b2c3d-0000-4000-8000-000000000002";
            change(tenant);
        });
    };
    EXPECT_THAT(with([](Tenant&) {}), testing::IsEmpty());
    EXPECT_THAT(with([](Tenant& t) { t.authority = "login.example"; }),
                ElementsAre(HasSubstr("authority \"login.example\" isn't https://HOST")));
    EXPECT_THAT(with([](Tenant& t) { t.https_proxy = "p"; }),
                ElementsAre(HasSubstr("https_proxy isn't http://HOST:PORT")));
    EXPECT_THAT(with([](Tenant& t) {
                    t.admins[0].auth = Auth::plain;
                    t.admins[0].user = "admin";
                    t.admins[0].client_id.clear();
                }),
                ElementsAre(HasSubstr("authority, tenant_id and https_proxy are for admins with")));
}

TEST_F(ValidateTest, CertificateFiles) {
    EXPECT_THAT(after([&](Config& c) { c.tenants[0].ca_file = dir_.path() / "ca.pem"; }),
                IsEmpty());
    EXPECT_THAT(after([&](Config& c) { c.tenants[0].ca_file = dir_.path() / "none"; }),
                ElementsAre(HasSubstr("No such file")));
    EXPECT_THAT(after([&](Config& c) { c.tenants[0].ca_file = dir_.path(); }),
                ElementsAre(HasSubstr("not a regular file")));
}

TEST_F(ValidateTest, Passes) {
    using std::chrono::hours;
    auto const with = [&](auto change) {
        return after([&](Config& c) { change(c.migrations[0].passes[0]); });
    };
    auto const instant = [](int seconds) {
        return std::chrono::sys_seconds(std::chrono::seconds(seconds));
    };
    constexpr auto empty_window = "the window is empty";
    EXPECT_THAT(with([&](Pass& p) { p.mail_since = instant(5), p.mail_before = instant(5); }),
                ElementsAre(HasSubstr(empty_window)));
    EXPECT_THAT(with([&](Pass& p) { p.mail_since = instant(4), p.mail_before = instant(5); }),
                IsEmpty());
    EXPECT_THAT(with([](Pass& p) { p.mail_since_age = hours(24), p.mail_before_age = hours(24); }),
                ElementsAre(HasSubstr(empty_window)));
    EXPECT_THAT(with([](Pass& p) { p.mail_since_age = hours(48), p.mail_before_age = hours(24); }),
                IsEmpty());
    EXPECT_THAT(with([](Pass& p) { p.name = "a b"; }), ElementsAre(HasSubstr("no blanks")));
    EXPECT_THAT(with([](Pass& p) { p.kinds.clear(); }), ElementsAre(HasSubstr("kinds is empty")));
    EXPECT_THAT(with([](Pass& p) {
                    p.kinds = {ItemKind::mail, ItemKind::calendar};
                }),
                ElementsAre("migration.m: pass \"all\": calendar is not carried by imap: take it "
                            "out of kinds"));
    EXPECT_THAT(with([](Pass& p) {
                    p.kinds = {ItemKind::contacts, ItemKind::tasks};
                }),
                ElementsAre(HasSubstr("contacts, tasks are not carried by imap")));
    EXPECT_THAT(with([](Pass& p) {
                    p.kinds = {ItemKind::mail, ItemKind::mail};
                }),
                ElementsAre(HasSubstr("is there twice")));
    EXPECT_THAT(with([](Pass& p) {
                    p.kinds = {ItemKind::contacts};
                    p.mail_since_age = hours(24);
                }),
                Contains(HasSubstr("do nothing without kind \"mail\"")));
    EXPECT_THAT(
        after([](Config& c) { c.migrations[0].passes.push_back(c.migrations[0].passes[0]); }),
        ElementsAre(HasSubstr("pass \"all\" is there twice")));
}

TEST_F(ValidateTest, Limits) {
    constexpr std::uint64_t mebibyte = 1 << 20;
    auto const with_spool = [&](std::uint64_t max, std::uint64_t segment,
                                std::optional<std::uint64_t> low) {
        return after([&](Config& c) {
            c.spool.max_bytes.value = max;
            c.spool.segment_bytes.value = segment;
            if (low) c.spool.low_water = ByteCount{*low};
        });
    };
    EXPECT_THAT(with_spool(2 * mebibyte, mebibyte, 2 * mebibyte), IsEmpty());
    EXPECT_THAT(with_spool(512 * mebibyte, 256 * mebibyte, std::nullopt), IsEmpty());
    EXPECT_THAT(with_spool(2 * mebibyte, mebibyte, 3 * mebibyte),
                ElementsAre("spool.low_water (3 MiB) is above spool.max_bytes (2 MiB)"));
    EXPECT_THAT(with_spool(2 * mebibyte - 1, mebibyte, std::nullopt),
                ElementsAre(HasSubstr("must hold two segments")));
    EXPECT_THAT(with_spool(2048 * mebibyte, mebibyte - 1, std::nullopt),
                ElementsAre(HasSubstr("from 1MiB to 256MiB")));
    EXPECT_THAT(with_spool(2048 * mebibyte, 256 * mebibyte + 1, std::nullopt),
                ElementsAre(HasSubstr("from 1MiB to 256MiB")));
    EXPECT_THAT(after([](Config& c) { c.daemon.memory_max.value = 16 * mebibyte - 1; }),
                ElementsAre(HasSubstr("at least 16MiB")));
    EXPECT_THAT(after([](Config& c) { c.daemon.control_socket = std::string(108, 'x'); }),
                ElementsAre(HasSubstr("at most 107 bytes")));
    EXPECT_THAT(after([&](Config& c) { c.spool.key.file = dir_.path() / "open"; }),
                ElementsAre(HasSubstr("chmod 600")));
    for (auto const* const listen : {"9464", "127.0.0.1", ":9464", "127.0.0.1:", "127.0.0.1:70000"})
        EXPECT_THAT(after([&](Config& c) { c.daemon.metrics_listen = listen; }),
                    ElementsAre(HasSubstr("isn't ADDRESS:PORT")))
            << listen;
    for (auto const* const listen : {"", "[::1]:9464", "0.0.0.0:0"})
        EXPECT_THAT(after([&](Config& c) { c.daemon.metrics_listen = listen; }), IsEmpty());
}

TEST_F(ValidateTest, OneServerOnBothSides) {
    auto const same = [](Config& c) {
        c.tenants[1].host = "A.example";
        c.tenants[1].port = 993;
    };
    EXPECT_THAT(after(same), ElementsAre(HasSubstr("source and target are the same server")));
    auto config = sound();
    EXPECT_FALSE(mapping_use(config, config.migrations[0]).same_endpoint);
    same(config);
    EXPECT_TRUE(mapping_use(config, config.migrations[0]).same_endpoint);
    config.tenants[1].admins[0].auth = Auth::user;
    config.migrations[0].passes[0].waves = {"x"};
    auto const use = mapping_use(config, config.migrations[0]);
    EXPECT_TRUE(use.target_password && !use.source_password);
    EXPECT_THAT(use.waves, ElementsAre("x"));
}

// Goal: one call answers what `--check` prints: configuration and mapping, every problem, in order.
TEST_F(ValidateTest, CheckJudgesConfigurationAndMapping) {
    auto const file = dir_.write("m.toml", R"([tenant.a]
host = "127.0.0.1"
tls = "none"
pots = 3
[[tenant.a.admin]]
auth = "user"
[tenant.b]
[[tenant.b.admin]]
user = "admin"
password_file = "pw"
[migration.m]
source = "a"
target = "b"
mapping = "m.csv"
[[migration.m.pass]]
name = "all"
)");
    auto const checked = check_config(file);
    EXPECT_FALSE(checked.usable());
    EXPECT_THAT(described(checked.problems),
                ElementsAre(HasSubstr("m.toml:4: unknown key \"pots\""),
                            HasSubstr("m.toml:7: tenant.b: host is missing"),
                            HasSubstr("m.csv:2: no source_password_file")));
    EXPECT_EQ(checked.pairs.at("m").size(), 1u);
    auto const broken = check_config(dir_.write("broken.toml", "[tenant\n"));
    EXPECT_THAT(described(broken.problems), ElementsAre(HasSubstr("broken.toml:1: ")));
    EXPECT_FALSE(broken.usable());
    EXPECT_TRUE(CheckedConfig{}.usable());
}

}  // namespace
}  // namespace mailferry::config
