#include "daemon/cli/client.hpp"

#include "async/asio.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace mailferry::daemon::cli {

namespace beast = boost::beast;
namespace http = beast::http;
using Protocol = asio::local::stream_protocol;
using Stream = beast::basic_stream<Protocol, asio::any_io_executor>;

namespace {

constexpr std::uint64_t body_bytes_max = 1ULL << 30;

using Parser = http::response_parser<http::string_body>;

/// Sends `request` and reads the reply into `parser`; the first failure ends it.
awaitable<void> exchange(Stream& stream, http::request<http::empty_body> const& request,
                         Parser& parser, boost::system::error_code& error) {
    co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
    // A server that refuses early closes before it has read everything: its answer is there.
    beast::flat_buffer buffer;
    co_await http::async_read(stream, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, error));
}

Error failed(std::filesystem::path const& socket, boost::system::error_code error) {
    auto code = Errc::unreachable;
    if (error == beast::error::timeout) code = Errc::timed_out;
    if (error == boost::system::errc::permission_denied) code = Errc::login_refused;
    return {code, socket.string() + ": " + error.message()};
}

}  // namespace

Result<Reply> SocketClient::request(std::string_view method, std::string_view target) {
    asio::io_context context;
    boost::system::error_code error;
    if (socket_.string().size() > 107)
        return Error{Errc::unreachable, "the socket's path is longer than 107 bytes"};
    Stream stream(context.get_executor());
    stream.socket().open(Protocol(), error);
    if (!error) stream.socket().connect(Protocol::endpoint(socket_.string()), error);
    if (error) return failed(socket_, error);

    http::request<http::empty_body> request;
    request.version(11);
    request.method_string({method.data(), method.size()});
    request.target({target.data(), target.size()});
    request.set(http::field::host, "mailferryd");
    request.keep_alive(false);
    request.prepare_payload();
    Parser parser;
    parser.body_limit(body_bytes_max);
    stream.expires_after(deadline_);
    asio::co_spawn(context, exchange(stream, request, parser, error), asio::detached);
    context.run();
    if (error) return failed(socket_, error);
    auto response = parser.release();
    Reply reply{response.result_int(), std::move(response.body())};
    if (auto const header = response["Mailferry-Exit-Status"]; header.size() == 1)
        reply.exit_status = header[0] - '0';
    return reply;
}

}  // namespace mailferry::daemon::cli
