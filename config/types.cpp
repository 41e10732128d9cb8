#include "config/types.hpp"

namespace mailferry::config {

Tenant const* Config::tenant(std::string_view name) const {
    for (auto const& candidate : tenants)
        if (candidate.name == name) return &candidate;
    return nullptr;
}

std::string Problem::describe() const {
    auto text = file;
    text.append(":").append(std::to_string(line)).append(warning ? ": warning: " : ": ");
    return text.append(message);
}

}  // namespace mailferry::config
