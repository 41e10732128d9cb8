// With NDEBUG, clang would be told to assume what toml++ otherwise asserts (see config/toml.hpp).
#undef NDEBUG

#define TOML_IMPLEMENTATION
#include "config/toml.hpp"
