#include "config/dates.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace mailferry::config {
namespace {

struct DateCase {
    std::string_view text;
    std::optional<std::int64_t> seconds;
};

constexpr DateCase date_cases[] = {
    {"1970-01-01", 0},
    {"2026-01-31", 1769817600},
    {"2024-02-29", 1709164800},
    {"2026-01-31T08:00:00Z", 1769846400},
    {"2026-01-31t08:00:00z", 1769846400},
    {"2026-01-31 08:00:00Z", 1769846400},
    {"2026-01-31T09:00:00+01:00", 1769846400},
    {"2026-01-31T04:30:00-03:30", 1769846400},
    {"2026-01-31T08:00:00.999Z", 1769846400},
    {"2025-02-29", std::nullopt},
    {"2026-13-01", std::nullopt},
    {"2026-00-10", std::nullopt},
    {"1969-12-31", std::nullopt},
    {"2026-1-31", std::nullopt},
    {"31.01.2026", std::nullopt},
    {"2026-01-31T08:00:00", std::nullopt},
    {"2026-01-31T08:00Z", std::nullopt},
    {"2026-01-31T24:00:00Z", std::nullopt},
    {"2026-01-31T08:60:00Z", std::nullopt},
    {"2026-01-31T08:00:60Z", std::nullopt},
    {"2026-01-31T08:00:00.Z", std::nullopt},
    {"2026-01-31T08:00:00Zulu", std::nullopt},
    {"2026-01-31T08:00:00+25:00", std::nullopt},
    {"2026-01-31Z", std::nullopt},
    {"", std::nullopt},
    {"yesterday", std::nullopt},
};

// Goal: a date is the same instant on every machine. Method: every case under time zones that are
// far from UTC and off by half and quarter hours.
TEST(DatesTest, SameInstantInEveryTimeZone) {
    for (auto const* const zone : {"UTC", "America/St_Johns", "Asia/Kathmandu"}) {
        ::setenv("TZ", zone, 1);
        ::tzset();
        for (auto const& c : date_cases) {
            SCOPED_TRACE(testing::Message() << zone << ' ' << c.text);
            auto const found = parse_instant(c.text);
            EXPECT_EQ(found.has_value(), c.seconds.has_value());
            if (found && c.seconds) {
                EXPECT_EQ(found->time_since_epoch().count(), *c.seconds);
            }
        }
    }
    ::unsetenv("TZ");
    ::tzset();
}

}  // namespace
}  // namespace mailferry::config
