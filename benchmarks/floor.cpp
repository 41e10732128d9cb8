// The least that any mover must do: fetch all of INBOX and store it again with MULTIAPPEND, from
// memory, over so many connections. No disk, no ledger, no retry, no check; plain TCP to loopback.
//
//     floor SOURCE_PORT TARGET_PORT CONNECTIONS < pairs
//
// A line of `pairs` is "source-user source-password target-user target-password".

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t group_bytes_max = 4 << 20, group_items_max = 100;

[[noreturn]] void give_up(std::string const& why) {
    std::fprintf(stderr, "floor: %s\n", why.c_str());
    std::_Exit(1);
}

class Connection {
public:
    explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            give_up("no connection");
        int const on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        buffer_.resize(256 << 10);
        line();
    }
    ~Connection() { ::close(socket_); }
    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) give_up("the server hung up");
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// Without its CRLF.
    std::string line() {
        std::string text;
        for (;;) {
            auto const rest = std::string_view(buffer_).substr(from_, to_ - from_);
            auto const end = rest.find('\n');
            text.append(rest.substr(0, end));
            if (end != rest.npos) {
                from_ += end + 1;
                if (!text.empty() && text.back() == '\r') text.pop_back();
                return text;
            }
            fill();
        }
    }
    void take(std::string& to, std::size_t bytes) {
        while (bytes > 0) {
            if (from_ == to_) fill();
            auto const part = std::min(bytes, to_ - from_);
            to.append(buffer_, from_, part);
            from_ += part;
            bytes -= part;
        }
    }
    /// The rest of a command's answer.
    void expect_ok(std::string_view tag) {
        for (;;) {
            auto const text = line();
            if (!text.starts_with(tag)) continue;
            if (text.substr(tag.size(), 4) != " OK ") give_up(text);
            return;
        }
    }
    void run(std::string const& tag, std::string const& command) {
        send(tag + " " + command + "\r\n");
        expect_ok(tag);
    }

private:
    void fill() {
        from_ = 0;
        auto const got = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
        if (got <= 0) give_up("the server hung up");
        to_ = static_cast<std::size_t>(got);
    }

    int socket_;
    std::string buffer_;
    std::size_t from_ = 0, to_ = 0;
};

std::string between(std::string const& text, std::string_view begin, char end) {
    auto const from = text.find(begin);
    if (from == text.npos) return {};
    auto const at = from + begin.size();
    return text.substr(at, text.find(end, at) - at);
}

std::string without_recent(std::string flags) {
    if (auto const at = flags.find("\\Recent"); at != flags.npos) flags.erase(at, 7);
    return flags;
}

struct Pair {
    std::string source, source_password, target, target_password;
};

void move_mailbox(Pair const& pair, std::uint16_t source_port, std::uint16_t target_port) {
    Connection source(source_port), target(target_port);
    source.run("a", "LOGIN \"" + pair.source + "\" \"" + pair.source_password + "\"");
    target.run("a", "LOGIN \"" + pair.target + "\" \"" + pair.target_password + "\"");
    source.run("b", "EXAMINE INBOX");
    source.send("c UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])\r\n");
    std::string group;
    std::size_t items = 0, groups = 0;
    auto const flush = [&] {
        if (items == 0) return;
        target.send("g" + std::to_string(++groups) + " APPEND INBOX" + group + "\r\n");
        group.clear();
        items = 0;
    };
    for (;;) {
        auto const text = source.line();
        if (text.starts_with("c ")) break;
        if (!text.ends_with('}')) continue;
        auto const digits = text.substr(text.rfind('{') + 1);
        std::size_t bytes = 0;
        std::from_chars(digits.data(), digits.data() + digits.size() - 1, bytes);
        group += " (" + without_recent(between(text, "FLAGS (", ')')) + ") \"" +
                 between(text, "INTERNALDATE \"", '"') + "\" {" + std::to_string(bytes) + "+}\r\n";
        source.take(group, bytes);
        source.line();
        if (++items == group_items_max || group.size() > group_bytes_max) flush();
    }
    flush();
    for (std::size_t done = 1; done <= groups; ++done) target.expect_ok("g" + std::to_string(done));
    source.send("z LOGOUT\r\n");
    target.send("z LOGOUT\r\n");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) give_up("usage: floor SOURCE_PORT TARGET_PORT CONNECTIONS < pairs");
    auto const source_port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    auto const target_port = static_cast<std::uint16_t>(std::atoi(argv[2]));
    std::vector<Pair> pairs;
    for (std::string text; std::getline(std::cin, text);) {
        std::istringstream words(text);
        auto& pair = pairs.emplace_back();
        words >> pair.source >> pair.source_password >> pair.target >> pair.target_password;
    }
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < std::atoi(argv[3]); ++i)
        threads.emplace_back([&] {
            for (auto at = next++; at < pairs.size(); at = next++)
                move_mailbox(pairs[at], source_port, target_port);
        });
    for (auto& thread : threads) thread.join();
}
