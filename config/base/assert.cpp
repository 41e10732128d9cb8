#include "config/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace mailferry {

void fail_assertion(std::string_view condition, char const* file, int line,
                    std::string_view values) {
    std::fprintf(stderr, "mailferry: broken invariant: %.*s at %s:%d %.*s\n",
                 static_cast<int>(condition.size()), condition.data(), file, line,
                 static_cast<int>(values.size()), values.data());
    std::abort();
}

}  // namespace mailferry
