#include "tests/contract/service.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace mailferry::contract {

std::unique_ptr<Service> make_service(std::string const& name) {
    auto const* const path = std::getenv("MAILFERRY_CONTRACT");
    if (path == nullptr) return nullptr;
    std::ifstream file(path);
    std::string const text{std::istreambuf_iterator<char>(file), {}};
    auto const settings = boost::json::parse(text).as_object();
    auto const* const own = settings.if_contains(name);
    if (own == nullptr) return nullptr;
    return name == "imap" ? make_imap_service(own->as_object())
                          : make_graph_service(own->as_object());
}

}  // namespace mailferry::contract
