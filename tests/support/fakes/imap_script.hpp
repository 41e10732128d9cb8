#pragma once

/// An IMAP server that follows a script, inside the test's process: no socket, no sleep, no thread.

#include "async/event.hpp"
#include "transport/stream/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::test {

/// One step: a command that begins with `expects` (without its tag) is answered with `says`, in
/// which `$` stands for its tag. A step with the empty `expects` is said at once: greetings, BYE.
struct Exchange {
    std::string expects;
    std::string says;
};

class ImapScript {
public:
    ImapScript(asio::any_io_executor executor, std::vector<Exchange> steps)
        : executor_(executor), steps_(steps.begin(), steps.end()), changed_(std::move(executor)) {
        advance();
    }

    /// The end of this connection that the client holds.
    std::unique_ptr<transport::Stream> stream();

    /// Complete commands as they came, without tags; octets of literals stand in them as they are.
    std::vector<std::string> commands;
    std::string received;    ///< Every octet the client wrote.
    std::string unexpected;  ///< Commands that no step expected; "" if all is well.
    std::optional<std::uint64_t>
        octets_until_cut;  ///< The line dies after so many from the client.
    int tls_handshakes = 0;
    bool closed = false;
    std::size_t steps_left() const { return steps_.size(); }
    void say(std::string_view text) {
        to_client_ += text;
        changed_.notify_all();
    }
    void close() {
        closed = true;
        changed_.notify_all();
    }

private:
    class ClientEnd;

    void advance() {
        while (!steps_.empty() && steps_.front().expects.empty()) {
            say(steps_.front().says);
            steps_.pop_front();
        }
    }

    /// Takes what the client wrote: lines, and literals behind `{n}` and `{n+}`.
    void take(std::string_view bytes) {
        for (char const c : bytes) {
            received += c;
            command_ += c;
            if (literal_left_ > 0) {
                --literal_left_;
            } else if (command_.ends_with("\r\n")) {
                end_of_line();
            }
        }
    }

    void end_of_line() {
        auto const line = std::string_view(command_).substr(0, command_.size() - 2);
        auto const open = line.rfind('{');
        if (!line.ends_with('}') || open == line.npos) {
            auto text = command_.substr(0, command_.size() - 2);
            command_.clear();
            // A line without tag continues an AUTHENTICATE.
            auto const blank = text.find(' ');
            if (text.starts_with('a') && blank != text.npos) {
                tag_ = text.substr(0, blank);
                text.erase(0, blank + 1);
            }
            commands.push_back(text);
            answer(text);
            return;
        }
        literal_left_ = std::stoull(std::string(line.substr(open + 1)));
        if (line.ends_with("+}")) return;
        tag_ = command_.substr(0, command_.find(' '));
        if (!answer(command_.substr(tag_.size() + 1))) {
            literal_left_ = 0;
            command_.clear();
        }
    }

    /// Whether the client may go on with the literal that it asked for.
    bool answer(std::string const& text) {
        if (steps_.empty() || !text.starts_with(steps_.front().expects)) {
            unexpected += text.substr(0, 80) + "\n";
            say(tag_ + " BAD not in the script\r\n");
            return false;
        }
        std::string says;
        for (char const c : steps_.front().says) c == '$' ? says += tag_ : says += c;
        steps_.pop_front();
        say(says);
        advance();
        return says.starts_with("+");
    }

    asio::any_io_executor executor_;
    std::deque<Exchange> steps_;
    ::mailferry::Event changed_;
    std::string to_client_;
    std::string command_;
    std::string tag_;
    std::uint64_t literal_left_ = 0;
};

class ImapScript::ClientEnd final : public transport::Stream {
public:
    explicit ClientEnd(ImapScript& script) : script_(script) {}

    awaitable<Result<std::size_t>> read_some(std::span<std::byte> buffer) override {
        while (script_.to_client_.empty() && !script_.closed) co_await script_.changed_.wait();
        auto const count = std::min(buffer.size(), script_.to_client_.size());
        auto const bytes = transport::bytes_of(script_.to_client_).first(count);
        std::copy(bytes.begin(), bytes.end(), buffer.begin());
        script_.to_client_.erase(0, count);
        co_return count;
    }
    awaitable<Result<void>> write_all(std::span<std::byte const> bytes) override {
        auto text = std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        auto& left = script_.octets_until_cut;
        auto const is_cut = script_.closed || (left && text.size() >= *left);
        if (is_cut && left) text = text.substr(0, *left);
        if (!script_.closed) script_.take(text);
        if (left) *left -= std::min<std::uint64_t>(*left, text.size());
        if (!is_cut) co_return Result<void>{};
        auto const was_whole = text.size() == bytes.size();
        script_.to_client_.clear();
        script_.close();
        if (was_whole) co_return Result<void>{};
        co_return Error{Errc::connection_lost, "script: cut"};
    }
    awaitable<Result<void>> start_tls() override {
        ++script_.tls_handshakes;
        co_return Result<void>{};
    }
    void watch_idle(bool) override {}
    void cut() override { script_.close(); }
    std::chrono::steady_clock::time_point last_activity() const override { return {}; }

private:
    ImapScript& script_;
};

inline std::unique_ptr<transport::Stream> ImapScript::stream() {
    return std::make_unique<ClientEnd>(*this);
}

}  // namespace mailferry::test
