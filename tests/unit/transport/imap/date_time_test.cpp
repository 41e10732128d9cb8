#include "transport/imap/date_time.hpp"

#include <gtest/gtest.h>

namespace mailferry::imap {
namespace {

struct DateCase {
    std::string_view text;
    std::int64_t unix_seconds;
    int zone_minutes;
};

constexpr DateCase date_cases[] = {
    {"17-Jul-1996 02:44:25 -0700", 837596665, -420},
    {"01-Jan-1970 00:00:00 +0000", 0, 0},
    {"01-Jan-2020 00:00:00 +0545", 1577816100, 345},
    {" 4-Jul-2018 00:00:00 +0530", 1530642600, 330},
    {"4-Jul-2018 00:00:00 +0530", 1530642600, 330},
    {"29-Feb-2000 23:59:59 +0000", 951868799, 0},
    {"19-Jan-2038 03:14:08 +0000", 2147483648, 0},
    {"30-Dec-1899 00:00:00 +0530", -2209181400, 330},
    {"31-Dec-2016 23:59:60 +0000", 1483228800, 0},
    {"01-jan-2020 00:00:00 +1400", 1577786400, 840},
    {"01-JAN-2020 00:00:00 -1200", 1577880000, -720},
    {"31-Dec-9999 23:59:59 +0000", 253402300799, 0},
    {"01-Jan-0001 00:00:00 +0000", -62135596800, 0},
};

TEST(DateTimeTest, InstantAndZoneAreRead) {
    for (auto const& c : date_cases)
        EXPECT_EQ(parse_date_time(c.text),
                  (DateTime{c.unix_seconds, static_cast<std::int16_t>(c.zone_minutes)}))
            << c.text;
}

TEST(DateTimeTest, NonsenseIsRefused) {
    for (auto const* text : {"",
                             " ",
                             "x",
                             "00-Jan-0000 00:00:00 +0000",
                             "00-Jan-2020 00:00:00 +0000",
                             "32-Jan-2020 00:00:00 +0000",
                             "30-Feb-2020 00:00:00 +0000",
                             "29-Feb-1900 00:00:00 "
                             "+0000",
                             "31-Apr-2020 00:00:00 +0000",
                             "01-Jan-0000 00:00:00 +0000",
                             "01-Jan-20 00:00:00 +0000",
                             "01-Foo-2020 00:00:00 +0000",
                             "01-01-2020 00:00:00 +0000",
                             "01-Ja-2020 00:00:00 +0000",
                             "01-Jan-2020 24:00:00 +0000",
                             "01-Jan-2020 00:60:00 +0000",
                             "01-Jan-2020 00:00:61 "
                             "+0000",
                             "01-Jan-2020 0:00:00 +0000",
                             "01-Jan-2020 00:00 +0000",
                             "01-Jan-2020 00:00:00",
                             "01-Jan-2020 00:00:00 ",
                             "01-Jan-2020 00:00:00 GMT",
                             "01-Jan-2020 00:00:00 0000",
                             "01-Jan-2020 00:00:00 +000",
                             "01-Jan-2020 00:00:00 +00000",
                             "01-Jan-2020 00:00:00 "
                             "+0060",
                             "01-Jan-2020 00:00:00 +2400",
                             "01-Jan-2020 00:00:00 +00:00",
                             "01-Jan-2020 00:00:00 +0000 x",
                             "01 Jan 2020 00:00:00 +0000",
                             "Wed, 01 Jan 2020 00:00:00 +0000",
                             "001-Jan-2020 00:00:00 +0000",
                             "-1-Jan-2020 00:00:00 +0000",
                             "01-Jan--202 00:00:00 +0000",
                             "01-Jan-2020T00:00:00 "
                             "+0000"})
        EXPECT_EQ(parse_date_time(text), std::nullopt) << text;
}

TEST(DateTimeTest, IsWrittenWithTwoDigitsAndEnglishMonths) {
    EXPECT_EQ(format_date_time({1551600902, 60}), "03-Mar-2019 09:15:02 +0100");
    EXPECT_EQ(format_date_time({0, 0}), "01-Jan-1970 00:00:00 +0000");
    EXPECT_EQ(format_date_time({-1, -720}), "31-Dec-1969 11:59:59 -1200");
    EXPECT_EQ(format_date_time({837596665, -450}), "17-Jul-1996 02:14:25 -0730");
}

// Both ends of both changes of summer time, and both year ends, in zones from -1200 to +1400.
TEST(DateTimeTest, ComesBackInEveryZone) {
    for (int zone = -720; zone <= 840; zone += 15) {
        for (std::int64_t const around :
             {951782400LL, 1553994000LL, 1572138000LL, 1577836800LL, 1078012800LL}) {
            for (std::int64_t offset = -7200; offset <= 7200; offset += 1799) {
                DateTime const value{around + offset, static_cast<std::int16_t>(zone)};
                EXPECT_EQ(parse_date_time(format_date_time(value)), value);
            }
        }
    }
}

TEST(SearchDateTest, HasNoLeadingZero) {
    using namespace std::chrono;
    EXPECT_EQ(format_search_date(sys_days(year(2019) / 3 / 3)), "3-Mar-2019");
    EXPECT_EQ(format_search_date(sys_days(year(1999) / 12 / 31)), "31-Dec-1999");
    EXPECT_EQ(format_search_date(sys_days(year(99) / 1 / 1)), "1-Jan-0099");
}

TEST(DateTimeDeathTest, AYearThatCannotBeWrittenIsABug) {
    EXPECT_DEATH(format_date_time({253402300800, 0}), "local");
    EXPECT_DEATH(format_date_time({0, 1440}), "zone");
}

}  // namespace
}  // namespace mailferry::imap
