// A longer way to a server: hands each byte on after half a round trip, and counts.
//
//     delay_proxy ROUND_TRIP_MS TARGET_PORT
//
// Prints the port it listens at on loopback. For each line of its input it prints, as JSON, the
// bytes that went to the server and from it since the start, connections, and round trips: how
// often a client said something after the server had. Ends with its input.

#include <boost/asio.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using steady = std::chrono::steady_clock;

/// What may be on its way in one direction, as a long line would hold it.
constexpr std::size_t under_way_max = 16 << 20;

struct Counts {
    std::uint64_t connections = 0, bytes_up = 0, bytes_down = 0, round_trips = 0;
};

struct Pair {
    Pair(tcp::socket near, asio::io_context& context) : client(std::move(near)), server(context) {}
    tcp::socket client, server;
    bool server_spoke = true;
};

/// One direction of a connection.
class Pump : public std::enable_shared_from_this<Pump> {
public:
    Pump(std::shared_ptr<Pair> pair, bool up, steady::duration delay, Counts& counts)
        : pair_(std::move(pair)),
          from_(up ? pair_->client : pair_->server),
          to_(up ? pair_->server : pair_->client),
          up_(up),
          delay_(delay),
          counts_(counts),
          timer_(from_.get_executor()) {}

    void read() {
        if (reading_ || ended_ || under_way_ >= under_way_max) return;
        reading_ = true;
        from_.async_read_some(asio::buffer(buffer_),
                              [self = shared_from_this()](auto error, std::size_t count) {
                                  self->reading_ = false;
                                  self->take(error ? 0 : count);
                              });
    }

private:
    struct Piece {
        steady::time_point due;
        std::vector<char> bytes;  ///< None: the end.
    };

    void take(std::size_t count) {
        (up_ ? counts_.bytes_up : counts_.bytes_down) += count;
        if (up_ && count > 0 && std::exchange(pair_->server_spoke, false)) ++counts_.round_trips;
        if (!up_ && count > 0) pair_->server_spoke = true;
        ended_ = count == 0;
        under_way_ += count;
        pieces_.push_back({steady::now() + delay_, {buffer_.data(), buffer_.data() + count}});
        write();
        read();
    }

    void write() {
        if (writing_ || pieces_.empty()) return;
        writing_ = true;
        timer_.expires_at(pieces_.front().due);
        timer_.async_wait([self = shared_from_this()](auto) { self->hand_on(); });
    }

    void hand_on() {
        auto const& bytes = pieces_.front().bytes;
        if (bytes.empty()) {
            boost::system::error_code ignored;
            to_.shutdown(tcp::socket::shutdown_send, ignored);
            return;
        }
        asio::async_write(to_, asio::buffer(bytes),
                          [self = shared_from_this()](auto error, std::size_t count) {
                              self->under_way_ -= count;
                              self->pieces_.pop_front();
                              self->writing_ = false;
                              if (error) return;
                              self->write();
                              self->read();
                          });
    }

    std::shared_ptr<Pair> pair_;
    tcp::socket& from_;
    tcp::socket& to_;
    bool const up_;
    steady::duration const delay_;
    Counts& counts_;
    asio::steady_timer timer_;
    std::array<char, 65'536> buffer_;
    std::deque<Piece> pieces_;
    std::size_t under_way_ = 0;
    bool reading_ = false, writing_ = false, ended_ = false;
};

class Proxy {
public:
    Proxy(asio::io_context& context, steady::duration delay, std::uint16_t port)
        : context_(context),
          acceptor_(context, {asio::ip::address_v4::loopback(), 0}),
          delay_(delay),
          target_(asio::ip::address_v4::loopback(), port) {
        accept();
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    Counts const& counts() const { return counts_; }

private:
    void accept() {
        acceptor_.async_accept([this](auto error, tcp::socket socket) {
            if (!error) join(std::move(socket));
            accept();
        });
    }

    void join(tcp::socket socket) {
        ++counts_.connections;
        auto const pair = std::make_shared<Pair>(std::move(socket), context_);
        // A handshake takes a round trip, too.
        auto const timer = std::make_shared<asio::steady_timer>(context_, 2 * delay_);
        timer->async_wait([this, pair, timer](auto) {
            pair->server.async_connect(target_, [this, pair](auto error) {
                if (error) return;
                for (auto* const socket : {&pair->client, &pair->server})
                    socket->set_option(tcp::no_delay(true));
                std::make_shared<Pump>(pair, true, delay_, counts_)->read();
                std::make_shared<Pump>(pair, false, delay_, counts_)->read();
            });
        });
    }

    asio::io_context& context_;
    tcp::acceptor acceptor_;
    steady::duration const delay_;
    tcp::endpoint const target_;
    Counts counts_;
};

void print(Counts const& counts) {
    std::printf(
        "{\"connections\": %llu, \"bytes_up\": %llu, \"bytes_down\": %llu, "
        "\"round_trips\": %llu}\n",
        static_cast<unsigned long long>(counts.connections),
        static_cast<unsigned long long>(counts.bytes_up),
        static_cast<unsigned long long>(counts.bytes_down),
        static_cast<unsigned long long>(counts.round_trips));
    std::fflush(stdout);
}

/// Until the input ends.
void answer(asio::posix::stream_descriptor& input, Proxy const& proxy) {
    static std::array<char, 16> line;
    input.async_read_some(asio::buffer(line), [&](auto error, std::size_t) {
        if (error) std::exit(0);
        print(proxy.counts());
        answer(input, proxy);
    });
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::fputs("delay_proxy ROUND_TRIP_MS TARGET_PORT\n", stderr);
        return 2;
    }
    auto const delay = std::chrono::microseconds(500 * std::atoi(arguments[1]));
    asio::io_context context;
    Proxy proxy(context, delay, static_cast<std::uint16_t>(std::atoi(arguments[2])));
    std::printf("%u\n", proxy.port());
    std::fflush(stdout);
    asio::posix::stream_descriptor input(context, ::dup(0));
    answer(input, proxy);
    context.run();
}
