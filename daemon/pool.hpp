#pragma once

/// Sessions of one tenant over all its admins. Each admin has its own budget, which shrinks at a
/// refusal and grows again with each sign-in that succeeds; waiters are served first come, first
/// served, so that no mailbox starves another. Runs on one executor.

#include "async/event.hpp"
#include "config/types.hpp"
#include "daemon/engine_view.hpp"
#include "transport/session.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace mailferry::daemon {

/// Whom a session acts for.
struct MailboxLogin {
    std::string mailbox;
    std::shared_ptr<Secret const> own_password;  ///< Only with `auth = "user"`.
};

struct PoolOptions {
    /// How long an endpoint that can't be reached is probed before the work that waits is given up.
    std::chrono::seconds unreachable_patience{60};
    /// The same for one that accepts connections and then says nothing (stopped, overloaded).
    std::chrono::seconds silent_patience{1800};
    std::chrono::milliseconds backoff_first{500};
    std::chrono::milliseconds backoff_max{30'000};
};

template <class Session>
struct PooledSession {
    std::unique_ptr<Session> session;
    std::string mailbox;  ///< Whom it was opened for last.
    std::chrono::steady_clock::time_point used;
    bool worn = false;  ///< Must not serve again.
};

/// One admin's connector together with what the pool knows of it.
template <class Session>
struct AdminSlot {
    std::string name;
    config::Auth auth = config::Auth::plain;
    std::uint32_t sessions_max = 8;
    std::function<awaitable<Result<std::unique_ptr<Session>>>()> connect;
    std::function<std::string()> limit_in_force = {};  ///< Connector::waits_for; may be null.
    std::function<std::vector<transport::LimitLoad>()> limit_loads = {};  ///< May be null.
    // State
    /// Present budget of sessions, 1 … sessions_max. One until a sign-in has succeeded: a wrong
    /// password is tried once, however many mailboxes wait.
    std::uint32_t ceiling = 1;
    bool proven = false;  ///< A sign-in has succeeded.
    std::uint32_t in_use = 0;
    std::map<std::string, std::uint32_t> on_mailbox;  ///< Of those in use.
    std::optional<Error> parked;                      ///< Refused for good, until reload or retry.
    std::chrono::steady_clock::time_point not_before{};
    std::string waits_for;
    std::vector<PooledSession<Session>> idle;
};

template <class Session>
class SessionPool {
public:
    /// A session in use. Destruction gives it back; a dead one is closed instead.
    class Lease {
    public:
        Lease() = default;
        Lease(SessionPool* pool, std::size_t admin, PooledSession<Session> pooled)
            : pool_(pool), admin_(admin), pooled_(std::move(pooled)) {}
        Lease(Lease&& other) noexcept
            : pool_(std::exchange(other.pool_, nullptr)),
              admin_(other.admin_),
              pooled_(std::move(other.pooled_)) {}
        Lease& operator=(Lease&& other) noexcept {
            if (this != &other) {
                release();
                pool_ = std::exchange(other.pool_, nullptr);
                admin_ = other.admin_;
                pooled_ = std::move(other.pooled_);
            }
            return *this;
        }
        ~Lease() { release(); }
        explicit operator bool() const { return pool_ != nullptr; }
        Session* operator->() const { return pooled_.session.get(); }
        Session& operator*() const { return *pooled_.session; }
        /// Gives the session back to be closed: what the server told it (a quota) is out of date.
        void discard() {
            pooled_.worn = true;
            release();
        }
        void release() {
            if (auto* const pool = std::exchange(pool_, nullptr))
                pool->give_back(admin_, std::move(pooled_));
        }

    private:
        SessionPool* pool_ = nullptr;
        std::size_t admin_ = 0;
        PooledSession<Session> pooled_;
    };

    SessionPool(asio::any_io_executor executor, std::string tenant, std::uint32_t per_mailbox_max,
                std::vector<AdminSlot<Session>> admins, PoolOptions options);

    /// Waits for its turn and a free budget, then opens the mailbox. Errors: what the mailbox or
    /// all the admins were refused for; unreachable or timed_out when patience is spent; stopped.
    awaitable<Result<Lease>> acquire(MailboxLogin login);

    /// One more session for a mailbox that has some already, if one is free and nobody waits.
    /// An empty lease otherwise; never waits for a budget.
    awaitable<Lease> acquire_spare(MailboxLogin login);

    /// Waiters end with `stopped`; sessions that come back are closed.
    void stop();
    /// Cuts every session, also those in use or not yet connected: their calls fail at once.
    void cut_all();
    /// Parked admins get another chance.
    void unpark();

    std::uint32_t sessions_max() const;
    void describe(std::vector<AdminView>& views) const;
    std::string const& trouble() const { return trouble_; }  ///< "" or why nothing can be reached.
    std::uint64_t reconnects() const { return reconnects_; }
    std::uint64_t throttled() const { return throttled_; }

private:
    friend class Lease;
    struct Place {
        std::size_t admin = 0;
        std::optional<PooledSession<Session>> warm;
    };

    awaitable<Result<Place>> wait_for_place(std::string const& mailbox);
    std::optional<Place> find_place(std::string const& mailbox);
    std::optional<Error> all_parked() const;
    std::chrono::milliseconds time_to_next_chance() const;
    awaitable<Result<std::unique_ptr<Session>>> connect(AdminSlot<Session>& admin);
    awaitable<Result<PooledSession<Session>>> open_at(Place& place, MailboxLogin const& login);
    /// What a failed sign-in means for admin and tenant. An error to hand on, or nothing: try
    /// again.
    std::optional<Error> judge(std::size_t admin, Error error);
    void give_back(std::size_t admin, PooledSession<Session> pooled);
    void free_place(std::size_t admin, std::string const& mailbox);
    void retire(std::unique_ptr<Session> session);

    asio::any_io_executor executor_;
    std::string const tenant_;
    std::uint32_t const per_mailbox_max_;
    std::vector<AdminSlot<Session>> admins_;
    PoolOptions const options_;
    Event changed_;
    AsyncMutex turn_;
    std::map<std::string, std::uint32_t> per_mailbox_;
    std::set<Session*> in_use_;
    std::set<asio::cancellation_signal*> connecting_;
    bool stopping_ = false;
    std::uint32_t waiting_ = 0;
    // The endpoint as a whole
    std::uint32_t failures_ = 0;
    std::chrono::steady_clock::time_point down_since_{}, not_before_{};
    std::string trouble_;
    std::uint64_t reconnects_ = 0, throttled_ = 0;
};

using SourcePool = SessionPool<transport::SourceSession>;
using TargetPool = SessionPool<transport::TargetSession>;

extern template class SessionPool<transport::SourceSession>;
extern template class SessionPool<transport::TargetSession>;

}  // namespace mailferry::daemon
