// How long a migration takes by the published limits, on a virtual clock: the limiters are the
// connector's own, the line and the service are a model. A tenth of it here; the whole, as
// docs/microsoft-365.md tells it: MAILFERRY_FORECAST_MAILBOXES=1000 (three minutes).

#include "transport/graph/limiter.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

namespace mailferry::graph {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::uint64_t mailbox_bytes = 10'000'000'000, item_bytes = 2'000'000;
constexpr std::uint64_t wire_bytes = item_bytes * 4 / 3;  // Base64.
constexpr std::uint64_t items_each = mailbox_bytes / item_bytes;
constexpr Seconds round_trip{0.05};

struct Migration {
    std::size_t mailboxes = 0, at_once = 0, apps = 1;
    double line_bytes_per_second = 0;  // In each direction.
};

struct Forecast {
    double hours = 0;
    std::map<std::string, double> held_hours;  // Of all lanes, by what held them.
    std::string binding() const {
        std::string most;
        double hours_most = 0;
        for (auto const& [name, sum] : held_hours)
            if (sum > hours_most) {
                most = name;
                hours_most = sum;
            }
        return most;
    }
};

/// Four requests at a time for each app on each mailbox that is being worked on. Reading the source
/// takes the other direction of the line, the same bytes: it never binds alone.
class Model {
public:
    explicit Model(Migration const& migration) : migration_(migration) {
        for (std::size_t app = 0; app < migration.apps; ++app) apps_.emplace_back(limits_);
        slots_.resize(std::min(migration.at_once, migration.mailboxes));
        for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
            next_mailbox(slots_[slot]);
            for (std::size_t app = 0; app < migration.apps; ++app)
                for (std::uint32_t i = 0; i < limits_.concurrent_max; ++i) {
                    lanes_.push_back({slot, app, false, {}});
                    wake(lanes_.size() - 1, {});
                }
        }
    }

    Forecast run() {
        while (!events_.empty()) {
            auto const [when, lane] = events_.top();
            events_.pop();
            now_ = when;
            finish(lanes_[lane]);
            begin(lane);
        }
        forecast_.hours = Seconds(now_.time_since_epoch()).count() / 3'600;
        return forecast_;
    }

private:
    struct Slot {
        std::vector<MailboxLimiter> limiters;  // One an app.
        std::uint64_t items_left = 0, in_flight = 0;
    };
    struct Lane {
        std::size_t slot, app;
        bool sending;
        SteadyTime sent;
    };
    using Event = std::pair<SteadyTime, std::size_t>;

    void next_mailbox(Slot& slot) {
        if (begun_ == migration_.mailboxes) return;
        ++begun_;
        slot.items_left = items_each;
        slot.limiters = std::vector<MailboxLimiter>(migration_.apps, MailboxLimiter(limits_));
    }
    void wake(std::size_t lane, SteadyTime when) { events_.emplace(when, lane); }
    void held(std::string const& by, SteadyTime until) {
        forecast_.held_hours[by] += Seconds(until - now_).count() / 3'600;
    }

    void finish(Lane& lane) {
        if (!lane.sending) return;
        lane.sending = false;
        auto& slot = slots_[lane.slot];
        Notice const taken{Verdict::taken, {}, lane.sent};
        slot.limiters[lane.app].heed(taken, now_, 0);
        slot.limiters[lane.app].end(wire_bytes, now_);
        apps_[lane.app].heed(taken, now_, 0);
        apps_[lane.app].end();
        if (--slot.in_flight == 0 && slot.items_left == 0) next_mailbox(slot);
        for (auto const waiting : std::exchange(waiting_for_a_place_[lane.app], {}))
            wake(waiting, now_);
        if (slot.items_left == items_each)
            for (std::size_t other = 0; other < lanes_.size(); ++other)
                if (lanes_[other].slot == lane.slot && &lanes_[other] != &lane) wake(other, now_);
    }

