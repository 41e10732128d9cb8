#include "tests/support/graphsim/http_message.hpp"

#include "tests/support/graphsim/encoding.hpp"

namespace graphsim {

std::string_view name_of(Listener listener) {
    switch (listener) {
    case Listener::authority: return "authority";
    case Listener::graph: return "graph";
    case Listener::import_host: return "import";
    case Listener::control: return "control";
    }
    return "";
}

asio::awaitable<std::string_view> TextBody::next() {
    if (std::exchange(given_, true)) co_return std::string_view{};
    co_return text_;
}

std::string Request::header(std::string_view name) const {
    auto const found = headers.find(std::string(name));
    return found == headers.end() ? "" : found->second;
}

bool Request::has_header(std::string_view name) const {
    return headers.contains(std::string(name));
}

std::string Request::preference(std::string_view name) const {
    auto const [first, last] = headers.equal_range("prefer");
    for (auto each = first; each != last; ++each) {
        std::string_view rest = each->second;
        while (!rest.empty()) {
            auto part = rest.substr(0, rest.find_first_of(",;"));
            rest.remove_prefix(std::min(rest.size(), part.size() + 1));
            while (part.starts_with(' ')) part.remove_prefix(1);
            while (part.ends_with(' ')) part.remove_suffix(1);
            auto const equals = part.find('=');
            if (equals == part.npos || !equal_folded(part.substr(0, equals), name)) continue;
            auto value = part.substr(equals + 1);
            if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
                value = value.substr(1, value.size() - 2);
            }
            return std::string(value);
        }
    }
    return {};
}

std::string Response::header(std::string_view name) const {
    for (auto const& [each, value] : headers) {
        if (equal_folded(each, name)) return value;
    }
    return {};
}

Response json_response(int status, json::value const& body) {
    Response response;
    response.status = status;
    response.body = json::serialize(body);
    return response;
}

asio::awaitable<std::string> whole_body(BodySource& body, std::size_t bytes_max) {
    std::string text;
    for (;;) {
        auto const piece = co_await body.next();
        if (piece.empty()) co_return text;
        text += piece;
        if (text.size() > bytes_max) {
            throw GraphError(413, "RequestEntityTooLarge", "The request body is too large.");
        }
    }
}

}  // namespace graphsim
