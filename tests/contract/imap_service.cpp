// A Dovecot, and a plain connection to it that does what other people's programs do.

#include "tests/contract/service.hpp"
#include "transport/imap/connector.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <ctime>
#include <list>
#include <stdexcept>

namespace mailferry::contract {

namespace {

using asio::ip::tcp;

constexpr int sessions_tried_max = 200;
constexpr int folder_removals_max = 20;

std::string imap_quoted(std::string_view text) {
    std::string result = "\"";
    for (auto const each : text) {
        if (each == '"' || each == '\\') result += '\\';
        result += each;
    }
    return result + '"';
}

/// One signed-in connection; each command waits for its answer.
class Client {
public:
    Client(tcp::endpoint endpoint, std::string const& user, std::string const& password)
        : socket_(context_) {
        socket_.connect(endpoint);
        line();
        command("LOGIN " + imap_quoted(user) + " " + imap_quoted(password));
    }

    /// The untagged lines of the answer, or std::runtime_error with a refusal.
    std::vector<std::string> command(std::string const& text) {
        auto const tag = "t" + std::to_string(++commands_);
        asio::write(socket_, asio::buffer(tag + " " + text + "\r\n"));
        std::vector<std::string> lines;
        for (;;) {
            auto one = line();
            if (one.starts_with(tag + " OK")) return lines;
            if (one.starts_with(tag + " ")) throw std::runtime_error(text + ": " + one);
            lines.push_back(std::move(one));
        }
    }

private:
    std::string line() {
        auto const count = asio::read_until(socket_, asio::dynamic_buffer(received_), "\r\n");
        auto one = received_.substr(0, count - 2);
        received_.erase(0, count);
        return one;
    }

