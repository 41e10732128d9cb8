#pragma once

/// One connection to an origin and the exchanges on it, one after another.

#include "transport/http/client.hpp"
#include "transport/http/message.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace mailferry::http {

/// What may be wrong with a request whose parts come from elsewhere: line ends and the like in the
/// method, target or a header. protocol_error.
[[nodiscard]] Result<void> check_request(Request const& request);

class Connection {
public:
    /// `settings` outlives the connection.
    Connection(std::unique_ptr<transport::Stream> stream, ClientSettings const& settings);
    ~Connection();

    /// One request and its response. All arguments outlive the call. Whatever fails leaves a
    /// connection that isn't reusable(). `stale` in the failure: no byte of a response came, so it
    /// may just have been too old.
    struct Failure {
        Error error;
        bool stale = false;
    };
    using Outcome = boost::system::result<ResponseHead, Failure>;
    awaitable<Outcome> exchange(Request const& request, BodySink& sink, Progress& progress);

    void cut();
    bool reusable() const { return reusable_; }
    bool used_before() const { return exchanges_ > 1; }
    std::chrono::steady_clock::time_point last_used() const { return last_used_; }

private:
    friend class Exchange;

    std::unique_ptr<transport::Stream> stream_;
    ClientSettings const& settings_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0, end_ = 0;  ///< What was read and not yet consumed.
    int exchanges_ = 0;                ///< Begun.
    bool reusable_ = true;
    std::chrono::steady_clock::time_point last_used_ = std::chrono::steady_clock::now();
};

}  // namespace mailferry::http
