#pragma once

/// Speaks to the daemon: HTTP over its Unix socket, one request a connection.

#include "config/base/error.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace mailferry::daemon::cli {

struct Reply {
    unsigned status = 0;
    std::string body;
    std::optional<int> exit_status = {};  ///< Mailferry-Exit-Status, with reports.
};

/// What the verbs need of the daemon; a test puts canned replies here.
class Client {
public:
    virtual ~Client() = default;
    /// unreachable if no daemon answers, login_refused if the socket is closed to this user,
    /// timed_out if it doesn't finish its answer.
    virtual Result<Reply> request(std::string_view method, std::string_view target) = 0;
};

class SocketClient final : public Client {
public:
    explicit SocketClient(std::filesystem::path socket,
                          std::chrono::milliseconds deadline = std::chrono::minutes(5))
        : socket_(std::move(socket)), deadline_(deadline) {}
    Result<Reply> request(std::string_view method, std::string_view target) override;

private:
    std::filesystem::path const socket_;
    std::chrono::milliseconds const deadline_;  ///< Of a whole request, a large report included.
};

}  // namespace mailferry::daemon::cli
