#include "config/dates.hpp"

#include <array>
#include <ctime>

namespace mailferry::config {
namespace {

/// Takes exactly `digits` decimal digits off the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    int number = 0;
    for (auto const c : text.substr(0, digits)) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return number;
}

bool take_one_of(std::string_view& text, std::string_view accepted) {
    if (text.empty() || accepted.find(text[0]) == accepted.npos) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::chrono::sys_days> take_day(std::string_view& text) {
    auto const year = take_digits(text, 4);
    if (!year || !take_one_of(text, "-")) return std::nullopt;
    auto const month = take_digits(text, 2);
    if (!month || !take_one_of(text, "-")) return std::nullopt;
    auto const day = take_digits(text, 2);
    if (!day) return std::nullopt;
    auto const date = std::chrono::year_month_day(std::chrono::year(*year),
                                                  std::chrono::month(static_cast<unsigned>(*month)),
                                                  std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok() || *year < 1970) return std::nullopt;
    return std::chrono::sys_days(date);
}

/// "hh:mm" within a day.
std::optional<std::chrono::minutes> take_minutes(std::string_view& text) {
    auto const hours = take_digits(text, 2);
    if (!hours || *hours > 23 || !take_one_of(text, ":")) return std::nullopt;
    auto const minutes = take_digits(text, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    return std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
    if (take_one_of(text, "Zz")) return std::chrono::minutes(0);
    bool const west = text.starts_with('-');
    if (!take_one_of(text, "+-")) return std::nullopt;
    auto const offset = take_minutes(text);
    if (!offset) return std::nullopt;
    return west ? -*offset : *offset;
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_instant(std::string_view text) {
    auto const day = take_day(text);
    if (!day) return std::nullopt;
    auto const midnight = std::chrono::sys_seconds(*day);
    if (text.empty()) return midnight;
    if (!take_one_of(text, "Tt ")) return std::nullopt;
    auto const minutes = take_minutes(text);
    if (!minutes || !take_one_of(text, ":")) return std::nullopt;
    auto const seconds = take_digits(text, 2);
    if (!seconds || *seconds > 59) return std::nullopt;
    if (take_one_of(text, ".")) {
        if (!take_digits(text, 1)) return std::nullopt;
        while (take_digits(text, 1)) {
        }
    }
    auto const offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;
    return midnight + *minutes + std::chrono::seconds(*seconds) - *offset;
}

std::string instant_text(std::chrono::sys_seconds instant) {
    auto const time = std::chrono::system_clock::to_time_t(instant);
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 32> text{};
    auto const size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), size};
}

}  // namespace mailferry::config
