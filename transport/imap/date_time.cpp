#include "transport/imap/date_time.hpp"

#include "config/base/assert.hpp"
#include "transport/imap/flags.hpp"

#include <array>
#include <cstdio>

namespace mailferry::imap {
namespace {

constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Takes exactly `digits` decimal digits from the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    int value = 0;
    for (char const digit : text.substr(0, digits)) {
        if (digit < '0' || digit > '9') return std::nullopt;
        value = value * 10 + (digit - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take_char(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<unsigned> take_month(std::string_view& text) {
    for (unsigned i = 0; i < month_names.size(); ++i) {
        if (!equal_names(text.substr(0, 3), month_names[i])) continue;
        text.remove_prefix(3);
        return i + 1;
    }
    return std::nullopt;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
    bool const one_digit = text.size() > 1 && text[1] == '-';
    auto const day = take_digits(text, one_digit ? 1 : 2);
    if (!day || !take_char(text, '-')) return std::nullopt;
    auto const month = take_month(text);
    if (!month || !take_char(text, '-')) return std::nullopt;
    auto const year = take_digits(text, 4);
    if (!year || *year == 0) return std::nullopt;
    std::chrono::year_month_day const date{std::chrono::year(*year), std::chrono::month(*month),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date);
}

std::optional<int> take_second_of_day(std::string_view& text) {
    auto const hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take_char(text, ':')) return std::nullopt;
    auto const minute = take_digits(text, 2);
    if (!minute || *minute > 59 || !take_char(text, ':')) return std::nullopt;
    auto const second = take_digits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    return (*hour * 60 + *minute) * 60 + *second;
}

std::optional<int> take_zone_minutes(std::string_view& text) {
    bool const west = take_char(text, '-');
    if (!west && !take_char(text, '+')) return std::nullopt;
    auto const hours = take_digits(text, 2);
    auto const minutes = take_digits(text, 2);
    if (!hours || *hours > 23 || !minutes || *minutes > 59) return std::nullopt;
    auto const east = *hours * 60 + *minutes;
    return west ? -east : east;
}

}  // namespace

std::optional<DateTime> parse_date_time(std::string_view text) {
    while (take_char(text, ' ')) {
    }
    auto const day = take_date(text);
    if (!day || !take_char(text, ' ')) return std::nullopt;
    auto const second = take_second_of_day(text);
    if (!second || !take_char(text, ' ')) return std::nullopt;
    auto const zone = take_zone_minutes(text);
    if (!zone || !text.empty()) return std::nullopt;
    auto const local = std::int64_t{day->time_since_epoch().count()} * 86'400 + *second;
    return DateTime{local - *zone * 60, static_cast<std::int16_t>(*zone)};
}

std::string format_date_time(DateTime const& value) {
    MAILFERRY_ASSERT(value.zone_minutes > -1440 && value.zone_minutes < 1440);
    constexpr std::int64_t year_1 = -62'135'596'800, year_10000 = 253'402'300'800;
    auto const local = value.unix_seconds + value.zone_minutes * 60;
    MAILFERRY_ASSERT(local >= year_1 && local < year_10000);
    auto const seconds = std::chrono::sys_seconds(std::chrono::seconds(local));
    auto const day = std::chrono::floor<std::chrono::days>(seconds);
    std::chrono::year_month_day const date(day);
    auto const second = static_cast<int>((seconds - day).count());
    auto const zone = value.zone_minutes < 0 ? -value.zone_minutes : value.zone_minutes;
    std::array<char, 64> text{};
    auto const size =
        std::snprintf(text.data(), text.size(), "%02u-%s-%04d %02d:%02d:%02d %c%02d%02d",
                      static_cast<unsigned>(date.day()),
                      month_names[static_cast<unsigned>(date.month()) - 1].data(),
                      static_cast<int>(date.year()), second / 3600, second / 60 % 60, second % 60,
                      value.zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string format_search_date(std::chrono::sys_days day) {
    std::chrono::year_month_day const date(day);
    auto const year = static_cast<int>(date.year());
    MAILFERRY_ASSERT(year >= 1 && year <= 9999);
    auto const year_text = std::to_string(year);
    std::string text = std::to_string(static_cast<unsigned>(date.day()));
    text.append("-").append(month_names[static_cast<unsigned>(date.month()) - 1]).append("-");
    return text.append(4 - year_text.size(), '0').append(year_text);
}

}  // namespace mailferry::imap
