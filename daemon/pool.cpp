#include "daemon/pool.hpp"

#include "config/base/assert.hpp"
#include "config/base/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <algorithm>
#include <ctime>

namespace mailferry::daemon {
namespace {

using steady = std::chrono::steady_clock;
constexpr std::uint32_t sessions_at_first = 4;
constexpr auto ping_after_idle = std::chrono::seconds(30);

std::string clock_time_in(std::chrono::milliseconds delay) {
    auto const when =
        std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + delay);
    std::tm parts{};
    localtime_r(&when, &parts);
    char text[16];
    std::strftime(text, sizeof text, "%H:%M:%S", &parts);
    return text;
}

}  // namespace

template <class Session>
SessionPool<Session>::SessionPool(asio::any_io_executor executor, std::string tenant,
                                  std::uint32_t per_mailbox_max,
                                  std::vector<AdminSlot<Session>> admins, PoolOptions options)
    : executor_(executor),
      tenant_(std::move(tenant)),
      per_mailbox_max_(per_mailbox_max),
      admins_(std::move(admins)),
      options_(options),
      changed_(executor),
      turn_(executor) {}

template <class Session>
awaitable<Result<typename SessionPool<Session>::Lease>> SessionPool<Session>::acquire(
    MailboxLogin login) {
    for (;;) {
        auto place = co_await wait_for_place(login.mailbox);
        if (!place) co_return place.error();
        auto opened = co_await open_at(*place, login);
        if (opened) co_return Lease(this, place->admin, std::move(*opened));
        if (opened.error().code == Errc::stopped) co_return opened.error().in("tenant=" + tenant_);
        auto const verdict = judge(place->admin, opened.error());
        if (verdict) co_return verdict->in("tenant=" + tenant_);
    }
}

template <class Session>
awaitable<typename SessionPool<Session>::Lease> SessionPool<Session>::acquire_spare(
    MailboxLogin login) {
    if (stopping_ || waiting_ > 0 || per_mailbox_[login.mailbox] >= per_mailbox_max_)
        co_return Lease();
    auto place = find_place(login.mailbox);
    if (!place) co_return Lease();
    auto opened = co_await open_at(*place, login);
    if (opened) co_return Lease(this, place->admin, std::move(*opened));
    if (opened.error().code != Errc::stopped) judge(place->admin, opened.error());
    co_return Lease();
}

template <class Session>
awaitable<Result<typename SessionPool<Session>::Place>> SessionPool<Session>::wait_for_place(
    std::string const& mailbox) {
    ++waiting_;
    auto const turn = co_await turn_.lock();
    --waiting_;
    for (;;) {
        if (stopping_) co_return Error{Errc::stopped, "tenant=" + tenant_};
        if (auto const refused = all_parked()) co_return refused->in("tenant=" + tenant_);
        if (auto place = find_place(mailbox)) co_return std::move(*place);
        co_await changed_.wait_for(time_to_next_chance());
    }
}

template <class Session>
std::optional<typename SessionPool<Session>::Place> SessionPool<Session>::find_place(
    std::string const& mailbox) {
    auto const now = steady::now();
    if (now < not_before_) return std::nullopt;
    std::optional<std::size_t> best;
    auto const load = [&](std::size_t i) {
        // A warm session of this mailbox first; then the admin that does the least for it, since
        // servers count per admin and mailbox; then the one with the most room.
        auto const& admin = admins_[i];
        bool const warm = std::any_of(admin.idle.begin(), admin.idle.end(),
                                      [&](auto const& idle) { return idle.mailbox == mailbox; });
        auto const here = admin.on_mailbox.find(mailbox);
        return std::tuple(warm ? 0 : 1, here == admin.on_mailbox.end() ? 0u : here->second,
                          double(admin.in_use) / admin.ceiling);
    };
    for (std::size_t i = 0; i < admins_.size(); ++i) {
        auto const& admin = admins_[i];
        if (admin.parked || now < admin.not_before || admin.in_use >= admin.ceiling) continue;
        if (!best || load(i) < load(*best)) best = i;
    }
    if (!best) return std::nullopt;
    auto& admin = admins_[*best];
    ++admin.in_use;
    ++admin.on_mailbox[mailbox];
    ++per_mailbox_[mailbox];
    Place place{.admin = *best, .warm = {}};
    auto idle = std::find_if(admin.idle.begin(), admin.idle.end(),
                             [&](auto const& candidate) { return candidate.mailbox == mailbox; });
    if (idle == admin.idle.end() && !admin.idle.empty()) idle = std::prev(admin.idle.end());
    if (idle != admin.idle.end()) {
        place.warm = std::move(*idle);
        admin.idle.erase(idle);
    }
    return place;
}