    asio::io_context context_;
    tcp::socket socket_;
    std::string received_;
    int commands_ = 0;
};

std::string date_time(std::int64_t unix_seconds) {
    auto const time = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[64];
    auto const count = std::strftime(text, sizeof text, "%d-%b-%Y %H:%M:%S +0000", &parts);
    return std::string(text, count);
}

constexpr std::string_view id_begin = "Message-ID: <";
constexpr std::string_view id_end = "@contract.example>";

std::string message(std::int64_t received, std::size_t bytes) {
    auto const key = std::to_string(received);
    auto text = "Date: Mon, 1 Jan 2024 12:00:00 +0000\r\nSubject: item " + key + "\r\n" +
                std::string(id_begin) + key + std::string(id_end) + "\r\n\r\n";
    for (std::size_t n = 0; text.size() < bytes; ++n)
        text += "line " + std::to_string(n * 7'919 + static_cast<std::size_t>(received)) +
                " of what somebody wrote to somebody else.\r\n";
    return text;
}

class ImapService final : public Service {
public:
    explicit ImapService(boost::json::object const& settings) : settings_(settings) {}

    std::unique_ptr<transport::Connector> connector(asio::any_io_executor executor, Side,
                                                    Relay const& relay, Temper) override {
        config::Tenant tenant;
        tenant.name = "contract";
        tenant.host = "127.0.0.1";
        tenant.port = relay.port();
        tenant.tls = config::Tls::none;
        config::Admin admin;
        admin.user = text("admin");
        admin.auth = config::Auth::plain;
        return std::make_unique<imap::Connector>(executor, tenant, admin, Secret(text("password")));
    }
    std::optional<tcp::endpoint> upstream() const override {
        auto const port = settings_.at("port").to_number<std::uint16_t>();
        return tcp::endpoint(asio::ip::address_v4::loopback(), port);
    }

    std::string mailbox(Side side) const override {
        return text(side == Side::source ? "source" : "target");
    }
    std::string other_mailbox(Side) const override { return text("other"); }
    std::string unknown_mailbox(Side) const override { return "nobody@contract.example"; }

    void add_folder(Side side, std::string const& name) override {
        door(side).command("CREATE " + imap_quoted(name));
    }
    void remove_folder(Side side, std::string const& name) override {
        // What a session that was cut short leaves behind goes to the folder a little later.
        for (int attempt = 1;; ++attempt) {
            try {
                door(side).command("SELECT INBOX");
                door(side).command("DELETE " + imap_quoted(name));
                return;
            } catch (std::runtime_error const&) {
                if (attempt == folder_removals_max) throw;
            }
        }
    }
    void add_item(Side side, std::string const& folder, std::int64_t received,
                  std::size_t bytes) override {
        auto const body = message(received, bytes);
        door(side).command("APPEND " + imap_quoted(folder) + " (\\Seen) " +
                           imap_quoted(date_time(received)) + " {" + std::to_string(body.size()) +
                           "+}\r\n" + body);
    }
    void remove_item(Side side, std::string const& folder, std::int64_t received) override {
        auto const uid = uid_of(side, folder, received);
        door(side).command("UID STORE " + uid + " +FLAGS.SILENT (\\Deleted)");
        door(side).command("UID EXPUNGE " + uid);
    }
    void change_item(Side side, std::string const& folder, std::int64_t received) override {
        auto const uid = uid_of(side, folder, received);
        door(side).command("UID STORE " + uid + " +FLAGS.SILENT (\\Flagged)");
    }
    std::vector<std::int64_t> items_in(Side side, std::string const& folder) override {
        select(side, folder);
        std::vector<std::int64_t> found;
        auto const lines =
            door(side).command("UID FETCH 1:* BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]");
        for (auto const& line : lines)
            if (line.starts_with(id_begin))
                found.push_back(std::stoll(line.substr(id_begin.size())));
        std::sort(found.begin(), found.end());
        return found;
    }

    /// Its marks are numbers that it never forgets.
    void forget_marks(Side) override {}

    /// The server's own limit of sessions of one mailbox (mail_max_userip_connections).
    void refuse_opening(Side side) override {
        for (int n = 0; n < sessions_tried_max; ++n) {
            try {
                crowd_.emplace_back(*upstream(), mailbox(side), password(side));
            } catch (std::runtime_error const&) {
                return;
            }
        }
        throw std::runtime_error("the server limits no mailbox's sessions");
    }
    /// As a proxy in front of a server says it that is too busy.
    void put_off(Side, Relay& relay) override {
        auto const executor = relay.executor();
        relay.on_chunk = [&relay, executor](Direction direction) {
            if (direction == Direction::to_server)
                asio::post(executor, [&relay] {
                    relay.say_and_cut("* BYE [UNAVAILABLE] Too busy. Backoff Time: 1500\r\n");
                });
            return direction == Direction::to_server ? Relay::Verdict::swallow
                                                     : Relay::Verdict::pass;
        };
    }
    void relent(Relay& relay) override {
        relay.on_chunk = nullptr;
        crowd_.clear();
    }
    bool tells_pause() const override { return true; }

private:
    std::string text(std::string_view name) const {
        return std::string(settings_.at(name).as_string());
    }
    std::string password(Side side) const {
        return std::string(settings_.at("passwords").at(mailbox(side)).as_string());
    }
    Client& door(Side side) {
        auto& client = doors_[side == Side::source ? 0 : 1];
        if (!client) client = std::make_unique<Client>(*upstream(), mailbox(side), password(side));
        return *client;
    }
    void select(Side side, std::string const& folder) {
        door(side).command("SELECT " + imap_quoted(folder));
    }
    std::string uid_of(Side side, std::string const& folder, std::int64_t received) {
        select(side, folder);
        auto const key = "<" + std::to_string(received) + std::string(id_end);
        for (auto const& line :
             door(side).command("UID SEARCH HEADER Message-ID " + imap_quoted(key)))
            if (line.starts_with("* SEARCH ")) return line.substr(9);
        throw std::runtime_error("no item " + key + " in " + folder);
    }

    boost::json::object const settings_;
    std::unique_ptr<Client> doors_[2];
    std::list<Client> crowd_;
};

}  // namespace

std::unique_ptr<Service> make_imap_service(boost::json::object const& settings) {
    return std::make_unique<ImapService>(settings);
}

}  // namespace mailferry::contract
