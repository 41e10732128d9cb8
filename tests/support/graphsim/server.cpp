#include "tests/support/graphsim/server.hpp"

#include "tests/support/graphsim/control.hpp"
#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/graph_host.hpp"
#include "tests/support/graphsim/gzip.hpp"
#include "tests/support/graphsim/import_host.hpp"
#include "tests/support/graphsim/routing.hpp"
#include "tests/support/graphsim/token_endpoint.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <regex>

namespace graphsim {

namespace {

constexpr std::uint64_t small_body_bytes = 256 * 1024;
constexpr int trickle_ms = 30;

/// Hashes and counts what the client sends, and charges it to the mailbox's upload window.
class CountedBody : public BodySource {
public:
    CountedBody(BodySource& inner, Context& context) : inner_(inner), context_(context) {}

    asio::awaitable<std::string_view> next() override {
        auto const piece = co_await inner_.next();
        hash_.add(piece);
        context_.audit.body_bytes += piece.size();
        if (context_.limiter && !piece.empty()) {
            context_.world.throttle.uploaded(*context_.limiter, piece.size());
        }
        co_return piece;
    }
    std::string finish() { return hex(hash_.finish()); }

private:
    BodySource& inner_;
    Context& context_;
    Sha256 hash_;
};

/// Ends a request's account once, however it ends.
class Account {
public:
    explicit Account(Context& context) : context_(context) {}
    Account(Account const&) = delete;
    Account& operator=(Account const&) = delete;
    ~Account() { close(); }

