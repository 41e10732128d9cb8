/// Goal: no file a spreadsheet could save breaks the reader, and slicing makes no difference.
/// Method: the first byte picks a chunk size; the rest is read whole and in chunks, then as a
/// mapping whose rows are judged together.

#include "config/base/assert.hpp"
#include "config/csv.hpp"
#include "config/mapping.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

using mailferry::config::CsvReader;
using mailferry::config::CsvRow;

std::vector<CsvRow> rows_of(std::string_view bytes, std::size_t chunk_bytes) {
    CsvReader reader;
    std::vector<CsvRow> rows;
    for (std::size_t i = 0; i < bytes.size(); i += chunk_bytes)
        reader.feed(bytes.substr(i, chunk_bytes), rows);
    reader.finish(rows);
    return rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    std::string_view const bytes(reinterpret_cast<char const*>(data) + 1, size - 1);
    auto const whole = rows_of(bytes, bytes.size() + 1);
    auto const sliced = rows_of(bytes, std::size_t{1} + data[0] % 16);
    MAILFERRY_ASSERT(whole.size() == sliced.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        MAILFERRY_ASSERT(whole[i].line == sliced[i].line);
        MAILFERRY_ASSERT(whole[i].fields == sliced[i].fields);
        MAILFERRY_ASSERT(whole[i].fault == sliced[i].fault);
        MAILFERRY_ASSERT(whole[i].fault.empty() != whole[i].fields.empty());
    }
    auto const mapping = mailferry::config::parse_mapping(bytes, "mapping.csv");
    mailferry::config::MappingUse use;
    use.same_endpoint = true;
    static_cast<void>(mailferry::config::check_mapping(mapping.pairs, "mapping.csv", use));
    return 0;
}