    void begin(std::size_t index) {
        auto& lane = lanes_[index];
        auto& slot = slots_[lane.slot];
        if (lane.sending || slot.items_left == 0) return;
        auto obstacle = apps_[lane.app].obstacle(now_);
        if (!obstacle) obstacle = slot.limiters[lane.app].obstacle(wire_bytes, now_);
        if (obstacle && obstacle->until == SteadyTime::max()) {
            waiting_for_a_place_[lane.app].push_back(index);
            return;
        }
        if (obstacle) {
            held(std::string(to_string(obstacle->binding)), obstacle->until);
            return wake(index, obstacle->until);
        }
        slot.limiters[lane.app].begin(wire_bytes);
        apps_[lane.app].begin();
        --slot.items_left;
        ++slot.in_flight;
        lane.sending = true;
        lane.sent = now_;
        auto const start = std::max(line_free_, now_);
        held("line", start);
        line_free_ = start + std::chrono::duration_cast<SteadyTime::duration>(
                                 Seconds(double(wire_bytes) / migration_.line_bytes_per_second));
        wake(index, line_free_ + std::chrono::duration_cast<SteadyTime::duration>(round_trip));
    }

    Migration const migration_;
    Limits const limits_{};
    std::vector<AppLimiter> apps_;
    std::vector<Slot> slots_;
    std::vector<Lane> lanes_;
    std::map<std::size_t, std::vector<std::size_t>> waiting_for_a_place_;  // By app.
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::size_t begun_ = 0;
    SteadyTime now_{}, line_free_{};
    Forecast forecast_;
};

std::size_t whole() {
    auto const* const text = std::getenv("MAILFERRY_FORECAST_MAILBOXES");
    return text == nullptr ? 100 : std::strtoul(text, nullptr, 10);
}

/// 1 Gbit/s for a thousand mailboxes, a tenth of it for a hundred.
Migration thousand(std::size_t apps, std::size_t at_once_of_1000) {
    auto const mailboxes = whole();
    auto const share = double(mailboxes) / 1'000;
    return {mailboxes, std::size_t(double(at_once_of_1000) * share), apps, 125e6 * share};
}

Forecast tell(Migration const& migration) {
    auto const forecast = Model(migration).run();
    std::printf(
        "%4zu mailboxes of 10 GB, %3zu at once, %2zu apps, %4.0f Mbit/s: %6.1f h, bound by %s\n",
        migration.mailboxes, migration.at_once, migration.apps,
        migration.line_bytes_per_second * 8 / 1e6, forecast.hours, forecast.binding().c_str());
    return forecast;
}

constexpr double line_hours = 10'000e9 * 4 / 3 / 125e6 / 3'600;  // 29.6

TEST(ForecastTest, TheLineBindsAThousandMailboxesAndMoreAppsDontHelp) {
    for (auto const apps : {1, 2, 4, 10}) {
        auto const forecast = tell(thousand(static_cast<std::size_t>(apps), 250));
        EXPECT_GE(forecast.hours, line_hours);
        // The last mailboxes are too few to fill the line.
        EXPECT_LE(forecast.hours, 1.12 * line_hours) << apps;
        EXPECT_TRUE(apps == 1 || forecast.binding() == "line") << forecast.binding();
    }
}

TEST(ForecastTest, SixtyFourAtOnceAreBoundByTheirUploadsAndASecondAppHalvesTheTime) {
    // A share of 64 of 1,000 isn't whole: 60 at once.
    auto const one = tell(thousand(1, 60));
    EXPECT_EQ(one.binding(), "upload");
    auto const gigabytes_an_hour = 60 * 1.35;
    EXPECT_NEAR(one.hours / (10'000 / gigabytes_an_hour), 1, 0.04);
    auto const two = tell(thousand(2, 60));
    EXPECT_GE(one.hours / two.hours, 1.9);
}

}  // namespace
}  // namespace mailferry::graph
