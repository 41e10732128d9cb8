#include "config/load.hpp"
#include "tests/unit/config/problem_text.hpp"
#include "tests/unit/config/temp_dir.hpp"

#include <gmock/gmock.h>

#include <clocale>

namespace mailferry::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto contract_example = R"(
[daemon]
state_dir      = "/var/lib/mailferry"
control_socket = "/run/mailferry/control.sock"
metrics_listen = "127.0.0.1:9464"
memory_max     = "256MiB"

[spool]
max_bytes  = "20GiB"
mode = "always"
key_credential = "spool-key"

[tenant.fabrikam]
protocol = "imap"
host = "imap.fabrikam.example"
port = 993
tls  = "implicit"
ca_file = "/etc/mailferry/fabrikam-ca.pem"
[[tenant.fabrikam.admin]]
user = "migrate1@fabrikam.example"
auth = "plain"
password_credential = "fabrikam-admin1"
max_sessions = 8

[tenant.contoso]
protocol  = "graph"
host      = "graph.microsoft.com"
authority = "https://login.microsoftonline.com"
tenant_id = "contoso.onmicrosoft.com"
[[tenant.contoso.admin]]
auth = "app-secret"
client_id = "11111111-2222-3333-4444-555555555555"
secret_credential = "contoso-app1"

[migration.merger]
source  = "fabrikam"
target  = "contoso"
mapping = "merger.csv"
exclude_folders = ["Junk", "Trash"]
[[migration.merger.pass]]
name = "first"
kinds = ["mail", "calendar", "contacts"]
mail_since = "7d"
[[migration.merger.pass]]
name = "half-year"
kinds = ["mail"]
mail_since = "180d"
[[migration.merger.pass]]
name = "final"
kinds = ["mail", "calendar", "contacts"]
)";

TEST(LoadTest, ReadsTheContractsExample) {
    auto const result = parse_config(contract_example, "/etc/mailferry/mailferry.toml");
    EXPECT_TRUE(result.parsed);
    EXPECT_THAT(described(result.problems), IsEmpty());
    auto const& config = result.config;
    EXPECT_EQ(config.daemon.memory_max.value, 256ULL << 20);
    EXPECT_EQ(config.spool.max_bytes.value, 20ULL << 30);
    EXPECT_EQ(config.spool.key.credential, "spool-key");
    ASSERT_EQ(config.tenants.size(), 2u);
    auto const& fabrikam = config.tenants[0];
    EXPECT_EQ(fabrikam.name, "fabrikam");
    EXPECT_EQ(fabrikam.place.line, 13);
    EXPECT_EQ(fabrikam.host, "imap.fabrikam.example");
    EXPECT_EQ(fabrikam.port, 993);
    EXPECT_EQ(fabrikam.ca_file, "/etc/mailferry/fabrikam-ca.pem");
    ASSERT_EQ(fabrikam.admins.size(), 1u);
    EXPECT_EQ(fabrikam.admins[0].place.line, 19);
    EXPECT_EQ(fabrikam.admins[0].password.credential, "fabrikam-admin1");
    auto const* const contoso = config.tenant("contoso");
    ASSERT_NE(contoso, nullptr);
    EXPECT_EQ(contoso->protocol, Protocol::graph);
    EXPECT_EQ(contoso->admins[0].auth, Auth::app_secret);
    EXPECT_EQ(contoso->admins[0].password.credential, "contoso-app1");
    EXPECT_EQ(config.tenant("nobody"), nullptr);
    ASSERT_EQ(config.migrations.size(), 1u);
    auto const& merger = config.migrations[0];
    EXPECT_EQ(merger.mapping, "/etc/mailferry/merger.csv");
    EXPECT_THAT(merger.exclude_folders, ElementsAre("Junk", "Trash"));
    ASSERT_EQ(merger.passes.size(), 3u);
    EXPECT_EQ(merger.passes[0].name, "first");
    EXPECT_EQ(merger.passes[0].mail_since_age, std::chrono::hours(7 * 24));
    EXPECT_EQ(merger.passes[1].name, "half-year");
    EXPECT_EQ(merger.passes[2].name, "final");
    EXPECT_FALSE(merger.passes[2].mail_since_age || merger.passes[2].mail_since);
}

