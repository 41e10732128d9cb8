#include "transport/http/retry_after.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace mailferry::http {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest = std::chrono::hours(24);
constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<unsigned> number(std::string_view text) {
    unsigned value = 0;
    auto const* const last = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), last, value);
    if (parsed.ec != std::errc() || parsed.ptr != last) return std::nullopt;
    return value;
}

/// Digits with at most one point, "120", "0.5".
std::optional<milliseconds> seconds_of(std::string_view text) {
    auto const plain = text.find_first_not_of("0123456789.") == text.npos;
    if (!plain || text.empty() || text.size() > 30) return std::nullopt;
    double value = 0;
    auto const* const last = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), last, value);
    if (parsed.ec != std::errc() || parsed.ptr != last) return std::nullopt;
    auto const capped = std::min(value, std::chrono::duration<double>(longest).count());
    // Up to the next millisecond: never earlier than the server said.
    return milliseconds(static_cast<std::int64_t>(std::ceil(capped * 1'000)));
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_date(std::string_view text) {
    // "Sun, 06 Nov 1994 08:49:37 GMT"
    if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" ||
        text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':')
        return std::nullopt;
    auto const* const month = std::find(std::begin(months), std::end(months), text.substr(8, 3));
    auto const day = number(text.substr(5, 2)), year = number(text.substr(12, 4)),
               hour = number(text.substr(17, 2)), minute = number(text.substr(20, 2)),
               second = number(text.substr(23, 2));
    if (month == std::end(months) || !day || !year || !hour || !minute || !second)
        return std::nullopt;
    std::chrono::year_month_day const date(
        std::chrono::year(static_cast<int>(*year)),
        std::chrono::month(static_cast<unsigned>(month - std::begin(months)) + 1),
        std::chrono::day(*day));
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

std::optional<milliseconds> retry_after(ResponseHead const& head,
                                        std::chrono::system_clock::time_point now) {
    auto const* const value = head.find("Retry-After");
    if (value == nullptr) return std::nullopt;
    if (auto const seconds = seconds_of(*value)) return seconds;
    auto const until = parse_date(*value);
    if (!until) return std::nullopt;
    // The server's own clock where it tells it: ours may go wrong.
    if (auto const* const date = head.find("Date"))
        if (auto const server_now = parse_date(*date)) now = *server_now;
    auto const left = std::chrono::ceil<milliseconds>(*until - now);
    return std::clamp(left, milliseconds(0), longest);
}

}  // namespace mailferry::http
