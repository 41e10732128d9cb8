#include "config/base/secret.hpp"
#include "config/secret_source.hpp"
#include "tests/unit/config/temp_dir.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>

#include <ostream>

namespace mailferry::config {
namespace {

using testing::HasSubstr;
using testing::Not;

template <class T>
concept Streamable = requires(std::ostream& out, T const& value) { out << value; };
static_assert(Streamable<std::string>);
static_assert(!Streamable<Secret>);
static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!fmt::is_formattable<Secret>::value);

TEST(SecretTest, MovesAndShrinks) {
    Secret secret("hunter2");
    EXPECT_EQ(secret.reveal(), "hunter2");
    auto moved = std::move(secret);
    EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): empty is what a move leaves.
    EXPECT_EQ(moved.reveal(), "hunter2");
    moved.shrink(3);
    EXPECT_EQ(moved.reveal(), "hun");
    moved = Secret("other");
    EXPECT_EQ(moved.reveal(), "other");
    moved = Secret();
    EXPECT_TRUE(moved.empty());
    EXPECT_TRUE(Secret("").empty());
    EXPECT_EQ(Secret(std::string(70'000, 'x')).size(), 70'000u);
}

TEST(SecretTest, ShrinkingWipesTheRest) {
    auto secret = Secret::zeroed(4);
    std::string_view("abcd").copy(secret.writable().data(), 4);
    auto const* const bytes = secret.reveal().data();
    secret.shrink(1);
    EXPECT_EQ(std::string_view(bytes, 4), std::string_view("a\0\0\0", 4));
}

std::string read_text(SecretSource const& source) {
    auto const secret = read_secret(source);
    return secret ? std::string(secret->reveal()) : "error: " + secret.error().context;
}

struct ContentCase {
    std::string_view name, bytes, secret;
};

constexpr ContentCase content_cases[] = {
    {"plain", "pw", "pw"},
    {"lf", "pw\n", "pw"},
    {"crlf", "pw\r\n", "pw"},
    {"only_one_lf", "pw\n\n", "pw\n"},
    {"only_one_crlf", "pw\r\n\r\n", "pw\r\n"},
    {"bare_cr_stays", "pw\r", "pw\r"},
    {"trailing_blank_stays", "pw \n", "pw "},
    {"leading_blank_stays", " pw", " pw"},
    {"hostile", "$;!\xC2\xA7(*/\"\\'\n", "$;!\xC2\xA7(*/\"\\'"},
    {"not_utf8", "\xff\xfe", "\xff\xfe"},
};

TEST(SecretSourceTest, TakesOffOneLineEndAndNothingElse) {
    TempDir const dir;
    for (auto const& c : content_cases) {
        auto const file = dir.write(c.name, c.bytes);
        EXPECT_EQ(read_text({.credential = {}, .file = file}), c.secret) << c.name;
        EXPECT_TRUE(check_secret({.credential = {}, .file = file})) << c.name;
    }
    auto const nul = dir.write("nul", std::string_view("a\0b\n", 4));
    EXPECT_EQ(read_text({.credential = {}, .file = nul}), std::string_view("a\0b", 3));
}

TEST(SecretSourceTest, RefusesModesOpenToOthers) {
    TempDir const dir;
    for (mode_t const mode : {0640u, 0604u, 0620u, 0602u, 0644u, 0666u, 0610u, 0601u}) {
        auto const file = dir.write("pw", "hunter2", mode);
        SecretSource const source{.credential = {}, .file = file};
        for (auto const& message : {read_text(source), check_secret(source).error().context}) {
            EXPECT_THAT(message, HasSubstr("chmod 600 " + file.string())) << std::oct << mode;
            EXPECT_THAT(message, Not(HasSubstr("hunter2")));
        }
    }
    for (mode_t const mode : {0600u, 0400u})
        EXPECT_EQ(read_text({.credential = {}, .file = dir.write("ok", "pw", mode)}), "pw");
}

TEST(SecretSourceTest, RefusesWhatIsNoSecretFile) {
    TempDir const dir;
    auto const message = [&](std::filesystem::path const& file) {
        return read_text({.credential = {}, .file = file});
    };
    EXPECT_THAT(message(dir.path() / "none"), HasSubstr("No such file"));
    EXPECT_THAT(message(dir.path()), HasSubstr("not a regular file"));
    EXPECT_THAT(message("/dev/null"), HasSubstr("not a regular file"));
    ASSERT_EQ(::mkfifo((dir.path() / "fifo").c_str(), 0600), 0);
    EXPECT_THAT(message(dir.path() / "fifo"), HasSubstr("not a regular file"));
    EXPECT_THAT(message(dir.write("empty", "")), HasSubstr("is empty"));
    EXPECT_THAT(message(dir.write("line_end", "\n")), HasSubstr("is empty"));
    EXPECT_THAT(message(dir.write("crlf", "\r\n")), HasSubstr("is empty"));
    EXPECT_EQ(message(dir.write("largest", std::string(secret_bytes_max, 'x'))).size(),
              secret_bytes_max);
    EXPECT_THAT(message(dir.write("larger", std::string(secret_bytes_max + 1, 'x'))),
                HasSubstr("larger than 64 KiB"));
}

TEST(SecretSourceTest, RefusesAnotherUsersFile) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    TempDir const dir;
    auto const file = dir.write("pw", "hunter2");
    ASSERT_EQ(::chown(file.c_str(), 65534, 65534), 0);
    EXPECT_THAT(read_text({.credential = {}, .file = file}), HasSubstr("belongs to user 65534"));
}

TEST(SecretSourceTest, ReadsSystemdCredentials) {
    TempDir const dir;
    dir.write("admin1", "pw\n", 0440);  // An ACL's mask shows as group permission.
    ::unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_THAT(read_text({.credential = "admin1", .file = {}}),
                HasSubstr("CREDENTIALS_DIRECTORY is not set"));
    ::setenv("CREDENTIALS_DIRECTORY", dir.path().c_str(), 1);
    EXPECT_EQ(read_text({.credential = "admin1", .file = {}}), "pw");
    EXPECT_THAT(read_text({.credential = "admin2", .file = {}}), HasSubstr("No such file"));
    EXPECT_THAT(read_text({.credential = "../admin1", .file = {}}), HasSubstr("is a path"));
    EXPECT_THAT(read_text({.credential = "..", .file = {}}), HasSubstr("is a path"));
    ::unsetenv("CREDENTIALS_DIRECTORY");
}

}  // namespace
}  // namespace mailferry::config