TEST(LoadTest, ReadsEveryOtherKey) {
    auto const result = parse_config(R"(
[daemon]
log_level = "debug"
state_dir = "state"
metrics_listen = ""
[spool]
low_water = 1000
segment_bytes = "16MiB"
mode = "auto"
key_file = "../spool.key"
[tenant.a]
tls = "starttls"
allow_plaintext = true
master_separator = "+"
compress = true
sessions_per_mailbox = 2
connect_timeout = "500ms"
idle_timeout = "2m"
[[tenant.a.admin]]
auth = "xoauth2"
token_file = "a.token"
logins_per_second = 5
[[tenant.a.admin]]
auth = "app-certificate"
certificate_file = "a.pem"
key_file = "a.key"
[migration.m]
copy_deleted = true
[[migration.m.pass]]
name = "p"
mail_since = 2026-01-31
mail_before = 2026-01-31T09:00:00+01:00
waves = ["one", "two"]
)",
                                     "conf/m.toml");
    EXPECT_THAT(described(result.problems), IsEmpty());
    auto const& config = result.config;
    EXPECT_EQ(config.daemon.log_level, "debug");
    EXPECT_EQ(config.daemon.state_dir, "conf/state");
    EXPECT_EQ(config.daemon.metrics_listen, "");
    EXPECT_EQ(config.spool.low_water, ByteCount{1000});
    EXPECT_EQ(config.spool.segment_bytes.value, 16ULL << 20);
    EXPECT_EQ(config.spool.mode, SpoolMode::automatic);
    EXPECT_EQ(config.spool.key.file, "spool.key");
    auto const& tenant = config.tenants.at(0);
    EXPECT_EQ(tenant.tls, Tls::starttls);
    EXPECT_TRUE(tenant.allow_plaintext && tenant.compress);
    EXPECT_EQ(tenant.master_separator, "+");
    EXPECT_EQ(tenant.sessions_per_mailbox, 2u);
    EXPECT_EQ(tenant.connect_timeout, std::chrono::milliseconds(500));
    EXPECT_EQ(tenant.idle_timeout, std::chrono::minutes(2));
    EXPECT_EQ(tenant.admins.at(0).password.file, "conf/a.token");
    EXPECT_EQ(tenant.admins.at(0).logins_per_second, 5u);
    EXPECT_EQ(tenant.admins.at(1).key.file, "conf/a.key");
    EXPECT_EQ(tenant.admins.at(1).certificate_file, "conf/a.pem");
    auto const& pass = config.migrations.at(0).passes.at(0);
    EXPECT_TRUE(config.migrations[0].copy_deleted);
    EXPECT_EQ(pass.mail_since->time_since_epoch().count(), 1769817600);
    EXPECT_EQ(pass.mail_before->time_since_epoch().count(), 1769846400);
    EXPECT_THAT(pass.waves, ElementsAre("one", "two"));
}

