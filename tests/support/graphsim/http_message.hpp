#pragma once

/// Requests and responses as the routes see them, whatever carried them.

#include <boost/asio/awaitable.hpp>
#include <boost/json.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graphsim {

namespace asio = boost::asio;
namespace json = boost::json;

enum class Listener { authority, graph, import_host, control };
std::string_view name_of(Listener listener);

/// A request's body, piece by piece.
class BodySource {
public:
    virtual ~BodySource() = default;
    /// Empty at the end. The view lives until the next call. Throws if the connection breaks.
    virtual asio::awaitable<std::string_view> next() = 0;
};

/// A body that is in memory already.
class TextBody : public BodySource {
public:
    explicit TextBody(std::string text) : text_(std::move(text)) {}
    asio::awaitable<std::string_view> next() override;

private:
    std::string text_;
    bool given_ = false;
};

struct Request {
    Listener listener = Listener::graph;
    std::string method;
    std::string target;  ///< As it was sent.
    std::string path;    ///< As it was sent, without the query.
    std::string query;   ///< As it was sent, without '?'.
    std::string origin;  ///< https://host:port, as the client called us.
    std::multimap<std::string, std::string> headers;  ///< Names in lower case.
    BodySource* body = nullptr;

    std::string header(std::string_view name) const;  ///< Empty if absent.
    bool has_header(std::string_view name) const;
    /// The value of a preference in Prefer, such as odata.maxpagesize; empty if absent.
    std::string preference(std::string_view name) const;
};

struct Response {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string content_type =
        "application/json;odata.metadata=minimal;odata.streaming=true;"
        "IEEE754Compatible=false;charset=utf-8";
    std::string body;
    /// If set, the body is what this appends, call by call, until it answers false.
    std::function<bool(std::string&)> stream;
    std::uint64_t stream_bytes = 0;  ///< About as many as it will be.

    std::string header(std::string_view name) const;
};

Response json_response(int status, json::value const& body);

/// A refusal in Graph's envelope.
struct GraphError : std::exception {
    GraphError(int code_of_http, std::string error_code, std::string text)
        : status(code_of_http), code(std::move(error_code)), message(std::move(text)) {}
    char const* what() const noexcept override { return message.c_str(); }

    int status;
    std::string code;
    std::string message;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// The whole body; throws GraphError 413 above `bytes_max`.
asio::awaitable<std::string> whole_body(BodySource& body, std::size_t bytes_max);

}  // namespace graphsim
