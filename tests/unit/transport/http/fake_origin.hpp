#pragma once

/// An origin server that follows a script, inside the test's process: no socket, no sleep, no
/// thread.

#include "async/event.hpp"
#include "transport/http/client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace mailferry::http::test {

inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// What one whole request is answered with.
struct Reply {
    std::string bytes;
    bool close = false;  ///< The server closes behind it.
    bool early = false;  ///< Said as soon as the request's head is there.
};

/// One connection, as the server treats it.
struct Line {
    std::deque<Reply> replies;      ///< None left: the server is silent.
    std::size_t slice = unlimited;  ///< The client reads at most so many bytes at once.
    std::size_t takes = unlimited;  ///< Bytes that the server takes before it stops reading.
    bool resets = false;            ///< Instead of not reading, it resets the connection.
    bool closes_when_idle = false;  ///< Closed once a request has been answered.
};

class FakeOrigin {
public:
    explicit FakeOrigin(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    std::deque<Line> lines;             ///< One per connection that will be made.
    std::vector<std::string> requests;  ///< Whole ones, over all connections.
    std::string received;               ///< All bytes.
    int dials = 0;
    int open = 0;  ///< Connections that the client hasn't let go of.

    Dial dial() {
        return [this](Url) { return connect(); };
    }

private:
    class ClientEnd;
    awaitable<Result<std::unique_ptr<transport::Stream>>> connect();

    asio::any_io_executor executor_;
};

class FakeOrigin::ClientEnd final : public transport::Stream {
public:
    ClientEnd(FakeOrigin& origin, Line line)
        : origin_(origin), line_(std::move(line)), changed_(origin.executor_) {
        ++origin_.open;
    }
    ~ClientEnd() override { --origin_.open; }

    awaitable<Result<std::size_t>> read_some(std::span<std::byte> buffer) override {
        while (to_client_.empty() && !closed_ && !cut_) co_await changed_.wait();
        if (cut_) co_return Error{Errc::connection_lost, "fake: cut"};
        auto const count = std::min({buffer.size(), to_client_.size(), line_.slice});
        auto const bytes = transport::bytes_of(to_client_).first(count);
        std::copy(bytes.begin(), bytes.end(), buffer.begin());
        to_client_.erase(0, count);
        co_return count;
    }

    awaitable<Result<void>> write_all(std::span<std::byte const> bytes) override {
        if (closed_) co_return Error{Errc::connection_lost, "fake: closed"};
        auto const text =
            std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        take(text.substr(0, line_.takes));
        line_.takes -= line_.takes == unlimited ? 0 : std::min(line_.takes, text.size());
        if (line_.takes == 0 && line_.resets) {
            closed_ = true;
            changed_.notify_all();
            co_return Error{Errc::connection_lost, "fake: reset"};
        }
        while (line_.takes == 0 && !cut_) co_await changed_.wait();
        if (cut_) co_return Error{Errc::connection_lost, "fake: cut"};
        co_return Result<void>{};
    }

    awaitable<Result<void>> start_tls() override { co_return Result<void>{}; }
    void watch_idle(bool) override {}
    void cut() override {
        cut_ = true;
        changed_.notify_all();
    }
    std::chrono::steady_clock::time_point last_activity() const override { return {}; }

private:
    void take(std::string_view bytes) {
        origin_.received += bytes;
        request_ += bytes;
        auto const head = request_.find("\r\n\r\n");
        if (head == request_.npos) return;
        if (!line_.replies.empty() && line_.replies.front().early) return say();
        auto const at = request_.find("Content-Length: ");
        auto const length = at < head ? std::stoull(request_.substr(at + 16)) : 0;
        if (request_.size() < head + 4 + length) return;
        origin_.requests.push_back(std::exchange(request_, {}));
        say();
    }
    void say() {
        if (line_.replies.empty()) return;
        auto reply = std::move(line_.replies.front());
        line_.replies.pop_front();
        to_client_ += reply.bytes;
        closed_ = reply.close || line_.closes_when_idle;
        changed_.notify_all();
    }

    FakeOrigin& origin_;
    Line line_;
    ::mailferry::Event changed_;
    std::string request_, to_client_;
    bool closed_ = false, cut_ = false;
};

inline awaitable<Result<std::unique_ptr<transport::Stream>>> FakeOrigin::connect() {
    ++dials;
    if (lines.empty()) co_return Error{Errc::unreachable, "fake: nobody listens"};
    auto line = std::move(lines.front());
    lines.pop_front();
    co_return std::unique_ptr<transport::Stream>(
        std::make_unique<ClientEnd>(*this, std::move(line)));
}

/// "HTTP/1.1 200 OK" with a length and JSON as its type.
inline std::string ok(std::string_view body, std::string_view more_headers = {}) {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + std::string(more_headers) + "\r\n" +
           std::string(body);
}

/// A client of a FakeOrigin called "origin.example".
class ClientFixture : public testing::Test {
protected:
    ClientFixture() {
        settings.hosts = {"origin.example"};
        settings.dial = origin.dial();
    }

    void run(std::function<awaitable<void>()> body) {
        bool done = false;
        asio::co_spawn(context, body(), [&](std::exception_ptr e) {
            done = true;
            if (e) std::rethrow_exception(e);
        });
        context.restart();
        auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!done && std::chrono::steady_clock::now() < limit)
            context.run_one_for(std::chrono::seconds(1));
        ASSERT_TRUE(done) << "hangs";
    }

    Client& client() {
        if (!client_) client_ = std::make_shared<Client>(context.get_executor(), settings);
        return *client_;
    }
    std::shared_ptr<Client> shared_client() {
        client();
        return client_;
    }

    void reset_client() { client_.reset(); }

    static Request get(std::string_view target = "/") {
        Request request;
        request.url = *parse_url("https://origin.example" + std::string(target));
        return request;
    }

    asio::io_context context{1};
    FakeOrigin origin{context.get_executor()};
    ClientSettings settings;

private:
    std::shared_ptr<Client> client_;
};

}  // namespace mailferry::http::test
