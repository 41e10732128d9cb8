#include "transport/http/connection.hpp"

#include "transport/http/gunzip.hpp"
#include "transport/http/phase_watch.hpp"
#include "transport/http/response_parser.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/beast/core/string.hpp>

#include <string.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace mailferry::http {
namespace {

/// Beside the head: what one read takes of the body, at least.
constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t write_bytes = 64 * 1024;
/// A body up to this size goes out before we look for an answer; the kernel takes it at once.
constexpr std::uint64_t small_body_bytes = 16 * 1024;
/// How long a failed write waits for the reason, which the server may have sent before it closed.
constexpr std::chrono::milliseconds last_words_limit{1'000};

bool is_plain(std::string_view text, char lowest) {
    return std::all_of(text.begin(), text.end(), [lowest](char c) {
        return static_cast<unsigned char>(c) >= static_cast<unsigned char>(lowest) && c != 0x7f;
    });
}

bool is_token(std::string_view text) {
    return !text.empty() && is_plain(text, '!') &&
           text.find_first_of("\"(),/:;<=>?@[\\]{}") == text.npos;
}

/// A text that may hold a secret: wiped when it goes. Never grows beyond what it reserved.
class WipedText {
public:
    explicit WipedText(std::size_t bytes_max) { text_.reserve(bytes_max); }
    ~WipedText() { ::explicit_bzero(text_.data(), text_.capacity()); }
    WipedText(WipedText const&) = delete;
    WipedText& operator=(WipedText const&) = delete;
    WipedText& add(std::string_view part) {
        text_.append(part);
        return *this;
    }
    std::string_view view() const { return text_; }

private:
    std::string text_;
};

std::size_t head_size(Request const& request, ClientSettings const& settings) {
    std::size_t size = 256 + request.method.size() + request.url.target.size() +
                       request.url.host.size() + settings.user_agent.size();
    for (auto const& header : request.headers) size += header.name.size() + header.value.size() + 4;
    if (request.bearer) size += request.bearer->size() + 32;
    return size;
}

void format_head(WipedText& text, Request const& request, ClientSettings const& settings) {
    text.add(request.method).add(" ").add(request.url.target).add(" HTTP/1.1\r\nHost: ");
    text.add(request.url.authority()).add("\r\nUser-Agent: ").add(settings.user_agent);
    text.add("\r\nAccept-Encoding: gzip\r\n");
    for (auto const& header : request.headers)
        text.add(header.name).add(": ").add(header.value).add("\r\n");
    if (request.bearer)
        text.add("Authorization: Bearer ").add(request.bearer->reveal()).add("\r\n");
    auto const may_have_body = request.method != "GET" && request.method != "HEAD";
    if (request.body != nullptr || may_have_body) {
        auto const size = request.body == nullptr ? 0 : request.body->size();
        text.add("Content-Length: ").add(std::to_string(size)).add("\r\n");
    }
    text.add("\r\n");
}

}  // namespace

Result<void> check_request(Request const& request) {
    Error const bad{Errc::protocol_error, "a request's part holds what would break its lines"};
    if (!is_token(request.method) || !request.url.target.starts_with('/')) return bad;
    if (!is_plain(request.url.target, '!')) return bad;
    for (auto const& header : request.headers)
        if (!is_token(header.name) || !is_plain(header.value, ' ')) return bad;
    if (request.bearer && !is_plain(request.bearer->reveal(), '!')) return bad;
    return {};
}

/// One request's way out and its response's way in, side by side: a server may answer, and stop
/// reading, before it has everything.
class Exchange {
public:
    Exchange(asio::any_io_executor executor, Connection& connection, Request const& request,
             BodySink& sink, Progress& progress)
        : connection_(connection),
          request_(request),
          sink_(sink),
          progress_(progress),
          watch_(executor, [&connection] { connection.cut(); }) {}

