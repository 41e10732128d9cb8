#pragma once

/// Deterministic randomness: the same seed gives the same sequence on every machine.

#include <cstdint>

namespace graphsim {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        auto value = state_ += 0x9E3779B97F4A7C15ULL;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
        return value ^ (value >> 31);
    }
    /// 0 to bound - 1.
    std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
    /// 0 to 1, 1 excluded.
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    bool chance(double probability) { return unit() < probability; }

private:
    std::uint64_t state_;
};

/// A fresh seed out of two numbers.
inline std::uint64_t mixed(std::uint64_t one, std::uint64_t other) {
    Random random(one * 0x9E3779B97F4A7C15ULL + other);
    random.next();
    return random.next();
}

}  // namespace graphsim
