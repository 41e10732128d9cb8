#include "tests/support/graphsim/http_connection.hpp"

#include "tests/support/graphsim/encoding.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/status.hpp>

namespace graphsim {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

constexpr std::size_t read_bytes = 64 * 1024;
constexpr int idle_seconds = 120;

/// Collects head and body pieces.
class RequestParser : public http::basic_parser<true> {
public:
    Request request;
    std::string body;

private:
    void on_request_impl(http::verb, string_view method, string_view target, int,
                         error_code&) override {
        request.method = std::string(method);
        request.target = std::string(target);
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
        request.headers.emplace(lower(std::string(name)), std::string(value));
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
    std::size_t on_body_impl(string_view bytes, error_code&) override {
        body.append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& error) override {
        return on_body_impl(bytes, error);
    }
    void on_finish_impl(error_code&) override {}
};

Connection::Connection(asio::ip::tcp::socket socket, asio::ssl::context& context, bool tls)
    : stream_(std::move(socket), context), tls_(tls), deadline_(stream_.get_executor()) {
    stream_.next_layer().set_option(asio::ip::tcp::no_delay(true));
}

Connection::~Connection() = default;

void Connection::watch(int seconds_max) {
    deadline_.expires_after(std::chrono::seconds{seconds_max});
    deadline_.async_wait([weak = weak_from_this()](error_code error) {
        auto const self = weak.lock();
        if (error || !self) return;
        error_code ignored;
        self->stream_.next_layer().close(ignored);
    });
}

asio::awaitable<void> Connection::handshake() {
    if (!tls_) co_return;
    watch(10);
    co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
}

asio::awaitable<std::size_t> Connection::read_some() {
    watch(idle_seconds);
    auto const had = input_.size();
    input_.resize(had + read_bytes);
    auto const room = asio::buffer(input_.data() + had, read_bytes);
    std::size_t count = 0;
    if (tls_) {
        count = co_await stream_.async_read_some(room, asio::use_awaitable);
    } else {
        count = co_await stream_.next_layer().async_read_some(room, asio::use_awaitable);
    }
    input_.resize(had + count);
    co_return count;
}

asio::awaitable<std::optional<Request>> Connection::read_head() {
    parser_ = std::make_unique<RequestParser>();
    parser_->body_limit(boost::none);
    parser_->header_limit(64 * 1024);
    while (!parser_->is_header_done()) {
        error_code error;
        auto const used = parser_->put(asio::buffer(input_), error);
        input_.erase(0, used);
        if (error && error != http::error::need_more) co_return std::nullopt;
        if (!parser_->is_header_done()) co_await read_some();
    }
    auto request = std::move(parser_->request);
    request.path = request.target.substr(0, request.target.find('?'));
    if (request.path.size() < request.target.size()) {
        request.query = request.target.substr(request.path.size() + 1);
    }
    request.origin = (tls_ ? "https://" : "http://") + request.header("host");
    request.body = this;
    continue_awaited_ = equal_folded(request.header("expect"), "100-continue");
    co_return request;
}

asio::awaitable<std::string_view> Connection::next() {
    if (!parser_->is_done() && std::exchange(continue_awaited_, false)) {
        co_await send("HTTP/1.1 100 Continue\r\n\r\n");
    }
    while (parser_->body.empty() && !parser_->is_done()) {
        if (input_.empty()) co_await read_some();
        error_code error;
        auto const used = parser_->put(asio::buffer(input_), error);
        input_.erase(0, used);
        if (error == http::error::need_more && !parser_->is_done()) {
            co_await read_some();
        } else if (error) {
            throw boost::system::system_error(error);
        }
    }
    piece_.clear();
    piece_.swap(parser_->body);
    co_return piece_;
}

bool Connection::body_read() const { return parser_->is_done() && parser_->body.empty(); }

bool Connection::keep_alive() const { return parser_->keep_alive(); }

std::optional<std::uint64_t> Connection::content_length() const {
    auto const length = parser_->content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

asio::awaitable<void> Connection::send(std::string_view bytes) {
    watch(idle_seconds);
    auto const buffer = asio::buffer(bytes.data(), bytes.size());
    if (tls_) {
        co_await asio::async_write(stream_, buffer, asio::use_awaitable);
    } else {
        co_await asio::async_write(stream_.next_layer(), buffer, asio::use_awaitable);
    }
}

namespace {

std::string head_of(Response const& response, bool close) {
    auto head = "HTTP/1.1 " + std::to_string(response.status) + " " +
                std::string(http::obsolete_reason(static_cast<http::status>(response.status))) +
                "\r\n";
    for (auto const& [name, value] : response.headers) head += name + ": " + value + "\r\n";
    bool const empty = response.body.empty() && !response.stream;
    if (!empty) head += "Content-Type: " + response.content_type + "\r\n";
    if (response.stream) {
        head += "Transfer-Encoding: chunked\r\n";
    } else if (response.status != 204) {
        head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    }
    if (close) head += "Connection: close\r\n";
    return head + "\r\n";
}

std::string chunk_of(std::string_view bytes) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + std::string(bytes) + "\r\n";
}

asio::awaitable<void> sleep_ms(int count) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(std::chrono::milliseconds{count});
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

asio::awaitable<void> Connection::write(Response const& response, bool close, int pause_ms,
                                        BeforeEnd const& before_end) {
    auto const head = head_of(response, close);
    if (!response.stream) {
        auto const& body = response.body;
        auto const step = pause_ms == 0 ? body.size() : std::max<std::size_t>(1, body.size() / 20);
        auto rest = std::string_view(body);
        if (pause_ms > 0) co_await send(head);
        for (; rest.size() > step; rest.remove_prefix(step)) {
            co_await send(rest.substr(0, step));
            co_await sleep_ms(pause_ms);
        }
        before_end(body.size());
        auto const last = (pause_ms > 0 ? "" : head) + std::string(rest);
        co_await send(last);
        co_return;
    }
    co_await send(head);
    std::uint64_t count = 0;
    std::string bytes;
    for (bool more = true; more; bytes.clear()) {
        while (more && bytes.size() < read_bytes) more = response.stream(bytes);
        count += bytes.size();
        auto chunk = bytes.empty() ? "" : chunk_of(bytes);
        if (!more) {
            before_end(count);
            chunk += "0\r\n\r\n";
        }
        co_await send(chunk);
        if (pause_ms > 0) co_await sleep_ms(pause_ms);
    }
}

asio::awaitable<void> Connection::write_truncated(Response const& response) {
    co_await send(head_of(response, false));
    if (!response.stream) {
        co_await send(std::string_view(response.body).substr(0, response.body.size() / 2));
        co_return;
    }
    std::string bytes;
    response.stream(bytes);
    co_await send(chunk_of(std::string_view(bytes).substr(0, bytes.size() / 2 + 1)));
}

asio::awaitable<void> Connection::drain() {
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    try {
        while (!body_read() && std::chrono::steady_clock::now() < until) co_await next();
    } catch (std::exception const&) {
        // The client has gone: that is what was waited for.
    }
}

void Connection::reset() {
    error_code ignored;
    deadline_.cancel();
    stream_.next_layer().set_option(asio::socket_base::linger(true, 0), ignored);
    stream_.next_layer().close(ignored);
}

asio::awaitable<void> Connection::close() {
    error_code ignored;
    if (tls_) {
        watch(2);
        co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
    }
    deadline_.cancel();
    stream_.next_layer().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    stream_.next_layer().close(ignored);
}

}  // namespace graphsim
