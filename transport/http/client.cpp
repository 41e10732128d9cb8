#include "transport/http/client.hpp"

#include "async/event.hpp"
#include "config/validate.hpp"
#include "transport/http/connection.hpp"
#include "transport/http/origin_dial.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>
#include <variant>

namespace mailferry::http {
namespace {

using steady = std::chrono::steady_clock;

Error closed() { return {Errc::connection_lost, "the client is closed"}; }

/// Connections of one origin. `open` counts all, the idle ones and those being made included.
struct Origin {
    std::deque<std::unique_ptr<Connection>> idle;  ///< The last one used comes last.
    std::size_t open = 0;
};

}  // namespace

struct Client::State {
    State(asio::any_io_executor with, ClientSettings wanted)
        : executor(std::move(with)),
          settings(std::move(wanted)),
          dial(settings.dial ? settings.dial : origin_dial(settings)),
          freed(executor),
          cut(executor),
          sweeper(executor) {}

    Origin& origin_of(Url const& url) { return origins[{url.host, url.port, url.tls}]; }
    void drop_oldest(Origin& origin) {
        origin.idle.pop_front();
        --origin.open;
    }
    void drop_too_old(Origin& origin) {
        auto const limit = steady::now() - settings.kept_max;
        while (!origin.idle.empty() && origin.idle.front()->last_used() <= limit)
            drop_oldest(origin);
    }
    void drop_idle() {
        for (auto& [name, origin] : origins)
            while (!origin.idle.empty()) drop_oldest(origin);
    }

    asio::any_io_executor executor;
    ClientSettings const settings;
    Dial const dial;
    ::mailferry::Event freed;  ///< A connection was given back or closed.
    ::mailferry::Event cut;
    asio::steady_timer sweeper;
    bool sweeping = false;
    bool is_closed = false;  ///< No new request.
    bool is_cut = false;     ///< And those under way end.
    std::map<std::tuple<std::string, std::uint16_t, bool>, Origin> origins;
    std::set<Connection*> busy;
};

namespace {

using State = Client::State;

/// The right to one connection of an origin; a connection that isn't given back is closed.
class Lease {
public:
    Lease(std::shared_ptr<State> state, Origin& origin)
        : state_(std::move(state)), origin_(&origin) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
        if (!state_) return;
        if (connection) state_->busy.erase(connection.get());
        connection.reset();
        --origin_->open;
        state_->freed.notify_all();
    }
    void use(std::unique_ptr<Connection> taken) {
        connection = std::move(taken);
        state_->busy.insert(connection.get());
    }
    void give_back() {
        if (!connection->reusable() || state_->is_closed) return;
        state_->busy.erase(connection.get());
        origin_->idle.push_back(std::move(connection));
        std::exchange(state_, nullptr)->freed.notify_all();
    }

