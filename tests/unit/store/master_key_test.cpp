#include "store/master_key.hpp"

#include "tests/support/spool_values.hpp"
#include "tests/support/temporary_folder.hpp"

#include <sys/stat.h>

#include <fstream>

namespace mailferry::store {
namespace {

TEST(MasterKeyTest, TakesRawBytesAndHexadecimalDigits) {
    auto const raw = parse_master_key(Secret(std::string(32, '\xA5')));
    ASSERT_TRUE(raw);
    std::string digits;
    for (int i = 0; i < 32; ++i) digits += i % 2 == 0 ? "a5" : "A5";
    auto const from_digits = parse_master_key(Secret(digits + "\n"));
    ASSERT_TRUE(from_digits);
    EXPECT_EQ(from_digits->reveal(), raw->reveal());
}

TEST(MasterKeyTest, RefusesAllElseWithoutSayingWhatItWas) {
    for (auto const& given : {std::string(), std::string("passphrase"), std::string(64, 'g'),
                              std::string(63, 'a'), std::string(33, '\0')}) {
        auto const key = parse_master_key(Secret(given));
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().code, Errc::invalid_config);
        if (given.empty()) continue;
        EXPECT_EQ(key.error().describe().find(given), std::string::npos);
    }
}

TEST(MasterKeyTest, MakesAFileOnceAndReadsItAgain) {
    test::TemporaryFolder const folder;
    auto const path = folder.path() / "spool.key";
    auto const made = load_or_make_master_key(path);
    ASSERT_TRUE(made) << made.error().describe();
    EXPECT_EQ(made->size(), master_key_bytes);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    auto const again = load_or_make_master_key(path);
    ASSERT_TRUE(again) << again.error().describe();
    EXPECT_EQ(again->reveal(), made->reveal());
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(MasterKeyTest, RefusesAFileThatOthersMayRead) {
    test::TemporaryFolder const folder;
    auto const path = folder.path() / "spool.key";
    std::ofstream(path) << std::string(32, 'k');
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    auto const key = load_or_make_master_key(path);
    ASSERT_FALSE(key);
    EXPECT_NE(key.error().context.find("chmod 600"), std::string::npos);
}

}  // namespace
}  // namespace mailferry::store