    awaitable<Connection::Outcome> run();

private:
    awaitable<void> send();
    awaitable<Result<void>> send_body();
    awaitable<Result<std::span<std::byte const>>> next_of(BodySource& body);
    awaitable<Result<void>> write_head();
    awaitable<Result<void>> write_body(std::span<std::byte const> bytes, std::uint64_t size);
    awaitable<void> receive();
    awaitable<Result<void>> receive_response();
    awaitable<Result<void>> read_more(ResponseParser& parser, std::size_t unconsumed);
    awaitable<Result<void>> take_head(ResponseHead head);
    awaitable<Result<void>> take_piece(std::string_view bytes);
    awaitable<Result<void>> deliver(std::span<std::byte const> bytes);
    Result<void> take_end(bool keep_alive);
    /// Keeps what failed on our own side: no other connection cures it.
    Result<void> note(Result<void> ours);
    Connection::Failure failure() const;

    Connection& connection_;
    Request const& request_;
    BodySink& sink_;
    Progress& progress_;
    PhaseWatch watch_;

    bool sent_ = false;       ///< All of it.
    bool stale_408_ = false;  ///< The server had given up this connection before our request.
    std::optional<Error> our_error_;  ///< Of the body's source or of the sink.
    std::optional<Error> send_error_, receive_error_;
    std::optional<ResponseHead> head_;
    std::unique_ptr<Gunzip> gunzip_;
    std::uint64_t body_bytes_ = 0;  ///< Of the response, unpacked.
    std::optional<ResponseParser::End> ended_;
};

awaitable<Connection::Outcome> Exchange::run() {
    using namespace asio::experimental::awaitable_operators;
    if (request_.total_limit.count() > 0) watch_.end_by(request_.total_limit);
    if (request_.body == nullptr || request_.body->size() <= small_body_bytes) {
        co_await send();
        if (!our_error_) co_await receive();
    } else {
        auto sending = send();
        auto receiving = receive();
        try {
            co_await (std::move(sending) && std::move(receiving));
        } catch (asio::multiple_exceptions const& both) {
            // Cancelled: our caller waits for one exception that says so.
            std::rethrow_exception(both.first_exception());
        }
    }
    if (our_error_ || receive_error_) co_return failure();
    if (!sent_ && head_->good()) {
        receive_error_ =
            Error{Errc::protocol_error, "the server agreed before it had the whole request"};
        co_return failure();
    }
    connection_.reusable_ = sent_ && ended_->keep_alive && connection_.begin_ == connection_.end_;
    PhaseWatch::Pause const pause(watch_);
    if (note(co_await sink_.end())) co_return std::move(*head_);
    co_return failure();
}

Result<void> Exchange::note(Result<void> ours) {
    if (!ours) our_error_ = ours.error();
    return ours;
}

Connection::Failure Exchange::failure() const {
    if (our_error_) return {*our_error_};
    // What broke first tells most; its other consequences are noise.
    auto const& verdict = watch_.verdict();
    auto const is_noise = verdict || receive_error_->code == Errc::connection_lost;
    auto const& cause = send_error_ && !head_ && is_noise ? *send_error_
                        : verdict                         ? *verdict
                                                          : *receive_error_;
    auto const unanswered = !progress_.response_begun || stale_408_;
    return {cause, unanswered && cause.code == Errc::connection_lost};
}

awaitable<Result<void>> Exchange::write_head() {
    WipedText head(head_size(request_, connection_.settings_));
    format_head(head, request_, connection_.settings_);
    auto const written = co_await connection_.stream_->write_all(transport::bytes_of(head.view()));
    watch_.touch();
    co_return written;
}

awaitable<Result<void>> Exchange::write_body(std::span<std::byte const> bytes, std::uint64_t size) {
    while (!bytes.empty()) {
        auto const piece = bytes.first(std::min(write_bytes, bytes.size()));
        // Said before the last octet leaves: whoever is cancelled in that write can't know.
        if (progress_.body_bytes_sent + piece.size() == size) progress_.request_sent = true;
        auto const written = co_await connection_.stream_->write_all(piece);
        if (!written) co_return written.error();
        watch_.touch();
        progress_.body_bytes_sent += piece.size();
        bytes = bytes.subspan(piece.size());
    }
    co_return Result<void>{};
}

awaitable<void> Exchange::send() {
    watch_.expect(request_.idle_limit, "the server takes nothing");
    auto const sent = co_await send_body();
    if (our_error_) {
        connection_.cut();
        co_return;
    }
    if (!sent) {
        // Else somebody has cut the connection and knows why.
        if (watch_.verdict() || receive_error_) co_return;
        send_error_ = sent.error();
        if (!head_) watch_.expect(last_words_limit, "no reason");
        co_return;
    }
    if (sent_ && !progress_.response_begun) watch_.expect(request_.first_byte_limit, "no answer");
}

/// Ends early, without an error, when the response is there before all is sent.
awaitable<Result<void>> Exchange::send_body() {
    auto* const body = request_.body;
    auto const size = body == nullptr ? 0 : body->size();
    progress_.body_bytes_sent = 0;
    if (size == 0) progress_.request_sent = true;
    auto written = co_await write_head();
    while (written && progress_.body_bytes_sent < size) {
        if (head_) co_return Result<void>{};
        auto const left = size - progress_.body_bytes_sent;
        auto const bytes = co_await next_of(*body);
        if (!bytes) co_return note(bytes.error());
        if (bytes->empty() || bytes->size() > left)
            co_return note(
                Error{Errc::corrupt, "a request's body isn't as long as it was said to be"});
        written = co_await write_body(*bytes, size);
    }
    sent_ = written.has_value();
    co_return written;
}

awaitable<Result<std::span<std::byte const>>> Exchange::next_of(BodySource& body) {
    PhaseWatch::Pause const pause(watch_);
    co_return co_await body.next();
}

awaitable<void> Exchange::receive() {
    auto const received = co_await receive_response();
    if (!received) receive_error_ = received.error();
    // Wakes a writer whom the server no longer listens to.
    if (!sent_ || !received) connection_.cut();
}

awaitable<Result<void>> Exchange::receive_response() {
    auto const body_max = request_.response_bytes_max;
    ResponseParser::Limits limits;
    limits.head_bytes_max = connection_.settings_.head_bytes_max;
    limits.headers_max = connection_.settings_.headers_max;
    // Packed bytes may be a little more than what they hold; the exact count is deliver()'s.
    limits.body_bytes_max =
        body_max < UINT64_MAX / 2 ? body_max + body_max / 1'000 + 1'024 : body_max;
    ResponseParser parser(limits, request_.method == "HEAD");
    while (!ended_) {
        auto const unread = std::string_view(connection_.buffer_.data() + connection_.begin_,
                                             connection_.end_ - connection_.begin_);
        auto input = unread;
        auto step = parser.next(input);
        if (!step) co_return step.error();
        connection_.begin_ += unread.size() - input.size();
        Result<void> done;
        if (std::holds_alternative<ResponseParser::NeedMore>(*step))
            done = co_await read_more(parser, input.size());
        else if (auto* const head = std::get_if<ResponseParser::Head>(&*step))
            done = co_await take_head(std::move(head->head));
        else if (auto const* const piece = std::get_if<ResponseParser::Piece>(&*step))
            done = co_await take_piece(piece->bytes);
        else
            done = take_end(std::get<ResponseParser::End>(*step).keep_alive);
        if (!done) co_return done.error();
    }
    co_return Result<void>{};
}

awaitable<Result<void>> Exchange::read_more(ResponseParser& parser, std::size_t unconsumed) {
    auto& buffer = connection_.buffer_;
    if (connection_.begin_ > 0) {
        std::memmove(buffer.data(), buffer.data() + connection_.begin_, unconsumed);
        connection_.begin_ = 0;
        connection_.end_ = unconsumed;
    }
    if (unconsumed == buffer.size())
        co_return Error{Errc::protocol_error, "the response's framing breaks our limits"};
    auto const free = std::as_writable_bytes(std::span(buffer)).subspan(unconsumed);
    auto const read = co_await connection_.stream_->read_some(free);
    if (!read) co_return read.error();
    if (*read == 0) {
        auto const end = parser.end_of_stream();
        if (!end) co_return end.error();
        co_return take_end(end->keep_alive);
    }
    connection_.end_ += *read;
    progress_.response_begun = true;
    watch_.expect(request_.idle_limit, "the server is silent");
    co_return Result<void>{};
}

awaitable<Result<void>> Exchange::take_head(ResponseHead head) {
    if (head.status == 408 && connection_.used_before()) {
        stale_408_ = true;
        co_return Error{Errc::connection_lost, "the server had given up the connection"};
    }
    if (head.status >= 300 && head.status < 400)
        co_return Error{Errc::unavailable, "answered by a redirect (status " +
                                               std::to_string(head.status) +
                                               "), and we follow none"};
    if (auto const* const encoding = head.find("Content-Encoding")) {
        if (boost::beast::iequals(*encoding, "gzip") || boost::beast::iequals(*encoding, "x-gzip"))
            gunzip_ = std::make_unique<Gunzip>();
        else if (!boost::beast::iequals(*encoding, "identity"))
            co_return Error{Errc::unsupported, "the answer is encoded in a way we didn't ask for"};
    }
    head_ = std::move(head);
    PhaseWatch::Pause const pause(watch_);
    co_return note(co_await sink_.head(*head_));
}

awaitable<Result<void>> Exchange::take_piece(std::string_view bytes) {
    if (!gunzip_) co_return co_await deliver(transport::bytes_of(bytes));
    gunzip_->write(transport::bytes_of(bytes));
    for (;;) {
        auto const unpacked = gunzip_->next();
        if (!unpacked) co_return unpacked.error();
        if (!*unpacked) break;
        auto const taken = co_await deliver(**unpacked);
        if (!taken) co_return taken.error();
    }
    if (request_.secret_answer) gunzip_->wipe();
    co_return Result<void>{};
}

awaitable<Result<void>> Exchange::deliver(std::span<std::byte const> bytes) {
    body_bytes_ += bytes.size();
    if (body_bytes_ > request_.response_bytes_max)
        co_return Error{Errc::item_too_large, "the response is larger than " +
                                                  std::to_string(request_.response_bytes_max) +
                                                  " bytes"};
    PhaseWatch::Pause const pause(watch_);
    co_return note(co_await sink_.piece(bytes));
}

Result<void> Exchange::take_end(bool keep_alive) {
    if (gunzip_ && !gunzip_->complete())
        return Error{Errc::connection_lost, "the response's gzip encoding is truncated"};
    ended_ = ResponseParser::End{keep_alive};
    return {};
}

Connection::Connection(std::unique_ptr<transport::Stream> stream, ClientSettings const& settings)
    : stream_(std::move(stream)),
      settings_(settings),
      buffer_(settings.head_bytes_max + read_bytes) {}

Connection::~Connection() {
    stream_->cut();
    ::explicit_bzero(buffer_.data(), buffer_.size());
}

void Connection::cut() {
    reusable_ = false;
    stream_->cut();
}

awaitable<Connection::Outcome> Connection::exchange(Request const& request, BodySink& sink,
                                                    Progress& progress) {
    ++exchanges_;
    reusable_ = false;
    Exchange exchange(co_await asio::this_coro::executor, *this, request, sink, progress);
    auto outcome = co_await exchange.run();
    if (!outcome) cut();
    if (request.secret_answer) ::explicit_bzero(buffer_.data(), buffer_.size());
    last_used_ = std::chrono::steady_clock::now();
    co_return outcome;
}

}  // namespace mailferry::http
