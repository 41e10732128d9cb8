// Goal: a mailbox name that decodes encodes to itself again, and the other way round: no folder is
// ever addressed by a name that it hasn't.

#include "transport/imap/utf7.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace mailferry::imap;
    std::string_view const input(reinterpret_cast<char const*>(data), size);
    auto const text = utf8_from_utf7(input);
    if (text && utf7_from_utf8(*text) != input) std::abort();
    auto const name = utf7_from_utf8(input);
    if (name && utf8_from_utf7(*name) != input) std::abort();
    return 0;
}