    std::unique_ptr<Connection> connection;

private:
    std::shared_ptr<State> state_;
    Origin* origin_;  ///< In a map of the state: it stays where it is.
};

/// Closes what nobody has used for long.
void sweep(std::shared_ptr<State> const& state) {
    if (std::exchange(state->sweeping, true)) return;
    state->sweeper.expires_after(state->settings.kept_max);
    state->sweeper.async_wait([weak = std::weak_ptr(state)](boost::system::error_code error) {
        auto const held = weak.lock();
        if (error || !held) return;
        held->sweeping = false;
        bool any = false;
        for (auto& [name, origin] : held->origins) {
            held->drop_too_old(origin);
            any = any || !origin.idle.empty();
        }
        if (any) sweep(held);
    });
}

/// A stream, unless the client is cut meanwhile.
awaitable<Result<std::unique_ptr<transport::Stream>>> connect(std::shared_ptr<State> state,
                                                              Url url) {
    using namespace asio::experimental::awaitable_operators;
    auto dialling = state->dial(std::move(url));
    auto cutting = state->cut.wait();
    try {
        auto first = co_await (std::move(dialling) || std::move(cutting));
        if (first.index() == 1 || state->is_cut) co_return closed();
        co_return std::get<0>(std::move(first));
    } catch (asio::multiple_exceptions const& both) {
        // Cancelled: our caller waits for one exception that says so.
        std::rethrow_exception(both.first_exception());
    }
}

/// A connection of its own for one request: a kept one, a new one, or the turn is awaited.
awaitable<Result<Lease>> acquire(std::shared_ptr<State> state, Url url, bool repeatable,
                                 bool fresh_only) {
    auto& origin = state->origin_of(url);
    for (;;) {
        if (state->is_cut) co_return closed();
        state->drop_too_old(origin);
        auto const usable = [&](Connection const& kept) {
            return !fresh_only &&
                   (repeatable || steady::now() - kept.last_used() <= state->settings.fresh_max);
        };
        if (!origin.idle.empty() && usable(*origin.idle.back())) {
            Lease lease(state, origin);
            lease.use(std::move(origin.idle.back()));
            origin.idle.pop_back();
            co_return lease;
        }
        if (origin.open >= state->settings.connections_max && !origin.idle.empty())
            state->drop_oldest(origin);
        if (origin.open < state->settings.connections_max) break;
        co_await state->freed.wait();
    }
    ++origin.open;
    Lease lease(state, origin);
    auto stream = co_await connect(state, std::move(url));
    if (!stream) co_return stream.error();
    lease.use(std::make_unique<Connection>(std::move(*stream), state->settings));
    co_return lease;
}

Result<void> check_origin(Url const& url, ClientSettings const& settings) {
    auto const& hosts = settings.hosts;
    if (std::find(hosts.begin(), hosts.end(), url.host) == hosts.end())
        return Error{Errc::invalid_config,
                     "the host isn't one that this tenant's settings name; if it is right, add it"};
    if (url.tls || (settings.plain_loopback && config::is_loopback(url.host))) return {};
    return Error{Errc::invalid_config, "http:// is accepted towards loopback only; use https://"};
}

}  // namespace

Client::Client(asio::any_io_executor executor, ClientSettings settings)
    : state_(std::make_shared<State>(std::move(executor), std::move(settings))) {}

Client::~Client() { cut(); }

awaitable<Result<ResponseHead>> Client::send(Request request, BodySink& sink, Progress* progress) {
    auto const state = state_;
    auto const frame = request.method + " " + request.url.where();
    if (state->is_closed) co_return closed().in(frame);
    auto const fits = check_request(request);
    if (!fits) co_return fits.error().in(frame);
    auto const allowed = check_origin(request.url, state->settings);
    if (!allowed) co_return allowed.error().in(frame);
    Progress own_progress;
    if (progress == nullptr) progress = &own_progress;
    *progress = {};

    for (bool fresh_only = false;; fresh_only = true) {
        auto lease = co_await acquire(state, request.url, request.repeatable, fresh_only);
        if (!lease) co_return lease.error().in(frame);
        auto& connection = *lease->connection;
        auto outcome = co_await connection.exchange(request, sink, *progress);
        if (outcome) {
            lease->give_back();
            sweep(state);
            co_return std::move(*outcome);
        }
        auto const& failure = outcome.error();
        auto const again = failure.stale && connection.used_before() && request.repeatable &&
                           !fresh_only && !state->is_cut;
        if (!again) co_return failure.error.in(frame);
        progress->response_begun = false;
        if (request.body != nullptr) request.body->rewind();
    }
}

void Client::close() {
    state_->is_closed = true;
    state_->drop_idle();
    state_->sweeper.cancel();
    state_->freed.notify_all();
}

void Client::cut() {
    state_->is_cut = true;
    close();
    for (auto* const connection : state_->busy) connection->cut();
    state_->cut.notify_all();
}

std::size_t Client::connections_open() const {
    std::size_t count = 0;
    for (auto const& [name, origin] : state_->origins) count += origin.open;
    return count;
}

}  // namespace mailferry::http
