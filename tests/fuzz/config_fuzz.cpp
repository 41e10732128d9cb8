/// Goal: no configuration file breaks the loader, and every refusal is a printable line of text.
/// Method: parse (no file is touched), then print all problems.

#include "config/base/assert.hpp"
#include "config/load.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const result = mailferry::config::parse_config(text, "mailferry.toml");
    MAILFERRY_ASSERT(result.parsed || result.problems.size() == 1);
    for (auto const& problem : result.problems) {
        auto const line = problem.describe();
        bool const printable = std::all_of(line.begin(), line.end(), [](char c) {
            return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
        });
        MAILFERRY_ASSERT_SHOWING(printable, line);
    }
    return 0;
}
