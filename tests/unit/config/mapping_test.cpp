#include "config/mapping.hpp"
#include "config/text.hpp"
#include "tests/unit/config/problem_text.hpp"
#include "tests/unit/config/temp_dir.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <clocale>

namespace mailferry::config {
namespace {

using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string printed(std::vector<MailboxPair> const& pairs) {
    std::string text;
    for (auto const& pair : pairs) {
        text.append(pair.source).append(">").append(pair.target);
        if (!pair.wave.empty()) text.append("@").append(pair.wave);
        text += '\n';
    }
    return text;
}

std::string joined(std::vector<Problem> const& problems) {
    std::string text;
    for (auto const& line : described(problems)) text.append(line).append("\n");
    return text;
}

std::string with_line_ends(std::string_view text, std::string_view line_end) {
    std::string out;
    for (auto const c : text) c == '\n' ? out.append(line_end) : out.append(1, c);
    return out;
}

std::string with_delimiter(std::string_view text, char delimiter) {
    std::string out(text);
    for (auto& c : out)
        if (c == ',') c = delimiter;
    return out;
}

std::string utf16(std::string_view text, bool little) {
    std::string out = little ? "\xFF\xFE" : "\xFE\xFF";
    while (!text.empty()) {
        auto const c = *take_code_point(text);
        auto const high = static_cast<char>(c >> 8);
        auto const low = static_cast<char>(c & 0xFF);
        out.push_back(little ? low : high);
        out.push_back(little ? high : low);
    }
    return out;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (auto const c : text) {
        if (c == ',' || c == '\n') out += '"';
        out += c;
        if (c == ',' || c == '\n') out += '"';
    }
    out.pop_back();  // The quote that the last line end opened.
    return out;
}

// Goal: whichever spreadsheet saved the mapping, it means the same. Method: one golden mapping in
// eight dialects.
TEST(MappingTest, EightSpreadsheetDialectsGiveTheSameRows) {
    constexpr auto golden =
        "source,target,wave\n"
        "anna@fabrikam.example,anna@contoso.example,first\n"
        "jürgen@fabrikam.example,juergen@contoso.example,first\n"
        "room-1,room1@contoso.example,second\n"sv;
    constexpr auto rows =
        "anna@fabrikam.example>anna@contoso.example@first\n"
        "jürgen@fabrikam.example>juergen@contoso.example@first\n"
        "room-1>room1@contoso.example@second\n"sv;
    std::vector<std::string> const dialects{
        std::string(golden),
        "\xEF\xBB\xBF" + with_line_ends(golden, "\r\n"),
        "\xEF\xBB\xBF" + with_line_ends(with_delimiter(golden, ';'), "\r\n"),
        utf16(with_line_ends(with_delimiter(golden, '\t'), "\r\n"), /*little=*/true),
        utf16(golden, /*little=*/false),
        with_line_ends(golden, "\r"),
        with_line_ends(quoted(golden), "\r\n") + ",,\r\n\r\n",
        "sep=;\r\n" + with_line_ends(with_delimiter(golden, ';'), "\r\n") + ";;\r\n",
    };
    ASSERT_EQ(dialects.size(), 8u);
    for (auto const& dialect : dialects) {
        auto const result = parse_mapping(dialect, "m.csv");
        EXPECT_EQ(printed(result.pairs), rows) << dialect;
        EXPECT_THAT(described(result.problems), IsEmpty()) << dialect;
    }
}

struct RowCase {
    std::string_view name, csv, rows, problems;
};

constexpr RowCase row_cases[] = {
    {"columns_in_any_order_and_case", "Wave,TARGET,Source\n1,b,a\n", "a>b@1\n", ""},
    {"empty_file", "", "",
     "m.csv:1: no header row: the first line names the columns source,target\n"},
    {"header_only", "source,target\n", "", "m.csv:1: no rows: nothing would be copied\n"},
    {"no_header", "a@x.example,b@y.example\n", "",
     "m.csv:1: unknown column \"a@x.example\"; columns are \"source\", \"target\", \"wave\", "
     "\"source_password_file\" or \"target_password_file\"\n"
     "m.csv:1: unknown column \"b@y.example\"; columns are \"source\", \"target\", \"wave\", "
     "\"source_password_file\" or \"target_password_file\"\n"
     "m.csv:1: column \"source\" is missing\n"
     "m.csv:1: column \"target\" is missing\n"},
    {"misspelt_column", "source,taget\na,b\n", "",
     "m.csv:1: unknown column \"taget\"; did you mean \"target\"?\n"
     "m.csv:1: column \"target\" is missing\n"},
    {"column_without_name", "source,target,\na,b,c\n", "",
     "m.csv:1: a column of the header row has no name\n"},
    {"column_twice", "source,target,Source\na,b,c\n", "",
     "m.csv:1: column \"Source\" is there twice\n"},
    {"missing_column", "source,wave\na,1\n", "", "m.csv:1: column \"target\" is missing\n"},
    {"every_faulty_row_is_named", "source,target\na\na,b,c\n,b\na,\nc,d\n", "c>d\n",
     "m.csv:2: 1 cells where the header row has 2\n"
     "m.csv:3: 3 cells where the header row has 2\n"
     "m.csv:4: the source is empty\n"
     "m.csv:5: the target is empty\n"},
    {"csv_fault", "source,target\nx\"y,b\nc,d\n", "c>d\n",
     "m.csv:2: a quote within an unquoted cell: quote all of it and double the quote\n"},
    {"latin1", "source,target\nm\xFCller,b\nc,d\n", "c>d\n",
     "m.csv:2: not UTF-8 text: save the file as CSV UTF-8\n"},
    {"blanks_are_trimmed_and_said", "source , target\n\u00a0a\u200b, b\nc,d\n", "a>b\nc>d\n",
     "m.csv:2: warning: blanks around the source \"a\" are left out\n"
     "m.csv:2: warning: blanks around the target \"b\" are left out\n"},
    {"blank_rows_are_none", "source,target\n , \n\u00a0,\na,b\n,,,\n", "a>b\n", ""},
    {"blank_inside", "source,target\na b,c\na\u00a0b,c\nd,e\n", "d>e\n",
     "m.csv:2: source \"a b\" has a blank or an invisible character inside\n"
     "m.csv:3: source \"a\u00a0b\" has a blank or an invisible character inside\n"},
    {"zero_width_inside", "source,target\na\u200bb,c\nd,e\n", "d>e\n",
     "m.csv:2: source \"a\\xe2\\x80\\x8bb\" has a blank or an invisible character inside\n"},
    {"line_break_inside", "source,target\n\"a\nb\",c\nd,e\n", "d>e\n",
     "m.csv:2: source \"a\\x0ab\" has a blank or an invisible character inside\n"},
    {"control_character", "source,target\na\x01,c\nd,\x1b\ne,f\n", "e>f\n",
     "m.csv:2: source \"a\\x01\" has a control character\n"
     "m.csv:3: target \"\\x1b\" has a control character\n"},
    {"nul", "source,target\na\0b,c\nd,e\n"sv, "d>e\n",
     "m.csv:2: source \"a\\x00b\" has a control character\n"},
    {"half_addresses", "source,target\n@x,b\na,b@\nc,d\n", "c>d\n",
     "m.csv:2: source \"@x\" has nothing before the @\n"
     "m.csv:3: target \"b@\" has nothing behind the @\n"},
    {"angle_brackets", "source,target\n<a@x>,b\nc,d\n", "c>d\n",
     "m.csv:2: source \"<a@x>\" is not a bare address: leave out <>\n"},
    {"lines_count_quoted_breaks", "source,target,wave\na,b,\"x\ny\"\n,c,\n", "a>b@x\ny\n",
     "m.csv:4: the source is empty\n"},
};

class MappingRowTest : public testing::TestWithParam<RowCase> {};

TEST_P(MappingRowTest, NamesEveryFaultWithItsLine) {
    auto const& c = GetParam();
    auto const result = parse_mapping(c.csv, "m.csv");
    EXPECT_EQ(printed(result.pairs), c.rows);
    EXPECT_EQ(joined(result.problems), c.problems);
}

INSTANTIATE_TEST_SUITE_P(Config, MappingRowTest, testing::ValuesIn(row_cases),
                         [](auto const& c) { return std::string(c.param.name); });

struct CheckCase {
    std::string_view name, csv;
    bool same_endpoint;
    std::string_view problems;
};

constexpr CheckCase check_cases[] = {
    {"sound", "source,target\na,b\nc,d\n", false, ""},
    {"source_twice_without_case", "source,target\na@X.example,b\nA@x.example,c\n", false,
     "m.csv:3: source \"A@x.example\" was mapped in line 2\n"},
    {"one_target", "source,target\na,b@x\nc,B@X\nd,b@x\n", false,
     "m.csv:3: target \"B@X\" is also the target of line 2\n"
     "m.csv:4: target \"b@x\" is also the target of line 2\n"},
    {"same_names_on_two_servers", "source,target\na,a\nb,c\nc,b\n", false, ""},
    {"crossing_on_one_server", "source,target\na,b\nB,c\n", true,
     "m.csv:2: target \"b\" is the source of line 3 on the same server\n"},
    {"onto_itself", "source,target\na@x,A@X\n", true,
     "m.csv:2: \"a@x\" would be copied onto itself\n"},
};

class MappingCheckTest : public testing::TestWithParam<CheckCase> {};

TEST_P(MappingCheckTest, FindsFaultsBetweenRows) {
    auto const& c = GetParam();
    auto const mapping = parse_mapping(c.csv, "m.csv");
    ASSERT_THAT(described(mapping.problems), IsEmpty());
    MappingUse use;
    use.same_endpoint = c.same_endpoint;
    EXPECT_EQ(joined(check_mapping(mapping.pairs, "m.csv", use)), c.problems);
}

INSTANTIATE_TEST_SUITE_P(Config, MappingCheckTest, testing::ValuesIn(check_cases),
                         [](auto const& c) { return std::string(c.param.name); });

struct GraphCase {
    std::string_view name, csv, problems;
};

constexpr GraphCase graph_cases[] = {
    {"initial_domains",
     "source,target\na@f.onmicrosoft.com,a@c.OnMicrosoft.com\n"
     "b@f.partner.onmschina.cn,b@c.onmicrosoft.us\n",
     ""},
    {"user_ids", "source,target\n01234567-89ab-cdef-0123-456789ABCDEF,a@c.onmicrosoft.com\n", ""},
    {"no_address", "source,target\nanna,a@c.onmicrosoft.com\n",
     "m.csv:2: source \"anna\" is no address and no user's id (GUID)\n"},
    {"custom_domains", "source,target\na@f.example,a@onmicrosoft.com.example\n",
     "m.csv:2: warning: source \"a@f.example\" is on a custom domain, which may move to another "
     "tenant in mid-migration: use the address on the initial domain (*.onmicrosoft.com)\n"
     "m.csv:2: warning: target \"a@onmicrosoft.com.example\" is on a custom domain, which may "
     "move to another tenant in mid-migration: use the address on the initial domain "
     "(*.onmicrosoft.com)\n"},
};

class GraphMappingTest : public testing::TestWithParam<GraphCase> {};

TEST_P(GraphMappingTest, AddressesMustOutliveTheDomain) {
    auto const& c = GetParam();
    auto const mapping = parse_mapping(c.csv, "m.csv");
    MappingUse use;
    use.source_graph = use.target_graph = true;
    EXPECT_EQ(joined(check_mapping(mapping.pairs, "m.csv", use)), c.problems);
}

INSTANTIATE_TEST_SUITE_P(Config, GraphMappingTest, testing::ValuesIn(graph_cases),
                         [](auto const& c) { return std::string(c.param.name); });

TEST(MappingTest, OnlyTenRowsWithCustomDomainsAreNamed) {
    std::string csv = "source,target\n";
    for (int i = 0; i < 500; ++i)
        csv +=
            "u" + std::to_string(i) + "@f.example,u" + std::to_string(i) + "@c.onmicrosoft.com\n";
    MappingUse use;
    use.source_graph = use.target_graph = true;
    auto const problems = check_mapping(parse_mapping(csv, "m.csv").pairs, "m.csv", use);
    ASSERT_EQ(problems.size(), 11u);
    EXPECT_EQ(problems[9].line, 11);
    EXPECT_EQ(problems[10].describe(),
              "m.csv:501: warning: 490 more rows have a source on a custom domain");
}

struct SwapCase {
    std::string_view name, csv;
    bool swapped;
};

constexpr SwapCase swap_cases[] = {
    {"right_way", "source,target\na@f.example,a@c.example\n", false},
    {"swapped", "source,target\na@c.example,a@F.example\nb@C.example,b@f.example\n", true},
    {"one_row_is_right", "source,target\na@c.example,a@f.example\nb@f.example,b@c.example\n",
     false},
    {"other_domains", "source,target\na@c.example,a@other.example\n", false},
    {"domain_of_both", "source,target\na@both.example,a@f.example\n", false},
    {"no_domains", "source,target\na,b\n", false},
};

class SwappedMappingTest : public testing::TestWithParam<SwapCase> {};

TEST_P(SwappedMappingTest, IsSeenByTheTenantsOwnDomains) {
    auto const& c = GetParam();
    MappingUse use;
    use.source_domains = {"f.example", "both.example"};
    use.target_domains = {"c.example", "both.example"};
    auto const problems = check_mapping(parse_mapping(c.csv, "m.csv").pairs, "m.csv", use);
    ASSERT_EQ(problems.size(), c.swapped ? 1u : 0u);
    if (c.swapped) {
        EXPECT_THAT(problems[0].describe(), HasSubstr("m.csv:2: source and target are swapped"));
    }
}

INSTANTIATE_TEST_SUITE_P(Config, SwappedMappingTest, testing::ValuesIn(swap_cases),
                         [](auto const& c) { return std::string(c.param.name); });

TEST(MappingTest, DomainsComeFromTheTenantsSettings) {
    Config config;
    config.tenants.resize(2);
    config.tenants[0].name = "a";
    config.tenants[0].admins.resize(1);
    config.tenants[0].admins[0].user = "migrate@F.example";
    config.tenants[1].name = "b";
    config.tenants[1].protocol = Protocol::graph;
    config.tenants[1].tenant_id = "Contoso.onmicrosoft.com";
    Migration migration;
    migration.source = "a";
    migration.target = "b";
    auto use = mapping_use(config, migration);
    EXPECT_THAT(use.source_domains, ElementsAre("f.example"));
    EXPECT_THAT(use.target_domains, ElementsAre("contoso.onmicrosoft.com"));
    EXPECT_TRUE(use.target_graph && !use.source_graph);
    config.tenants[1].tenant_id = "01234567-89ab-cdef-0123-456789abcdef";
    EXPECT_THAT(mapping_use(config, migration).target_domains, IsEmpty());
}

// Goal: what two mappings do to one mailbox is seen before anything is read. Method: one tenant is
// there under two names, and the migrations of each case share it.
TEST(MappingTest, MailboxesBetweenMigrations) {
    Config config;
    for (auto const& [name, host] :
         {std::pair("a", "a.example"), std::pair("b", "b.example"), std::pair("b2", "B.example")}) {
        Tenant tenant;
        tenant.name = name;
        tenant.host = host;
        config.tenants.push_back(tenant);
    }
    auto const migrate = [&](std::string name, std::string from, std::string to) {
        Migration migration;
        migration.name = name;
        migration.source = from;
        migration.target = to;
        migration.mapping = name + ".csv";
        config.migrations.push_back(migration);
    };
    migrate("one", "a", "b");
    migrate("two", "b2", "a");
    MappingsByMigration mappings{{"one", {{2, "x@q", "y@q", {}, {}, {}}}},
                                 {"two", {{2, "z@q", "z@q", {}, {}, {}}}}};
    EXPECT_THAT(described(check_across(config, mappings)), IsEmpty());
    mappings["two"] = {{2, "Y@q", "x@q", {}, {}, {}}};
    EXPECT_THAT(described(check_across(config, mappings)),
                ElementsAre("one.csv:2: source \"x@q\" is the target of line 2 of two.csv "
                            "(migration.two): it would be read while it is being filled",
                            "two.csv:2: source \"Y@q\" is the target of line 2 of one.csv "
                            "(migration.one): it would be read while it is being filled"));
    migrate("three", "a", "b2");
    mappings = {{"one", {{2, "x@q", "y@q", {}, {}, {}}}},
                {"three", {{7, "w@q", "Y@q", {}, {}, {}}}}};
    EXPECT_THAT(described(check_across(config, mappings)),
                ElementsAre("three.csv:7: target \"Y@q\" is also the target of line 2 of one.csv "
                            "(migration.one): one mailbox has one writer"));
}

TEST(MappingTest, UnknownWavesAreNamedOnce) {
    auto const mapping = parse_mapping("source,target,wave\na,b,one\n", "m.csv");
    MappingUse use;
    use.waves = {"one", "two", "two"};
    EXPECT_THAT(described(check_mapping(mapping.pairs, "m.csv", use)),
                ElementsAre("m.csv:1: no row is in wave \"two\", which a pass names"));
}

TEST(MappingTest, PasswordFilesAreFoundBesideTheMapping) {
    TempDir const dir;
    dir.write("a.pw", "x");
    dir.write("b.pw", "x", 0644);
    auto const file = dir.write("m.csv",
                                "source,target,source_password_file\n"
                                "a,a,a.pw\nb,b,b.pw\nc,c,\nd,d,/nowhere/d.pw\n");
    auto const mapping = load_mapping(file);
    ASSERT_EQ(mapping.pairs.size(), 4u);
    EXPECT_THAT(described(mapping.problems), IsEmpty());
    EXPECT_EQ(mapping.pairs[0].source_password_file, dir.path() / "a.pw");
    EXPECT_EQ(mapping.pairs[3].source_password_file, "/nowhere/d.pw");
    MappingUse use;
    use.source_password = true;
    EXPECT_THAT(described(check_mapping(mapping.pairs, file, use)),
                ElementsAre(HasSubstr("m.csv:3: secret file"),
                            HasSubstr("m.csv:4: no source_password_file"),
                            HasSubstr("m.csv:5: secret file /nowhere/d.pw: No such file")));
    EXPECT_THAT(described(check_mapping(mapping.pairs, file, {})),
                ElementsAre(HasSubstr("m.csv:2: warning: source_password_file isn't used")));
}

TEST(MappingTest, AnUnreadableFileIsOneProblem) {
    TempDir const dir;
    auto const missing = dir.path() / "none.csv";
    EXPECT_THAT(described(load_mapping(missing).problems),
                ElementsAre(missing.string() + ":0: can't be read: No such file or directory"));
    EXPECT_THAT(described(load_mapping(dir.path()).problems),
                ElementsAre(dir.path().string() + ":0: can't be read: Is a directory"));
}

TEST(MappingTest, ManyProblemsEndInASummary) {
    std::string csv = "source,target\n";
    for (int i = 0; i < 2500; ++i) csv += "a,\n b,c\n";
    auto const result = parse_mapping(csv, "m.csv");
    ASSERT_EQ(result.problems.size(), 1102u);
    EXPECT_EQ(result.problems[1100].message, "and 1500 more errors in this file");
    EXPECT_EQ(result.problems[1101].message, "and 2400 more warnings in this file");
    EXPECT_TRUE(result.problems[1101].warning);
}

TEST(MappingTest, SameUnderATurkishLocale) {
    for (auto const* const locale : {"tr_TR.UTF-8", "C"}) {
        if (std::setlocale(LC_ALL, locale) == nullptr) continue;
        auto const mapping = parse_mapping("SOURCE,TARGET\nINFO@X,i\ninfo@x,I\n", "m.csv");
        EXPECT_EQ(check_mapping(mapping.pairs, "m.csv", {}).size(), 2u);
    }
    std::setlocale(LC_ALL, "C");
}

// Goal: a mapping of the largest migration is read and judged without anybody waiting.
TEST(MappingTest, AHundredThousandRows) {
    TempDir const dir;
    std::string csv = "source,target,wave\r\n";
    for (int i = 0; i < 100'000; ++i) {
        auto const user = "user" + std::to_string(i);
        csv += user + "@fabrikam.onmicrosoft.com," + user + "@contoso.onmicrosoft.com,wave" +
               std::to_string(i % 10) + "\r\n";
    }
    auto const file = dir.write("m.csv", csv);
    auto const start = std::chrono::steady_clock::now();
    auto const mapping = load_mapping(file);
    MappingUse use;
    use.same_endpoint = true;
    auto const problems = check_mapping(mapping.pairs, file, use);
    auto const took = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(mapping.pairs.size(), 100'000u);
    EXPECT_EQ(mapping.pairs.back().line, 100'001);
    EXPECT_THAT(described(mapping.problems), IsEmpty());
    EXPECT_THAT(described(problems), IsEmpty());
    auto const took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    RecordProperty("took_ms", static_cast<int>(took_ms));
    EXPECT_LT(took_ms, 10'000);  // Sanitizers included; a release build takes a fraction of 1 s.
}

}  // namespace
}  // namespace mailferry::config
