#pragma once

/// Invariants stay checked in release builds: a broken one stops the program before it can write.

#include <string>
#include <string_view>

namespace mailferry {
/// Prints condition, place and values to standard error, then aborts.
[[noreturn]] void fail_assertion(std::string_view condition, char const* file, int line,
                                 std::string_view values = {});
}  // namespace mailferry

#define MAILFERRY_ASSERT(condition)                                              \
    do {                                                                         \
        if (!(condition)) [[unlikely]]                                           \
            ::mailferry::fail_assertion(#condition, __FILE__, __LINE__);         \
    } while (false)

#define MAILFERRY_ASSERT_SHOWING(condition, values)                              \
    do {                                                                         \
        if (!(condition)) [[unlikely]]                                           \
            ::mailferry::fail_assertion(#condition, __FILE__, __LINE__, values); \
    } while (false)