TEST(LoadTest, ReadsTheKeysOfGraph) {
    auto const result = parse_config(R"(
[tenant.a]
protocol = "graph"
host = "127.0.0.1:8443"
authority = "https://127.0.0.1:8444/"
https_proxy = "http://proxy.example:3128"
throttle_scale = 0.5
[[tenant.a.admin]]
auth = "app-certificate"
client_id = "11111111-2222-3333-4444-555555555555"
certificate_file = "a.pem"
key_file = "a.key"
[[tenant.a.admin]]
auth = "app-secret"
max_sessions = 7
[tenant.b]
protocol = "graph"
throttle_scale = 100
)",
                                     "conf/m.toml");
    EXPECT_THAT(described(result.problems), IsEmpty());
    auto const& tenant = result.config.tenants.at(0);
    EXPECT_EQ(tenant.host, "127.0.0.1:8443");
    EXPECT_EQ(tenant.authority, "https://127.0.0.1:8444");
    EXPECT_EQ(tenant.https_proxy, "http://proxy.example:3128");
    EXPECT_EQ(tenant.throttle_scale, 0.5);
    EXPECT_EQ(tenant.admins.at(0).max_sessions, 64u);
    EXPECT_EQ(tenant.admins.at(1).max_sessions, 7u);
    auto const& bare = result.config.tenants.at(1);
    EXPECT_EQ(bare.authority, "https://login.microsoftonline.com");
    EXPECT_EQ(bare.throttle_scale, 100);
}

struct ProblemCase {
    std::string_view name, toml, problem;
};

