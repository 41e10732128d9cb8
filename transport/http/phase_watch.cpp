#include "transport/http/phase_watch.hpp"

#include <algorithm>

namespace mailferry::http {

using steady = std::chrono::steady_clock;

struct PhaseWatch::State {
    State(asio::any_io_executor executor, std::function<void()> on_expired)
        : timer(std::move(executor)), expired(std::move(on_expired)) {}

    /// When the present phase is over; nothing while it is paused or has no limit.
    std::optional<steady::time_point> phase_end() const {
        if (pauses > 0 || limit.count() == 0) return std::nullopt;
        return touched + limit;
    }
    void judge() {
        auto const now = steady::now();
        auto const phase = phase_end();
        if (deadline && now >= *deadline)
            verdict = Error{Errc::timed_out,
                            "not done within " + std::to_string(whole_limit.count()) + " ms"};
        else if (phase && now >= *phase)
            verdict =
                Error{Errc::timed_out, what + " for " + std::to_string(limit.count()) + " ms"};
    }

    asio::steady_timer timer;
    std::function<void()> expired;
    std::chrono::milliseconds limit{0}, whole_limit{0};
    std::string what;
    steady::time_point touched = steady::now();
    std::optional<steady::time_point> deadline, armed_for;
    int pauses = 0;
    std::optional<Error> verdict;
};

PhaseWatch::PhaseWatch(asio::any_io_executor executor, std::function<void()> expired)
    : state_(std::make_shared<State>(std::move(executor), std::move(expired))) {}

PhaseWatch::~PhaseWatch() {
    // A handler that is already queued finds nothing left to do.
    state_->expired = nullptr;
    state_->timer.cancel();
}

void PhaseWatch::expect(std::chrono::milliseconds limit, std::string what) {
    state_->limit = limit;
    state_->what = std::move(what);
    touch();
    arm(state_);
}

void PhaseWatch::end_by(std::chrono::milliseconds from_now) {
    state_->whole_limit = from_now;
    state_->deadline = steady::now() + from_now;
    arm(state_);
}

void PhaseWatch::touch() { state_->touched = steady::now(); }

std::optional<Error> const& PhaseWatch::verdict() const { return state_->verdict; }

void PhaseWatch::arm(std::shared_ptr<State> const& state) {
    auto due = state->phase_end();
    if (state->deadline) due = due ? std::min(*due, *state->deadline) : *state->deadline;
    // An earlier alarm finds that it is too early and arms itself again.
    if (!due || (state->armed_for && *state->armed_for <= *due)) return;
    state->armed_for = due;
    state->timer.expires_at(*due);
    state->timer.async_wait([weak = std::weak_ptr(state)](boost::system::error_code error) {
        auto const held = weak.lock();
        if (error || !held || !held->expired) return;
        held->armed_for.reset();
        held->judge();
        if (!held->verdict) return arm(held);
        auto const expired = std::exchange(held->expired, nullptr);
        expired();
    });
}

PhaseWatch::Pause::Pause(PhaseWatch& watch) : watch_(watch) { ++watch_.state_->pauses; }

PhaseWatch::Pause::~Pause() {
    if (--watch_.state_->pauses > 0) return;
    watch_.touch();
    arm(watch_.state_);
}

}  // namespace mailferry::http
