// POST /$batch: up to 20 requests in one, each with its own limits and its own reply.

#include "tests/support/graphsim/graph_host.hpp"
#include "tests/support/graphsim/routing.hpp"

namespace graphsim {

namespace {

constexpr std::size_t requests_max = 20;
constexpr std::size_t reply_bytes_max = 4u << 20;

[[noreturn]] void refuse(std::string text) { throw GraphError(400, "BadRequest", std::move(text)); }

std::string text_of(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) {
        refuse("A batch request needs the string '" + std::string(name) + "'.");
    }
    return std::string(value->as_string());
}

Request part_request(Context const& context, json::object const& part) {
    Request request;
    request.listener = Listener::graph;
    request.method = text_of(part, "method");
    auto const url = text_of(part, "url");
    request.target = "/v1.0" + std::string(url.starts_with('/') ? "" : "/") + url;
    request.path = request.target.substr(0, request.target.find('?'));
    if (request.path.size() < request.target.size()) {
        request.query = request.target.substr(request.path.size() + 1);
    }
    request.origin = context.request.origin;
    request.headers.emplace("authorization", context.request.header("authorization"));
    if (auto const* headers = part.if_contains("headers")) {
        for (auto const& [name, value] : headers->as_object()) {
            request.headers.emplace(lower(std::string(name)), std::string(value.as_string()));
        }
    }
    return request;
}

asio::awaitable<Response> part_response(Context& outer, Request& request, AuditEntry& audit) {
    Context inner{outer.world, request, audit, {}, {}, nullptr, nullptr, {}, {}};
    inner.segments = path_segments(request.path);
    identify_graph(inner);
    std::optional<Refusal> refusal;
    if (inner.limiter) refusal = outer.world.throttle.enter(*inner.limiter);
    Response response;
    std::optional<GraphError> problem;
    try {
        if (refusal) {
            response = refusal_response(inner, *refusal);
        } else {
            response = co_await answer_graph(inner);
        }
    } catch (GraphError const& error) {
        problem = error;
    }
    if (problem) response = error_response(inner, *problem);
    if (inner.limiter) outer.world.throttle.leave(*inner.limiter);
    while (response.stream && response.body.size() <= reply_bytes_max) {
        if (!response.stream(response.body)) response.stream = nullptr;
    }
    if (response.stream) {
        GraphError const error(413, "RequestEntityTooLarge", "The reply is too large for a batch.");
        response = error_response(inner, error);
    }
    co_return response;
}

json::object part_json(std::string const& id, Response const& response) {
    json::object headers{{"Content-Type", response.content_type}};
    for (auto const& [name, value] : response.headers) headers[name] = value;
    json::object part{{"id", id}, {"status", response.status}, {"headers", std::move(headers)}};
    boost::system::error_code error;
    auto body = json::parse(response.body, error);
    if (!error) part["body"] = std::move(body);
    return part;
}

}  // namespace

asio::awaitable<Response> answer_batch(Context& context) {
    context.audit.route = "batch";
    auto const text = co_await whole_body(*context.request.body, 4u << 20);
    boost::system::error_code error;
    auto const parsed = json::parse(text, error);
    auto const* requests =
        parsed.is_object() ? parsed.as_object().if_contains("requests") : nullptr;
    if (error || requests == nullptr || !requests->is_array()) {
        refuse("The batch has no array 'requests'.");
    }
    auto const& parts = requests->as_array();
    if (parts.empty() || parts.size() > requests_max) refuse("A batch holds 1 to 20 requests.");
    json::array replies;
    for (auto const& part : parts) {
        if (!part.is_object()) refuse("A batch request must be an object.");
        auto const id = text_of(part.as_object(), "id");
        auto request = part_request(context, part.as_object());
        if (request.path == "/v1.0/$batch") refuse("A batch can't hold a batch.");
        auto const* body = part.as_object().if_contains("body");
        TextBody source(body != nullptr ? json::serialize(*body) : "");
        request.body = &source;
        AuditEntry audit;
        audit.number = context.world.audit.next_number();
        audit.began = context.now();
        audit.listener = "batch";
        audit.method = request.method;
        audit.path = request.path;
        audit.query = request.query;
        auto const response = co_await part_response(context, request, audit);
        audit.status = response.status;
        audit.ended = context.now();
        context.world.audit.add(audit);
        replies.push_back(part_json(id, response));
    }
    // Replies come in any order.
    std::swap(replies.front(), replies.back());
    co_return json_response(200, json::object{{"responses", std::move(replies)}});
}

}  // namespace graphsim