template <class Session>
std::optional<Error> SessionPool<Session>::all_parked() const {
    std::optional<Error> first;
    for (auto const& admin : admins_) {
        if (!admin.parked) return std::nullopt;
        if (!first) first = admin.parked->in("admin=" + admin.name);
    }
    return first ? first : Error{Errc::invalid_config, "no admin is configured"};
}

template <class Session>
std::chrono::milliseconds SessionPool<Session>::time_to_next_chance() const {
    auto const now = steady::now();
    auto wait = std::chrono::milliseconds(60'000);
    auto const consider = [&](steady::time_point when) {
        if (when > now)
            wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(when - now));
    };
    consider(not_before_);
    for (auto const& admin : admins_) consider(admin.not_before);
    return wait;
}

template <class Session>
awaitable<Result<std::unique_ptr<Session>>> SessionPool<Session>::connect(
    AdminSlot<Session>& admin) {
    asio::cancellation_signal cut;
    connecting_.insert(&cut);
    Result<std::unique_ptr<Session>> connected = Error{Errc::stopped, "cut while it connected"};
    try {
        connected =
            co_await asio::co_spawn(executor_, admin.connect(),
                                    asio::bind_cancellation_slot(cut.slot(), asio::use_awaitable));
    } catch (boost::system::system_error const&) {
        // By cut_all(): nothing else ends it so.
    }
    connecting_.erase(&cut);
    co_return connected;
}

template <class Session>
awaitable<Result<PooledSession<Session>>> SessionPool<Session>::open_at(Place& place,
                                                                        MailboxLogin const& login) {
    auto pooled = place.warm ? std::move(*place.warm) : PooledSession<Session>{};
    if (pooled.session && pooled.mailbox == login.mailbox &&
        steady::now() - pooled.used < ping_after_idle) {
        in_use_.insert(pooled.session.get());
        co_return pooled;
    }
    if (pooled.session && steady::now() - pooled.used >= ping_after_idle) {
        auto const ping = co_await pooled.session->ping();
        if (!ping) retire(std::move(pooled.session));
    }
    if (!pooled.session) {
        auto connected = co_await connect(admins_[place.admin]);
        if (!connected) {
            free_place(place.admin, login.mailbox);
            co_return connected.error();
        }
        pooled.session = std::move(*connected);
        ++reconnects_;
    }
    auto* const raw = pooled.session.get();
    in_use_.insert(raw);
    transport::OpenMailbox request{.mailbox = login.mailbox,
                                   .own_password = login.own_password.get()};
    auto const opened = co_await pooled.session->open(std::move(request));
    if (!opened) {
        in_use_.erase(raw);
        retire(std::move(pooled.session));
        free_place(place.admin, login.mailbox);
        co_return opened.error();
    }
    pooled.mailbox = login.mailbox;
    auto& admin = admins_[place.admin];
    auto const grown = std::exchange(admin.proven, true) ? admin.ceiling + 1 : sessions_at_first;
    admin.ceiling = std::min(grown, admin.sessions_max);
    admin.waits_for.clear();
    failures_ = 0;
    trouble_.clear();
    changed_.notify_all();  // There is room for one more.
    co_return pooled;
}