constexpr ProblemCase problem_cases[] = {
    {"syntax", "[daemon]\nstate_dir = \n", "m.toml:2: "},
    {"header_that_begins_badly", "[daemon]\n[=a]\n", "m.toml:2: "},
    {"header_of_brackets", "[[[\n", "m.toml:1: "},
    {"letter_outside_quotes", "[tenant.m\u00fcnchen]\n", "m.toml:1: "},
    {"letter_between_key_and_value", "[daemon]\nlog_level \u00fc= 1\n", "m.toml:2: "},
    {"table_twice", "[tenant.a]\n[tenant.a]\n", "m.toml:2: "},
    {"unknown_table", "[deamon]\n", "m.toml:1: unknown key \"deamon\"; did you mean \"daemon\"?"},
    {"unknown_top_key", "zebra = 1\n",
     "m.toml:1: unknown key \"zebra\"; accepted are \"daemon\", \"migration\", \"spool\" or "
     "\"tenant\""},
    {"unknown_key", "[tenant.a]\nhosts = \"x\"\n",
     "m.toml:2: unknown key \"hosts\" in [tenant.a]; did you mean \"host\"?"},
    {"unknown_admin_key", "[[tenant.a.admin]]\npasword_file = \"x\"\n",
     "m.toml:2: unknown key \"pasword_file\" in [tenant.a.admin]; did you mean \"password_file\"?"},
    {"unknown_pass_key", "[[migration.m.pass]]\nmail_sinc = \"7d\"\n",
     "m.toml:2: unknown key \"mail_sinc\" in [migration.m.pass]; did you mean \"mail_since\"?"},
    {"daemon_is_no_table", "daemon = 1\n",
     "m.toml:1: daemon: expected is a table, [daemon], not a number"},
    {"tenant_without_name", "[tenant]\nhost = \"x\"\n",
     "m.toml:2: tenant: \"host\" stands outside a table; begin one with [tenant.NAME]"},
    {"tenants_as_array", "[[tenant]]\nhost = \"x\"\n",
     "m.toml:1: tenant: expected is tables with a name, [tenant.NAME], not an array"},
    {"admin_is_no_list", "[tenant.a.admin]\nuser = \"x\"\n",
     "m.toml:1: tenant.a.admin: expected is a list of tables, each begun with [[tenant.a.admin]], "
     "not a table"},
    {"admin_of_strings", "[tenant.a]\nadmin = [\"x\"]\n",
     "m.toml:2: tenant.a.admin: expected is a table begun with [[tenant.a.admin]], not a string"},
    {"string_for_number", "[tenant.a]\nport = \"993\"\n",
     "m.toml:2: tenant.a.port: expected is a whole number from 1 to 65535, not a string"},
    {"port_out_of_range", "[tenant.a]\nport = 65536\n",
     "m.toml:2: tenant.a.port: 65536 is out of range; expected is a whole number from 1 to 65535"},
    {"port_negative", "[tenant.a]\nport = -1\n", "m.toml:2: tenant.a.port: -1 is out of range"},
    {"number_with_fraction", "[tenant.a]\nsessions_per_mailbox = 1.5\n",
     "m.toml:2: tenant.a.sessions_per_mailbox: expected is a whole number from 1 to 64, not a "
     "number with a fraction"},
    {"zero_sessions", "[[tenant.a.admin]]\nmax_sessions = 0\n",
     "m.toml:2: tenant.a.admin.max_sessions: 0 is out of range"},
    {"number_for_string", "[tenant.a]\nhost = 1\n",
     "m.toml:2: tenant.a.host: expected is a string, not a number"},
    {"string_for_boolean", "[tenant.a]\ncompress = \"yes\"\n",
     "m.toml:2: tenant.a.compress: expected is true or false (without quotes), not a string"},
    {"protocol", "[tenant.a]\nprotocol = \"pop3\"\n",
     "m.toml:2: tenant.a.protocol: \"pop3\" is unknown; accepted are \"imap\", \"dav\", \"ews\", "
     "\"graph\" or \"jmap\""},
    {"tls", "[tenant.a]\ntls = \"ssl\"\n",
     "m.toml:2: tenant.a.tls: \"ssl\" is unknown; accepted are \"implicit\", \"starttls\" "
     "or \"none\""},
    {"auth", "[[tenant.a.admin]]\nauth = \"oauth\"\n",
     "m.toml:2: tenant.a.admin.auth: \"oauth\" is unknown; accepted are \"plain\", "
     "\"login-master\", \"xoauth2\", \"user\", \"app-secret\" or \"app-certificate\""},
    {"log_level", "[daemon]\nlog_level = \"trace\"\n",
     "m.toml:2: daemon.log_level: \"trace\" is unknown; accepted are \"debug\", \"info\", "
     "\"warning\" or \"error\""},
    {"spool_mode", "[spool]\nmode = \"never\"\n",
     "m.toml:2: spool.mode: \"never\" is unknown; accepted are \"always\" or \"auto\""},
    {"size", "[daemon]\nmemory_max = \"256 megs\"\n",
     "m.toml:2: daemon.memory_max: \"256 megs\" is no size; accepted are sizes like"},
    {"size_type", "[spool]\nmax_bytes = true\n",
     "m.toml:2: spool.max_bytes: expected is a size like \"64MiB\" or \"20GiB\", not a boolean"},
    {"negative_size", "[spool]\nmax_bytes = -5\n", "m.toml:2: spool.max_bytes: expected is a size"},
    {"timeout", "[tenant.a]\nidle_timeout = \"soon\"\n",
     "m.toml:2: tenant.a.idle_timeout: \"soon\" is no time; accepted are times like"},
    {"zero_timeout", "[tenant.a]\nconnect_timeout = \"0s\"\n",
     "m.toml:2: tenant.a.connect_timeout: \"0s\" is no time"},
    {"timeout_number", "[tenant.a]\nidle_timeout = 20\n",
     "m.toml:2: tenant.a.idle_timeout: expected is a time like \"20s\" or \"2m\", not a number"},
    {"kind", "[[migration.m.pass]]\nkinds = [\"mail\",\n\"notes\"]\n",
     "m.toml:3: migration.m.pass.kinds: \"notes\" is unknown; accepted are \"mail\", \"calendar\", "
     "\"contacts\" or \"tasks\""},
    {"kinds_as_string", "[[migration.m.pass]]\nkinds = \"mail\"\n",
     "m.toml:2: migration.m.pass.kinds: expected is a list like [\"a\", \"b\"], not a string"},
    {"scale", "[tenant.a]\nprotocol = \"graph\"\nthrottle_scale = \"half\"\n",
     "m.toml:3: tenant.a.throttle_scale: expected is a number like 0.5, not a string"},
    {"scale_out_of_range", "[tenant.a]\nprotocol = \"graph\"\nthrottle_scale = 0\n",
     "m.toml:3: tenant.a.throttle_scale: is out of range; expected is a number from 0.001 to "
     "1000"},
    {"scale_nan", "[tenant.a]\nprotocol = \"graph\"\nthrottle_scale = nan\n",
     "m.toml:3: tenant.a.throttle_scale: is out of range"},
    {"scale_for_imap", "[tenant.a]\nthrottle_scale = 0.5\n",
     "m.toml:2: tenant.a.throttle_scale: doesn't fit protocol = \"imap\""},
    {"compress_for_graph", "[tenant.a]\nprotocol = \"graph\"\ncompress = true\n",
     "m.toml:3: tenant.a.compress: doesn't fit protocol = \"graph\""},
    {"port_for_graph", "[tenant.a]\nprotocol = \"graph\"\nport = 443\n",
     "m.toml:3: tenant.a.port: doesn't fit protocol = \"graph\"; write host = \"NAME:PORT\""},
    {"folder_number", "[migration.m]\nexclude_folders = [1]\n",
     "m.toml:2: migration.m.exclude_folders: expected is a string, not a number"},
    {"folder_empty", "[migration.m]\nexclude_folders = [\"\"]\n",
     "m.toml:2: migration.m.exclude_folders: an empty string stands for nothing here"},
    {"age", "[[migration.m.pass]]\nmail_since = \"6 months\"\n",
     "m.toml:2: migration.m.pass.mail_since: \"6 months\" can't be used; accepted are an age like"},
    {"time_without_offset", "[[migration.m.pass]]\nmail_before = 2026-01-31T08:00:00\n",
     "m.toml:2: migration.m.pass.mail_before: \"a time without its offset\" can't be used"},
    {"moment_type", "[[migration.m.pass]]\nmail_since = 7\n",
     "m.toml:2: migration.m.pass.mail_since: expected is an age or a date, not a number"},
    {"date_before_1970", "[[migration.m.pass]]\nmail_since = 1960-01-01\n",
     "m.toml:2: migration.m.pass.mail_since: \"this date\" can't be used"},
    {"empty_path", "[tenant.a]\nca_file = \"\"\n", "m.toml:2: tenant.a.ca_file: the path is empty"},
    {"nul_in_path", "[tenant.a]\nca_file = \"a\\u0000b\"\n",
     "m.toml:2: tenant.a.ca_file: the path has a NUL character"},
    {"both_sources", "[spool]\nkey_credential = \"a\"\nkey_file = \"b\"\n",
     "m.toml:3: spool.key_file: key_credential is set too: keep one of them"},
    {"empty_credential", "[spool]\nkey_credential = \"\"\n",
     "m.toml:2: spool.key_credential: the credential's name is empty"},
    {"token_for_plain", "[[tenant.a.admin]]\ntoken_file = \"t\"\n",
     "m.toml:2: tenant.a.admin.token_file: token_* doesn't fit auth = \"plain\"; it takes "
     "password_credential or password_file"},
    {"password_for_user", "[[tenant.a.admin]]\nauth = \"user\"\npassword_file = \"t\"\n",
     "m.toml:3: tenant.a.admin.password_file: password_* doesn't fit auth = \"user\": each row of "
     "the mapping names its own password file"},
    {"control_characters_are_shown", "[tenant.a]\nprotocol = \"a\\u001b\"\n",
     "m.toml:2: tenant.a.protocol: \"a\\x1b\" is unknown"},
};

