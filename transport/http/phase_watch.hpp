#pragma once

/// The limits of one request's phases: connecting, first byte, silence, the whole.

#include "async/asio.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mailferry::http {

/// Calls `expired` once, when a phase lasts too long without touch(). Destroying it disarms it.
class PhaseWatch {
public:
    PhaseWatch(asio::any_io_executor executor, std::function<void()> expired);
    ~PhaseWatch();
    PhaseWatch(PhaseWatch const&) = delete;
    PhaseWatch& operator=(PhaseWatch const&) = delete;

    /// A new phase begins. `what` says for people what is missing: "no answer".
    void expect(std::chrono::milliseconds limit, std::string what);
    /// The end of everything, pauses included.
    void end_by(std::chrono::milliseconds from_now);
    /// A byte has moved.
    void touch();
    /// What expired, if anything did: timed_out with `what` and the limit.
    std::optional<Error> const& verdict() const;

    /// While it lives, time doesn't count: we wait for ourselves. Its end counts as a touch().
    class Pause {
    public:
        explicit Pause(PhaseWatch& watch);
        ~Pause();
        Pause(Pause const&) = delete;
        Pause& operator=(Pause const&) = delete;

    private:
        PhaseWatch& watch_;
    };

private:
    struct State;
    static void arm(std::shared_ptr<State> const& state);
    std::shared_ptr<State> state_;
};

}  // namespace mailferry::http
