#pragma once

/// Ends what has been silent for too long. One timer a connection, armed once per limit and not
/// once per read.

#include "async/asio.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace mailferry::transport {

/// Calls `expired` once when watched and untouched for `limit`. Destroying the watch disarms it.
class IdleWatch {
public:
    IdleWatch(asio::any_io_executor executor, std::chrono::milliseconds limit,
              std::function<void()> expired);
    ~IdleWatch();
    IdleWatch(IdleWatch const&) = delete;
    IdleWatch& operator=(IdleWatch const&) = delete;

    void touch();
    void watch(bool on);
    std::chrono::steady_clock::time_point last_activity() const;

private:
    struct State;
    static void arm(std::shared_ptr<State> const& state);
    std::shared_ptr<State> state_;
};

}  // namespace mailferry::transport
