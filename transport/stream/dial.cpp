#include "transport/stream/dial.hpp"

#include "async/event.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace mailferry::transport {
namespace {

using asio::ip::tcp;
using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds head_start{250};
constexpr std::size_t addresses_max = 16;

/// Shared with attempts that outlive the call: the loser of a race finds nobody waiting.
struct Race {
    explicit Race(asio::any_io_executor with) : executor(std::move(with)), changed(executor) {}

    asio::any_io_executor executor;
    ::mailferry::Event changed;
    std::optional<boost::system::error_code> resolve_error;
    std::vector<tcp::endpoint> endpoints;
    bool resolved = false;
    bool over = false;
    std::vector<std::shared_ptr<tcp::socket>> sockets;
    std::size_t started = 0, failed = 0;
    std::shared_ptr<tcp::socket> winner;
    boost::system::error_code last_error;
};

/// getaddrinfo() can't be interrupted: it runs beside us and is left behind when time is up.
awaitable<void> resolve(std::shared_ptr<Race> race, std::string host, std::string port) {
    tcp::resolver resolver(race->executor);
    boost::system::error_code error;
    auto const found =
        co_await resolver.async_resolve(host, port, tcp::resolver::numeric_service,
                                        asio::redirect_error(asio::use_awaitable, error));
    race->resolved = true;
    if (error) race->resolve_error = error;
    for (auto const& entry : found)
        if (race->endpoints.size() < addresses_max) race->endpoints.push_back(entry.endpoint());
    race->changed.notify_all();
}

/// IPv6, IPv4, IPv6, ... beginning with the family that the resolver prefers.
void interleave(std::vector<tcp::endpoint>& endpoints) {
    if (endpoints.empty()) return;
    auto const first_is_v6 = endpoints.front().address().is_v6();
    auto const same = [&](tcp::endpoint const& e) { return e.address().is_v6() == first_is_v6; };
    std::vector<tcp::endpoint> preferred, others, mixed;
    for (auto const& e : endpoints) (same(e) ? preferred : others).push_back(e);
    for (std::size_t i = 0; i < std::max(preferred.size(), others.size()); ++i) {
        if (i < preferred.size()) mixed.push_back(preferred[i]);
        if (i < others.size()) mixed.push_back(others[i]);
    }
    endpoints = std::move(mixed);
}

awaitable<void> attempt(std::shared_ptr<Race> race, std::shared_ptr<tcp::socket> socket,
                        tcp::endpoint endpoint) {
    boost::system::error_code error;
    co_await socket->async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    if (race->over) co_return;
    if (error) {
        ++race->failed;
        race->last_error = error;
    } else if (!race->winner) {
        race->winner = std::move(socket);
    }
    race->changed.notify_all();
}

void start_next(std::shared_ptr<Race> const& race) {
    auto const endpoint = race->endpoints[race->started++];
    auto const socket = std::make_shared<tcp::socket>(race->executor);
    race->sockets.push_back(socket);
    asio::co_spawn(race->executor, attempt(race, socket, endpoint), asio::detached);
}

void tune(tcp::socket& socket) {
    auto const set = [&](int level, int name, int value) {
        // A kernel that refuses one of these still carries the bytes.
        static_cast<void>(::setsockopt(socket.native_handle(), level, name, &value, sizeof value));
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

std::chrono::milliseconds until(steady::time_point deadline) {
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady::now());
    return std::max(left, std::chrono::milliseconds(0));
}

/// Stops the attempts that are still under way, also when the caller is cancelled.
struct RaceEnd {
    std::shared_ptr<Race> race;
    ~RaceEnd() {
        race->over = true;
        boost::system::error_code ignored;
        for (auto const& socket : race->sockets)
            if (socket != race->winner) socket->close(ignored);
    }
};

}  // namespace

std::string host_and_port(std::string_view host, std::uint16_t port) {
    auto const is_v6 = host.find(':') != host.npos;
    auto text = is_v6 ? "[" + std::string(host) + "]" : std::string(host);
    return text + ":" + std::to_string(port);
}

awaitable<Result<tcp::socket>> dial(std::string host, std::uint16_t port,
                                    std::chrono::milliseconds limit) {
    auto const deadline = steady::now() + limit;
    auto const where = host_and_port(host, port);
    auto const race = std::make_shared<Race>(co_await asio::this_coro::executor);
    RaceEnd const end{race};
    asio::co_spawn(race->executor, resolve(race, host, std::to_string(port)), asio::detached);
    while (!race->resolved)
        if (!co_await race->changed.wait_for(until(deadline)) && !race->resolved)
            co_return Error{Errc::timed_out, where + ": no answer from the name service"};
    if (race->endpoints.empty()) {
        auto const reason = race->resolve_error ? race->resolve_error->message() : "no address";
        co_return Error{Errc::unreachable, where + ": " + reason};
    }
    interleave(race->endpoints);

    auto next_start = steady::now();
    while (!race->winner) {
        auto const all_started = race->started == race->endpoints.size();
        if (all_started && race->failed == race->started)
            co_return Error{Errc::unreachable, where + ": " + race->last_error.message()};
        if (steady::now() >= deadline)
            co_return Error{Errc::timed_out, where + ": no connection within " +
                                                 std::to_string(limit.count()) + " ms"};
        if (!all_started && (race->failed == race->started || steady::now() >= next_start)) {
            start_next(race);
            next_start = steady::now() + head_start;
            continue;
        }
        co_await race->changed.wait_for(
            until(all_started ? deadline : std::min(deadline, next_start)));
    }
    tune(*race->winner);
    co_return std::move(*race->winner);
}

}  // namespace mailferry::transport