class LoadProblemTest : public testing::TestWithParam<ProblemCase> {};

TEST_P(LoadProblemTest, NamesLineAndCure) {
    auto const& c = GetParam();
    auto const result = parse_config(c.toml, "m.toml");
    EXPECT_THAT(described(result.problems), ElementsAre(HasSubstr(std::string(c.problem))));
}

INSTANTIATE_TEST_SUITE_P(Config, LoadProblemTest, testing::ValuesIn(problem_cases),
                         [](auto const& c) { return std::string(c.param.name); });

// Goal: no way of writing a secret into the file is accepted, and none is ever repeated.
TEST(LoadTest, SecretsInTheFileAreRefusedWithTheCure) {
    for (std::string const key : {"password", "token", "secret", "key"}) {
        for (std::string const value : {"\"hunter2\"", "[\"hunter2\"]", "{ a = \"hunter2\" }"}) {
            auto const result =
                parse_config("[[tenant.a.admin]]\n" + key + " = " + value + "\n", "m.toml");
            EXPECT_THAT(
                described(result.problems),
                ElementsAre(testing::AllOf(HasSubstr("m.toml:2: tenant.a.admin." + key),
                                           HasSubstr(key + "_file"), Not(HasSubstr("hunter2")))));
        }
    }
    for (auto const* const broken : {"password = hunter2\n", "password = \"hunter2\n",
                                     "pass word = \"hunter2\"\n", "password_file = [\"hunter2\"]\n",
                                     "passwd = \"hunter2\"\n", "password = \"\\hunter2\"\n"}) {
        auto const result = parse_config("[[tenant.a.admin]]\n" + std::string(broken), "m.toml");
        ASSERT_THAT(result.problems, testing::SizeIs(1)) << broken;
        EXPECT_THAT(result.problems[0].describe(), Not(HasSubstr("hunter2")));
    }
}

