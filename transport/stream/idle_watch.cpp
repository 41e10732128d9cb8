#include "transport/stream/idle_watch.hpp"

namespace mailferry::transport {

using steady = std::chrono::steady_clock;

struct IdleWatch::State {
    State(asio::any_io_executor executor, std::chrono::milliseconds limit_time,
          std::function<void()> on_expired)
        : timer(std::move(executor)), limit(limit_time), expired(std::move(on_expired)) {}

    asio::steady_timer timer;
    std::chrono::milliseconds const limit;
    std::function<void()> expired;
    steady::time_point last_activity = steady::now();
    bool watching = false;
    bool armed = false;
};

IdleWatch::IdleWatch(asio::any_io_executor executor, std::chrono::milliseconds limit,
                     std::function<void()> expired)
    : state_(std::make_shared<State>(std::move(executor), limit, std::move(expired))) {}

IdleWatch::~IdleWatch() {
    // A handler that is already queued finds nothing left to do.
    state_->expired = nullptr;
    state_->watching = false;
    state_->timer.cancel();
}

void IdleWatch::touch() { state_->last_activity = steady::now(); }

void IdleWatch::watch(bool on) {
    if (on && !state_->watching) touch();
    state_->watching = on;
    if (on && !state_->armed) arm(state_);
}

steady::time_point IdleWatch::last_activity() const { return state_->last_activity; }

void IdleWatch::arm(std::shared_ptr<State> const& state) {
    state->armed = true;
    state->timer.expires_at(state->last_activity + state->limit);
    state->timer.async_wait([weak = std::weak_ptr(state)](boost::system::error_code error) {
        auto const held = weak.lock();
        if (!held) return;
        held->armed = false;
        if (error || !held->watching) return;
        if (steady::now() - held->last_activity < held->limit) return arm(held);
        held->watching = false;
        if (auto const expired = std::exchange(held->expired, nullptr)) expired();
    });
}

}  // namespace mailferry::transport
