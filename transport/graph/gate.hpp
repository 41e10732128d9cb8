#pragma once

/// Where requests of one app wait until the limits let them go: first come, first served within a
/// mailbox, except that what sends nothing doesn't wait behind an upload. One executor.

#include "async/event.hpp"
#include "config/base/clock.hpp"
#include "transport/graph/limiter.hpp"
#include "transport/session.hpp"

#include <list>
#include <map>
#include <memory>
#include <string>

namespace mailferry::graph {

/// A wait that is going on, for people to read.
struct LimitWait {
    std::string mailbox;
    Binding binding = Binding::app;
    std::chrono::system_clock::time_point until;  ///< Epoch: until a request in flight ends.
};

class Gate {
    struct Mailbox;

public:
    /// `clock` outlives the gate.
    Gate(asio::any_io_executor executor, Limits limits, Clock const& clock);
    Gate(Gate const&) = delete;
    Gate& operator=(Gate const&) = delete;

    /// The right to have one request in flight; its end frees the place. Doesn't outlive the gate.
    class Pass {
    public:
        Pass() = default;
        Pass(Pass&& other) noexcept;
        Pass& operator=(Pass&& other) noexcept;
        ~Pass() { end(); }
        /// What the answer says about load, before the place is freed.
        void heed(Notice notice);
        SteadyTime begun() const { return begun_; }
        void end();

    private:
        friend class Gate;
        Gate* gate_ = nullptr;
        std::shared_ptr<Mailbox> mailbox_;
        std::uint64_t upload_bytes_ = 0;
        SteadyTime begun_{};
    };

    /// Resolves when a request for `mailbox` with a body of `upload_bytes` may go. Calls that
    /// belong to no mailbox use "". Nothing as soon as `given_up`, which outlives the call, is true
    /// at a wake(). Cancellation leaves the queue.
    awaitable<std::optional<Pass>> enter(std::string mailbox, std::uint64_t upload_bytes,
                                         bool const& given_up);
    /// Lets all who wait look again.
    void wake() { changed_.notify_all(); }

    /// The longest wait that is going on, if any.
    std::optional<LimitWait> longest_wait() const;
    /// What each limit holds back, those that hold back nothing included.
    std::vector<transport::LimitLoad> loads() const;
    Limits const& limits() const { return limits_; }
    SteadyTime now() const { return clock_.steady(); }

private:
    struct Waiter {
        std::uint64_t upload_bytes;
        std::optional<Obstacle> obstacle;
    };
    struct Mailbox {
        explicit Mailbox(Limits const& limits) : limiter(limits) {}
        std::string name;
        MailboxLimiter limiter;
        std::list<Waiter> queue;
    };

    std::optional<Obstacle> obstacle(Mailbox const& mailbox, Waiter const& waiter) const;
    std::shared_ptr<Mailbox> mailbox_of(std::string const& name);
    void forget_idle();

    Limits const limits_;
    Clock const& clock_;
    AppLimiter app_;
    std::map<std::string, std::shared_ptr<Mailbox>> mailboxes_;
    Event changed_;
};

/// "waits for mailbox X until 14:05:10 UTC (upload)".
std::string describe(LimitWait const& wait, std::string_view app);

}  // namespace mailferry::graph