TEST(LoadTest, AllProblemsAtOnceInTheFilesOrder) {
    auto const result = parse_config(
        "[tenant.z]\nport = 0\n[tenant.a]\nport = 0\nhot = 1\n[daemon]\nmemory_max = \"x\"\n",
        "m.toml");
    std::vector<int> lines;
    for (auto const& problem : result.problems) lines.push_back(problem.line);
    EXPECT_THAT(lines, ElementsAre(2, 4, 5, 7));
    EXPECT_EQ(result.config.tenants.at(0).name, "z");
}

TEST(LoadTest, FilesThatCantBeConfigurations) {
    TempDir const dir;
    auto const missing = load_config(dir.path() / "none.toml");
    EXPECT_FALSE(missing.parsed);
    EXPECT_THAT(described(missing.problems), ElementsAre(HasSubstr("can't be read: No such file")));
    EXPECT_THAT(described(load_config(dir.path()).problems),
                ElementsAre(HasSubstr("can't be read: Is a directory")));
    EXPECT_THAT(described(load_config(dir.write("huge", std::string((1 << 20) + 1, '#'))).problems),
                ElementsAre(HasSubstr("larger than 1 MiB")));
    std::string dots = "a";
    for (int i = 0; i < 200'000; ++i) dots += ".a";
    EXPECT_THAT(described(parse_config("[daemon]\n" + dots + " = 1\n", "m.toml").problems),
                ElementsAre("m.toml:2: more than 1000 dots in one line"));
    EXPECT_THAT(parse_config(std::string(100'000, '[') + "\n", "m.toml").problems, Not(IsEmpty()));
    EXPECT_THAT(parse_config("a = " + std::string(100'000, '[') + "\n", "m.toml").problems,
                Not(IsEmpty()));
    auto const loaded = load_config(dir.write("good.toml", contract_example));
    EXPECT_TRUE(loaded.parsed);
    EXPECT_THAT(described(loaded.problems), IsEmpty());
}

TEST(LoadTest, KnowsNoLocale) {
    for (auto const* const locale : {"de_DE.UTF-8", "tr_TR.UTF-8", "C"}) {
        if (std::setlocale(LC_ALL, locale) == nullptr) continue;
        auto const result = parse_config(contract_example, "m.toml");
        EXPECT_THAT(described(result.problems), IsEmpty());
        EXPECT_EQ(result.config.tenants.at(0).protocol, Protocol::imap);
    }
    std::setlocale(LC_ALL, "C");
}

}  // namespace
}  // namespace mailferry::config