    void close() {
        if (std::exchange(closed_, true)) return;
        auto& world = context_.world;
        if (context_.limiter) world.throttle.leave(*context_.limiter);
        context_.audit.ended = world.clock.now();
        world.audit.add(context_.audit);
    }

private:
    Context& context_;
    bool closed_ = false;
};

std::string masked(std::string_view text) {
    static std::regex const secret(
        "(authtoken|%24(?:skip|delta)token|\\$(?:skip|delta)token)=[^&]*");
    return std::regex_replace(std::string(text), secret, "$1=***");
}

AuditEntry audit_of(World& world, Request const& request) {
    AuditEntry audit;
    audit.number = world.audit.next_number();
    audit.began = world.clock.now();
    audit.listener = name_of(request.listener);
    audit.method = request.method;
    audit.path = request.path;
    audit.query = masked(request.query);
    for (auto const& [name, value] : request.headers) {
        bool const secret = name == "authorization" || name == "cookie";
        auto& kept = audit.headers[name];
        kept += (kept.empty() ? "" : ", ") + (secret ? "***" : value);
    }
    audit.headers["request-id"] = random_guid();
    return audit;
}

void identify(Context& context) {
    switch (context.request.listener) {
    case Listener::authority: identify_authority(context); break;
    case Listener::graph: identify_graph(context); break;
    case Listener::import_host: identify_import(context); break;
    case Listener::control: break;
    }
}

bool carries_body(std::string_view method) {
    return method == "POST" || method == "PATCH" || method == "PUT";
}

/// Whom a Retry-After concerns: the app at the mailbox, or at the tenant's directory.
std::optional<LimiterKey> wait_key_of(Context const& context) {
    if (context.limiter) return context.limiter;
    if (context.token == nullptr) return std::nullopt;
    return LimiterKey{context.token->app, context.token->tenant};
}

/// Counts the request in, and says what stands against it.
std::optional<Refusal> admit(Context& context) {
    auto& world = context.world;
    auto const wait_key = wait_key_of(context);
    if (wait_key && world.throttle.inside_retry_after(*wait_key)) {
        context.audit.inside_retry_after = true;
        world.audit.violation("sent inside Retry-After", context.audit);
    }
    if (!context.limiter) return std::nullopt;
    auto const& key = *context.limiter;
    auto refusal = world.throttle.enter(key);
    context.audit.in_flight = world.throttle.in_flight(key);
    if (!refusal && carries_body(context.request.method)) refusal = world.throttle.may_upload(key);
    return refusal;
}

Fault fault_for(Context const& context) {
    auto const* user = context.place.user;
    FaultSubject const subject{name_of(context.request.listener), context.request.method,
                               context.request.path, context.audit.mailbox,
                               user != nullptr ? std::string_view(user->name) : ""};
    return context.world.faults.choose(subject);
}

Response faulty_response(Context const& context, Fault const& fault) {
    bool const throttled = fault.kind == Fault::Kind::throttle;
    GraphError error(throttled ? 429 : fault.status,
                     throttled ? "ApplicationThrottled" : fault.code,
                     throttled ? "Application is over its MailboxConcurrency limit." : "");
    auto response = error_response(context, error);
    if (fault.body == "html") {
        response.content_type = "text/html";
        response.body = "<html><body><h1>Service Unavailable</h1></body></html>";
    } else if (fault.body == "empty") {
        response.body.clear();
    }
    if (fault.retry_after == "date") {
        auto const when = std::chrono::ceil<std::chrono::seconds>(context.now()) +
                          std::chrono::seconds{static_cast<int>(fault.seconds)};
        response.headers.emplace_back("Retry-After", http_time(when));
    } else if (!fault.retry_after.empty()) {
        response.headers.emplace_back("Retry-After", fault.retry_after);
    }
    return response;
}

/// The reply stays whole as HTTP, and is no JSON any more.
void corrupt(Response& response) {
    if (!response.stream) {
        response.body = response.body.substr(0, response.body.size() / 2) + "\x01}{!";
        return;
    }
    response.stream = [inner = response.stream, first = true](std::string& text) mutable {
        if (std::exchange(first, false)) return inner(text);
        text += "\x01}{!";
        return false;
    };
}

asio::awaitable<Response> route(Context& context) {
    switch (context.request.listener) {
    case Listener::authority: co_return co_await answer_authority(context);
    case Listener::graph: co_return co_await answer_graph(context);
    case Listener::import_host: co_return co_await answer_import(context);
    case Listener::control: break;
    }
    co_return Response{};
}

asio::awaitable<Response> answer(Context& context) {
    std::optional<GraphError> problem;
    Response response;
    try {
        response = co_await route(context);
    } catch (GraphError const& error) {
        problem = error;
    }
    if (problem) response = error_response(context, *problem);
    co_return response;
}

asio::awaitable<void> sleep_seconds(double count) {
    if (count <= 0) co_return;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(seconds(count));
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> take_time(Context const& context, Response const& response) {
    auto const& options = context.world.options;
    auto const bytes = context.audit.body_bytes +
                       std::max<std::uint64_t>(response.stream_bytes, response.body.size());
    auto const megabytes = static_cast<double>(bytes) / (1 << 20);
    co_await sleep_seconds((options.latency_ms + options.latency_ms_per_mb * megabytes) / 1000);
}

void pack(Context const& context, Response& response) {
    auto const& options = context.world.options;
    if (context.request.header("accept-encoding").find("gzip") == std::string::npos) return;
    if (response.stream && options.gzip_streams) {
        auto const writer = std::make_shared<GzipWriter>();
        response.stream = [inner = response.stream, writer](std::string& packed) {
            std::string piece;
            bool const more = inner(piece);
            writer->add(piece, !more, packed);
            return more;
        };
    } else if (!response.stream && response.body.size() > 256 &&
               response.body.size() <= options.gzip_bytes_max) {
        response.body = gzip(response.body);
    } else {
        return;
    }
    response.headers.emplace_back("Content-Encoding", "gzip");
}

void dress(Context const& context, Response& response) {
    auto& headers = response.headers;
    headers.emplace_back("Date", http_time(context.now()));
    headers.emplace_back("request-id", context.audit.headers.at("request-id"));
    auto const client_id = context.request.header("client-request-id");
    if (!client_id.empty()) headers.emplace_back("client-request-id", client_id);
    headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
    if (response.header("Cache-Control").empty()) {
        headers.emplace_back("Cache-Control", "private");
    }
    pack(context, response);
}

void note_retry_after(Context& context, Response const& response) {
    auto const text = response.header("Retry-After");
    auto const key = wait_key_of(context);
    context.audit.retry_after = text;
    if (text.empty() || !key) return;
    auto const date = parse_http_time(text);
    auto const until = date ? *date : context.now() + seconds(std::strtod(text.c_str(), nullptr));
    context.world.throttle.told_to_wait(*key, until);
}

bool acts(Fault::Kind kind) {
    return kind != Fault::Kind::status && kind != Fault::Kind::throttle &&
           kind != Fault::Kind::drop_before;
}

}  // namespace

std::uint16_t Server::listen(Listener listener, std::uint16_t port) {
    asio::ip::tcp::endpoint const place(asio::ip::make_address("127.0.0.1"), port);
    asio::ip::tcp::acceptor acceptor(context_, place);
    auto const chosen = acceptor.local_endpoint().port();
    asio::co_spawn(context_, accept(std::move(acceptor), listener), asio::detached);
    return chosen;
}

asio::awaitable<void> Server::accept(asio::ip::tcp::acceptor acceptor, Listener listener) {
    for (;;) {
        auto socket = co_await acceptor.async_accept(asio::use_awaitable);
        auto connection =
            std::make_shared<Connection>(std::move(socket), tls_, listener != Listener::control);
        asio::co_spawn(context_, serve(std::move(connection), listener), asio::detached);
    }
}

asio::awaitable<void> Server::serve(std::shared_ptr<Connection> connection, Listener listener) {
    try {
        co_await connection->handshake();
        for (bool more = true; more;) {
            auto request = co_await connection->read_head();
            if (!request) break;
            request->listener = listener;
            if (listener == Listener::control) {
                more = co_await control_exchange(*connection, std::move(*request));
            } else {
                more = co_await exchange(*connection, std::move(*request));
            }
        }
        co_await connection->close();
    } catch (boost::system::system_error const&) {
        // The client has gone, or a fault has closed the connection: both are everyday.
        connection->reset();
    } catch (std::exception const& error) {
        std::fprintf(stderr, "graphsim: a request failed here: %s\n", error.what());
        connection->reset();
    }
}

asio::awaitable<bool> Server::exchange(Connection& connection, Request request) {
    auto audit = audit_of(world_, request);
    Context context{world_,  request, audit, connection.content_length(), {}, nullptr,
                    nullptr, {},      {}};
    context.segments = path_segments(request.path);
    identify(context);
    auto const refusal = admit(context);
    Account account(context);
    CountedBody body(connection, context);
    request.body = &body;
    auto const fault = fault_for(context);
    audit.fault = name_of(fault.kind);
    co_await sleep_seconds(fault.after_seconds);
    bool const in_body = fault.kind == Fault::Kind::drop_in_body;
    if (in_body) co_await body.next();
    if (in_body || fault.kind == Fault::Kind::drop_before) {
        connection.reset();
        co_return false;
    }
    if (fault.kind == Fault::Kind::delay) co_await sleep_seconds(fault.seconds);
    Response response;
    if (!acts(fault.kind)) {
        response = faulty_response(context, fault);
    } else if (refusal) {
        response = refusal_response(context, *refusal);
    } else {
        response = co_await answer(context);
    }
    bool const small = connection.content_length().value_or(small_body_bytes) < small_body_bytes;
    if (!connection.body_read() && small && !connection.continue_awaited()) {
        while (!(co_await body.next()).empty()) continue;
    }
    audit.body_sha256 = body.finish();
    co_await take_time(context, response);
    if (fault.kind == Fault::Kind::drop_after_commit) {
        connection.reset();
        co_return false;
    }
    if (fault.kind == Fault::Kind::corrupt_json) corrupt(response);
    note_retry_after(context, response);
    dress(context, response);
    audit.status = response.status;
    if (fault.kind == Fault::Kind::truncate && response.status != 204) {
        co_await connection.write_truncated(response);
        connection.reset();
        co_return false;
    }
    bool const close = !connection.keep_alive() || !connection.body_read();
    Connection::BeforeEnd const before_end = [&](std::uint64_t bytes) {
        audit.reply_bytes = bytes;
        account.close();
    };
    auto const pause_ms = fault.kind == Fault::Kind::trickle ? trickle_ms : 0;
    co_await connection.write(response, close, pause_ms, before_end);
    if (!connection.body_read()) co_await connection.drain();
    co_return !close;
}

asio::awaitable<bool> Server::control_exchange(Connection& connection, Request request) {
    auto const text = co_await whole_body(connection, 1u << 30);
    auto const response = control_.answer(request.path, text);
    bool const close = !connection.keep_alive();
    Connection::BeforeEnd const nothing = [](std::uint64_t) {};
    co_await connection.write(response, close, 0, nothing);
    co_return !close;
}

}  // namespace graphsim
