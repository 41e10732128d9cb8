#pragma once

#include "config/base/assert.hpp"

#include <cstdlib>

namespace mailferry::test {

/// How many seeds a crash test goes through: MAILFERRY_CRASH_SEEDS, or 5.
inline unsigned crash_seeds() {
    auto const* const text = std::getenv("MAILFERRY_CRASH_SEEDS");
    auto const seeds = text == nullptr ? 5 : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
    MAILFERRY_ASSERT(seeds > 0);  // Without one, the tests would pass and prove nothing.
    return seeds;
}

}  // namespace mailferry::test
