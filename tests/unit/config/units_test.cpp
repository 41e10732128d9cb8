#include "config/base/units.hpp"

#include <gtest/gtest.h>

#include <clocale>
#include <limits>

namespace mailferry {
namespace {

struct BytesCase {
    std::string_view text;
    std::optional<std::uint64_t> bytes;
};

constexpr BytesCase bytes_cases[] = {
    {"0", 0},
    {"1000", 1000},
    {"512B", 512},
    {"5GB", 5'000'000'000},
    {"1kB", 1000},
    {"1KB", 1000},
    {"512KiB", 512 * 1024},
    {"64MiB", 64ULL << 20},
    {"20GiB", 20ULL << 30},
    {"2TiB", 2ULL << 40},
    {"1.5GiB", 3ULL << 29},
    {"0.25MiB", 256 * 1024},
    {"1.5MB", 1'500'000},
    {"9223372036854775807", 9223372036854775807ULL},
    {"9223372036854775808", std::nullopt},
    {"18446744073709551616", std::nullopt},
    {"9000000TiB", std::nullopt},
    {"", std::nullopt},
    {"MiB", std::nullopt},
    {"-1", std::nullopt},
    {"+1", std::nullopt},
    {"1.5", std::nullopt},
    {"1.5B", std::nullopt},
    {"1.MiB", std::nullopt},
    {".5MiB", std::nullopt},
    {"1,5MiB", std::nullopt},
    {"1.2.3MiB", std::nullopt},
    {"1.1234567GiB", std::nullopt},
    {"64 MiB", std::nullopt},
    {"64mib", std::nullopt},
    {"64MiB ", std::nullopt},
    {"0x10", std::nullopt},
};

TEST(UnitsTest, ReadsSizes) {
    for (auto const& c : bytes_cases) {
        SCOPED_TRACE(c.text);
        auto const found = parse_bytes(c.text);
        EXPECT_EQ(found.has_value(), c.bytes.has_value());
        if (found && c.bytes) {
            EXPECT_EQ(found->value, *c.bytes);
        }
    }
}

struct FormatCase {
    std::uint64_t number;
    std::string_view text;
};

constexpr FormatCase size_cases[] = {
    {0, "0 B"},
    {512, "512 B"},
    {1023, "1023 B"},
    {1024, "1 KiB"},
    {1536, "1.5 KiB"},
    {64ULL << 20, "64 MiB"},
    {1503238553, "1.4 GiB"},
    {(1ULL << 20) - 1, "1 MiB"},
    {123 * (1ULL << 20) + 600'000, "124 MiB"},
    {20ULL << 30, "20 GiB"},
    {std::numeric_limits<std::uint64_t>::max(), "16 EiB"},
};

TEST(UnitsTest, PrintsSizes) {
    for (auto const& c : size_cases) EXPECT_EQ(format_bytes(c.number), c.text);
}

struct AgeCase {
    std::string_view text;
    std::optional<std::int64_t> seconds;
};

constexpr AgeCase age_cases[] = {
    {"0s", 0},
    {"90s", 90},
    {"15m", 900},
    {"12h", 43'200},
    {"7d", 604'800},
    {"2w", 1'209'600},
    {"73000d", 6'307'200'000},
    {"73001d", std::nullopt},
    {"99999999999999999999s", std::nullopt},
    {"7", std::nullopt},
    {"d", std::nullopt},
    {"", std::nullopt},
    {"-7d", std::nullopt},
    {"1.5h", std::nullopt},
    {"7 d", std::nullopt},
    {"7D", std::nullopt},
    {"1h30m", std::nullopt},
    {"6months", std::nullopt},
};

TEST(UnitsTest, ReadsAges) {
    for (auto const& c : age_cases) {
        SCOPED_TRACE(c.text);
        auto const found = parse_age(c.text);
        EXPECT_EQ(found.has_value(), c.seconds.has_value());
        if (found && c.seconds) {
            EXPECT_EQ(found->count(), *c.seconds);
        }
    }
}

TEST(UnitsTest, PrintsTheTwoLargestUnits) {
    using std::chrono::seconds;
    EXPECT_EQ(format_duration(seconds(0)), "0s");
    EXPECT_EQ(format_duration(seconds(12)), "12s");
    EXPECT_EQ(format_duration(seconds(250)), "4m 10s");
    EXPECT_EQ(format_duration(seconds(3'600)), "1h");
    EXPECT_EQ(format_duration(seconds(86'400 + 59)), "1d");
    EXPECT_EQ(format_duration(seconds(2 * 86'400 + 3 * 3'600 + 59)), "2d 3h");
    EXPECT_EQ(format_duration(seconds(-70)), "-1m 10s");
    EXPECT_EQ(format_duration(seconds::min()), "-106751991167300d 15h");
}

// Goal: numbers are written and read alike on every machine. Method: a locale with a decimal comma
// and the dotless i, where this machine has one.
TEST(UnitsTest, KnowsNoLocale) {
    for (auto const* const locale : {"de_DE.UTF-8", "tr_TR.UTF-8", "C"}) {
        if (std::setlocale(LC_ALL, locale) == nullptr) continue;
        EXPECT_EQ(format_bytes(1536), "1.5 KiB");
        EXPECT_EQ(parse_bytes("1.5MiB").value_or(ByteCount{}).value, 3ULL << 19);
        EXPECT_FALSE(parse_bytes("1,5MiB"));
    }
    std::setlocale(LC_ALL, "C");
}

}  // namespace
}  // namespace mailferry