template <class Session>
std::optional<Error> SessionPool<Session>::judge(std::size_t index, Error error) {
    auto& admin = admins_[index];
    auto const now = steady::now();
    if (stopping_) return Error{Errc::stopped, {}};
    if (error.code == Errc::throttled || error.code == Errc::unavailable) {
        ++throttled_;
        auto const pause = error.retry_after.value_or(std::chrono::milliseconds(5'000));
        admin.ceiling = std::max(1u, std::min(admin.ceiling / 2, std::max(admin.in_use, 1u)));
        admin.not_before = std::max(admin.not_before, now + pause);
        admin.waits_for = "throttled until " + clock_time_in(pause);
        log::warning("admin throttled",
                     {{"tenant", tenant_}, {"admin", admin.name}, {"reason", error.describe()}});
        return std::nullopt;
    }
    auto const disposition = disposition_of(error.code);
    if (disposition == Disposition::stop_endpoint && admin.auth != config::Auth::user) {
        log::error("admin parked",
                   {{"tenant", tenant_}, {"admin", admin.name}, {"reason", error.describe()}});
        admin.waits_for = error.describe();
        admin.parked = std::move(error);
        changed_.notify_all();
        return std::nullopt;
    }
    bool const endpoint_down = error.code == Errc::unreachable || error.code == Errc::timed_out ||
                               error.code == Errc::connection_lost ||
                               error.code == Errc::protocol_error;
    if (!endpoint_down) return error;
    if (failures_++ == 0) down_since_ = now;
    trouble_ = error.describe();
    auto const patience =
        error.code == Errc::timed_out ? options_.silent_patience : options_.unreachable_patience;
    if (now - down_since_ > patience) return error;
    auto const backoff = std::min(options_.backoff_max,
                                  options_.backoff_first * (1 << std::min(failures_ - 1, 10u)));
    not_before_ = now + backoff;
    if (failures_ == 1 || failures_ % 10 == 0)
        log::warning("tenant unreachable", {{"tenant", tenant_}, {"reason", trouble_}});
    return std::nullopt;
}

template <class Session>
void SessionPool<Session>::give_back(std::size_t index, PooledSession<Session> pooled) {
    in_use_.erase(pooled.session.get());
    auto const mailbox = pooled.mailbox;
    if (pooled.session->alive() && !pooled.worn && !stopping_) {
        pooled.used = steady::now();
        admins_[index].idle.push_back(std::move(pooled));
    } else {
        retire(std::move(pooled.session));
    }
    free_place(index, mailbox);
}

template <class Session>
void SessionPool<Session>::free_place(std::size_t index, std::string const& mailbox) {
    auto& admin = admins_[index];
    MAILFERRY_ASSERT(admin.in_use > 0);
    --admin.in_use;
    if (--admin.on_mailbox[mailbox] == 0) admin.on_mailbox.erase(mailbox);
    if (--per_mailbox_[mailbox] == 0) per_mailbox_.erase(mailbox);
    changed_.notify_all();
}

template <class Session>
void SessionPool<Session>::retire(std::unique_ptr<Session> session) {
    auto const leave = [](std::unique_ptr<Session> leaving) -> awaitable<void> {
        co_await leaving->close();
    };
    asio::co_spawn(executor_, leave(std::move(session)), asio::detached);
}

template <class Session>
void SessionPool<Session>::stop() {
    stopping_ = true;
    for (auto& admin : admins_) {
        for (auto& idle : admin.idle) retire(std::move(idle.session));
        admin.idle.clear();
    }
    changed_.notify_all();
}

template <class Session>
void SessionPool<Session>::cut_all() {
    for (auto* const session : in_use_) session->cut();
    auto const connecting = connecting_;
    for (auto* const cut : connecting) cut->emit(asio::cancellation_type::terminal);
}

template <class Session>
void SessionPool<Session>::unpark() {
    for (auto& admin : admins_) {
        admin.parked.reset();
        admin.proven = false;
        admin.ceiling = 1;
        admin.waits_for.clear();
        admin.not_before = {};
    }
    failures_ = 0;
    not_before_ = {};
    changed_.notify_all();
}

template <class Session>
std::uint32_t SessionPool<Session>::sessions_max() const {
    std::uint32_t sum = 0;
    for (auto const& admin : admins_) sum += admin.sessions_max;
    return std::max(sum, 1u);
}

template <class Session>
void SessionPool<Session>::describe(std::vector<AdminView>& views) const {
    for (auto const& admin : admins_) {
        auto const limit = admin.limit_in_force ? admin.limit_in_force() : std::string();
        auto const& waits_for = admin.waits_for.empty() ? limit : admin.waits_for;
        std::vector<LimitView> limits;
        if (admin.limit_loads)
            for (auto& load : admin.limit_loads())
                limits.push_back({std::move(load.limit), load.waiting, load.longest});
        views.push_back({.tenant = tenant_,
                         .admin = admin.name,
                         .sessions = admin.in_use,
                         .sessions_ceiling = admin.ceiling,
                         .sessions_max = admin.sessions_max,
                         .waits_for = waits_for.empty() ? trouble_ : waits_for,
                         .limits = std::move(limits)});
    }
}

template class SessionPool<transport::SourceSession>;
template class SessionPool<transport::TargetSession>;

}  // namespace mailferry::daemon
