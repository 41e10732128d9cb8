#include "transport/graph/gate.hpp"

#include <algorithm>
#include <cstdio>
#include <random>

namespace mailferry::graph {
namespace {

constexpr std::size_t mailboxes_before_clearing = 256;
constexpr std::chrono::milliseconds look_again{60'000};

double jitter() {
    static thread_local std::minstd_rand generator(std::random_device{}());
    return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace

Gate::Gate(asio::any_io_executor executor, Limits limits, Clock const& clock)
    : limits_(limits), clock_(clock), app_(limits), changed_(std::move(executor)) {}

Gate::Pass::Pass(Pass&& other) noexcept
    : gate_(std::exchange(other.gate_, nullptr)),
      mailbox_(std::move(other.mailbox_)),
      upload_bytes_(other.upload_bytes_),
      begun_(other.begun_) {}

Gate::Pass& Gate::Pass::operator=(Pass&& other) noexcept {
    if (this != &other) {
        end();
        gate_ = std::exchange(other.gate_, nullptr);
        mailbox_ = std::move(other.mailbox_);
        upload_bytes_ = other.upload_bytes_;
        begun_ = other.begun_;
    }
    return *this;
}

void Gate::Pass::heed(Notice notice) {
    if (gate_ == nullptr) return;
    notice.sent = begun_;
    auto const now = gate_->now();
    mailbox_->limiter.heed(notice, now, jitter());
    gate_->app_.heed(notice, now, jitter());
}

void Gate::Pass::end() {
    auto* const gate = std::exchange(gate_, nullptr);
    if (gate == nullptr) return;
    mailbox_->limiter.end(upload_bytes_, gate->now());
    gate->app_.end();
    gate->changed_.notify_all();
}

awaitable<std::optional<Gate::Pass>> Gate::enter(std::string mailbox, std::uint64_t upload_bytes,
                                                 bool const& given_up) {
    auto const box = mailbox_of(mailbox);
    auto const place = box->queue.insert(box->queue.end(), Waiter{upload_bytes, std::nullopt});
    struct Leave {
        Gate& gate;
        Mailbox& box;
        std::list<Waiter>::iterator place;
        ~Leave() {
            box.queue.erase(place);
            gate.changed_.notify_all();
        }
    };
    Leave const leave{*this, *box, place};
    while (auto const obstacle = this->obstacle(*box, *place)) {
        if (given_up) co_return std::nullopt;
        place->obstacle = obstacle;
        auto const now = clock_.steady();
        auto wait = look_again;
        if (obstacle->until - now < look_again)
            wait = std::chrono::ceil<std::chrono::milliseconds>(obstacle->until - now);
        co_await changed_.wait_for(wait);
    }
    Pass pass;
    pass.gate_ = this;
    pass.mailbox_ = box;
    pass.upload_bytes_ = upload_bytes;
    pass.begun_ = clock_.steady();
    box->limiter.begin(upload_bytes);
    app_.begin();
    co_return pass;
}

/// What holds this waiter back: a limit, or another one in front of it.
std::optional<Obstacle> Gate::obstacle(Mailbox const& mailbox, Waiter const& waiter) const {
    bool const uploads = waiter.upload_bytes > 0;
    for (auto const& other : mailbox.queue) {
        if (&other == &waiter) break;
        if ((other.upload_bytes > 0) == uploads)
            return Obstacle{other.obstacle ? other.obstacle->binding : Binding::concurrency,
                            SteadyTime::max()};
    }
    auto const now = clock_.steady();
    if (auto const app = app_.obstacle(now)) return app;
    return mailbox.limiter.obstacle(waiter.upload_bytes, now);
}

std::shared_ptr<Gate::Mailbox> Gate::mailbox_of(std::string const& name) {
    auto const known = mailboxes_.find(name);
    if (known != mailboxes_.end()) return known->second;
    if (mailboxes_.size() >= mailboxes_before_clearing) forget_idle();
    auto const made = std::make_shared<Mailbox>(limits_);
    made->name = name;
    mailboxes_.emplace(name, made);
    return made;
}

void Gate::forget_idle() {
    auto const now = clock_.steady();
    std::erase_if(mailboxes_, [&](auto const& entry) {
        return entry.second.use_count() == 1 && entry.second->limiter.idle(now);
    });
}

std::optional<LimitWait> Gate::longest_wait() const {
    auto const now = clock_.steady();
    std::optional<LimitWait> longest;
    SteadyTime latest = now;
    for (auto const& [name, mailbox] : mailboxes_) {
        for (auto const& waiter : mailbox->queue) {
            if (!waiter.obstacle || waiter.obstacle->until == SteadyTime::max()) continue;
            if (waiter.obstacle->until <= latest) continue;
            latest = waiter.obstacle->until;
            auto const in =
                std::chrono::duration_cast<std::chrono::system_clock::duration>(latest - now);
            longest = LimitWait{name, waiter.obstacle->binding, clock_.now() + in};
        }
    }
    return longest;
}

std::vector<transport::LimitLoad> Gate::loads() const {
    std::vector<transport::LimitLoad> loads;
    for (auto const binding : bindings)
        loads.push_back({.limit = std::string(to_string(binding)), .waiting = 0, .longest = {}});
    auto const now = clock_.steady();
    for (auto const& [name, mailbox] : mailboxes_) {
        for (auto const& waiter : mailbox->queue) {
            if (!waiter.obstacle) continue;
            auto& load = loads[static_cast<std::size_t>(waiter.obstacle->binding)];
            ++load.waiting;
            if (waiter.obstacle->until == SteadyTime::max()) continue;
            auto const left =
                std::chrono::duration_cast<std::chrono::milliseconds>(waiter.obstacle->until - now);
            load.longest = std::max(load.longest, left);
        }
    }
    return loads;
}

std::string describe(LimitWait const& wait, std::string_view app) {
    auto const second = std::chrono::floor<std::chrono::seconds>(wait.until);
    std::chrono::hh_mm_ss const time(second - std::chrono::floor<std::chrono::days>(second));
    char until[16];
    std::snprintf(until, sizeof until, "%02d:%02d:%02d", static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    std::string text = "waits for app ";
    text.append(app);
    if (!wait.mailbox.empty()) text.append(" on mailbox ").append(wait.mailbox);
    return text.append(" until ").append(until).append(" UTC (").append(to_string(wait.binding)) +=
           ')';
}

}  // namespace mailferry::graph
