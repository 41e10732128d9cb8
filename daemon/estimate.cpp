#include "daemon/estimate.hpp"

#include "config/names.hpp"
#include "daemon/connectors.hpp"

#include <algorithm>
#include <set>

namespace mailferry::daemon {
namespace {

constexpr std::size_t largest_max = 10, problems_max = 1'000;
constexpr int attempts_max = 3;
constexpr std::int64_t day = 86'400;

std::string describe(config::Tenant const& tenant) {
    return "tenant " + tenant.name + " (" + std::string(config::to_string(tenant.protocol)) + ", " +
           tenant.host + ")";
}

/// Counts what a scan lists, for each pass that is the first to cover it.
class Counter final : public transport::ScanSink {
public:
    struct Pass {
        std::size_t index;
        transport::Window window;
    };

    Counter(config::Migration const& migration, std::vector<Pass> passes, std::int64_t now)
        : migration_(migration), passes_(std::move(passes)), now_(now) {}

    void begin(transport::ItemKind kind) { kind_ = kind; }
    void item(transport::ItemMeta meta) override {
        if (!migration_.copy_deleted && has_flag(meta.flags, "\\Deleted")) return;
        auto const received = meta.received.unix_seconds;
        auto const first = std::find_if(passes_.begin(), passes_.end(), [&](Pass const& pass) {
            auto const& kinds = migration_.passes[pass.index].kinds;
            bool const wanted = std::find(kinds.begin(), kinds.end(), kind_) != kinds.end();
            return wanted && (kind_ != transport::ItemKind::mail || pass.window.contains(received));
        });
        if (first == passes_.end()) return;
        by_pass[first->index].add(meta.size);
        whole.add(meta.size);
        if (item_bytes_max > 0 && meta.size > item_bytes_max) too_large.add(meta.size);
        if (kind_ != transport::ItemKind::mail) return without_window.add(meta.size);
        auto const age = std::clamp<std::int64_t>((now_ - received) / day, 0, 100'000);
        mail_by_age[static_cast<std::uint32_t>(age)].add(meta.size);
    }
    void vanished(transport::ItemNumber, transport::ItemNumber) override {}

    std::uint64_t item_bytes_max = 0;
    std::map<std::size_t, Amount> by_pass;
    Amount whole, too_large, without_window;
    std::map<std::uint32_t, Amount> mail_by_age;

private:
    config::Migration const& migration_;
    std::vector<Pass> passes_;
    std::int64_t now_;
    transport::ItemKind kind_ = transport::ItemKind::mail;
};

}  // namespace

/// At one migration.
class Estimator::Look {
public:
    Look(asio::any_io_executor executor, Plan const& plan, std::size_t index, std::int64_t now,
         std::function<void()> seen)
        : executor_(executor),
          migration_(plan.config.migrations[index]),
          mapping_(plan.mappings[index]),
          source_tenant_(*plan.config.tenant(migration_.source)),
          target_tenant_(*plan.config.tenant(migration_.target)),
          now_(now),
          seen_(std::move(seen)) {
        result_.name = migration_.name;
        result_.source = describe(source_tenant_);
        result_.target = describe(target_tenant_);
        result_.mailboxes = mapping_.size();
        for (auto const& pass : migration_.passes) result_.passes.emplace_back().name = pass.name;
        for (auto const& pass : migration_.passes) {
            windows_.push_back(window_of(pass, now));
            kinds_.insert(pass.kinds.begin(), pass.kinds.end());
        }
    }

    awaitable<Result<MigrationEstimate>> run();
    void stop();

private:
    awaitable<void> work();
    awaitable<void> look_at(config::MailboxPair const& pair);
    awaitable<bool> look_at_target(config::MailboxPair const& pair, Counter& counter,
                                   std::string& identity);
    awaitable<bool> look_at_source(config::MailboxPair const& pair, Counter& counter,
                                   std::string const& target_identity);
    awaitable<Result<void>> count(transport::SourceSession& session, Counter& counter,
                                  transport::Folder folder);
    template <class Session>
    awaitable<void> note_obstacles(Session& session, std::string const& mailbox);
    void add(config::MailboxPair const& pair, Counter const& counter);
    void note(std::string const& mailbox, std::string reason);

    asio::any_io_executor executor_;
    config::Migration const& migration_;
    std::vector<config::MailboxPair> const& mapping_;
    config::Tenant const& source_tenant_;
    config::Tenant const& target_tenant_;
    std::int64_t const now_;
    std::function<void()> seen_;
    bool stopped_ = false;
    std::vector<transport::Window> windows_;
    std::set<config::ItemKind> kinds_;
    std::unique_ptr<SourcePool> source_;
    std::unique_ptr<TargetPool> target_;
    std::size_t next_ = 0;
    std::map<std::pair<std::string, std::string>, NotCopied> not_copied_;
    MigrationEstimate result_;
};

awaitable<Result<MigrationEstimate>> Estimator::Look::run() {
    auto source = make_source_pool(executor_, source_tenant_, {});
    if (!source) co_return source.error();
    source_ = std::move(*source);
    auto target = make_target_pool(executor_, target_tenant_, {});
    if (!target) co_return target.error();
    target_ = std::move(*target);
    TaskGroup workers(executor_);
    auto const lanes = std::min<std::size_t>(
        mapping_.size(), std::min(source_->sessions_max(), target_->sessions_max()));
    for (std::size_t i = 0; i < lanes; ++i) workers.spawn(work());
    co_await workers.join();
    source_->stop();
    target_->stop();
    for (auto& [key, folder] : not_copied_) result_.not_copied.push_back(std::move(folder));
    std::stable_sort(result_.not_copied.begin(), result_.not_copied.end(),
                     [](auto const& a, auto const& b) { return a.items > b.items; });
    co_return std::move(result_);
}

void Estimator::Look::stop() {
    stopped_ = true;
    source_->stop();
    source_->cut_all();
    target_->stop();
    target_->cut_all();
}

awaitable<void> Estimator::Look::work() {
    while (next_ < mapping_.size() && !stopped_) {
        co_await look_at(mapping_[next_++]);
        seen_();
    }
}

awaitable<void> Estimator::Look::look_at(config::MailboxPair const& pair) {
    std::vector<Counter::Pass> passes;
    for (std::size_t i = 0; i < migration_.passes.size(); ++i) {
        if (!covers(migration_.passes[i], pair)) continue;
        passes.push_back({i, windows_[i]});
        ++result_.passes[i].mailboxes;
    }
    Counter counter(migration_, std::move(passes), now_);
    std::string identity;
    bool const target_open = co_await look_at_target(pair, counter, identity);
    bool const source_open = co_await look_at_source(pair, counter, identity);
    if (target_open && source_open) ++result_.mailboxes_seen;
    add(pair, counter);
}

awaitable<bool> Estimator::Look::look_at_target(config::MailboxPair const& pair, Counter& counter,
                                                std::string& identity) {
    auto const login = login_for(target_tenant_, pair.target, pair.target_password_file);
    if (!login) {
        note(pair.target, login.error().describe());
        co_return false;
    }
    auto lease = co_await target_->acquire(*login);
    if (!lease) {
        note(pair.target, "target: " + lease.error().describe());
        co_return false;
    }
    auto& session = **lease;
    co_await note_obstacles(session, pair.target);
    identity = session.mailbox_identity();
    auto const& capabilities = session.capabilities();
    counter.item_bytes_max = capabilities.item_bytes_max;
    result_.item_bytes_max = std::max(result_.item_bytes_max, capabilities.item_bytes_max);
    result_.mailbox_bytes_per_second_max =
        capabilities.stored_bytes_per_second_max * target_tenant_.admins.size();
    auto const folders = co_await session.folders();
    if (folders)
        for (auto const& folder : *folders) result_.items_at_target += folder.items;
    else
        note(pair.target, "target: " + folders.error().describe());
    co_return folders.has_value();
}

awaitable<bool> Estimator::Look::look_at_source(config::MailboxPair const& pair, Counter& counter,
                                                std::string const& target_identity) {
    auto const login = login_for(source_tenant_, pair.source, pair.source_password_file);
    if (!login) {
        note(pair.source, login.error().describe());
        co_return false;
    }
    Error failure{Errc::stopped, ""};
    for (int attempt = 1; attempt <= attempts_max; ++attempt) {
        auto lease = co_await source_->acquire(*login);
        if (!lease) {
            failure = lease.error();
            break;
        }
        auto& session = **lease;
        if (attempt == 1) co_await note_obstacles(session, pair.source);
        auto const identity = session.mailbox_identity();
        if (!identity.empty() && identity == target_identity)
            note(pair.source, "source and target are one and the same mailbox");
        auto folders = co_await session.folders();
        if (!folders) {
            failure = folders.error();
            if (disposition_of(failure.code) != Disposition::retry_now) break;
            continue;
        }
        for (auto const& folder : session.left_out()) {
            if (folder.items == 0) continue;
            auto const path = transport::display(folder.path);
            auto& sum = not_copied_[{path, folder.reason}];
            sum.folder = path;
            sum.reason = folder.reason;
            ++sum.mailboxes;
            sum.items += folder.items;
        }
        auto const plans = plan_folders(std::move(*folders), {},
                                        {.exclude = migration_.exclude_folders,
                                         .kinds = {kinds_.begin(), kinds_.end()},
                                         .window = {},
                                         .marks_cover_flags = false});
        for (auto const& plan : plans) {
            auto const counted = co_await count(session, counter, plan.source);
            if (!counted)
                note(pair.source, "folder " + transport::display(plan.source.path) + ": " +
                                      counted.error().describe());
            if (!session.alive() || stopped_) break;
        }
        co_return true;
    }
    note(pair.source, "source: " + failure.describe());
    co_return false;
}

awaitable<Result<void>> Estimator::Look::count(transport::SourceSession& session, Counter& counter,
                                               transport::Folder folder) {
    counter.begin(folder.kind);
    transport::ScanRequest request;
    do {
        auto const page = co_await session.scan(folder, request, counter);
        if (!page) co_return page.error();
        request.from = page->next;
    } while (request.from != 0 && !stopped_);
    co_return Result<void>{};
}

template <class Session>
awaitable<void> Estimator::Look::note_obstacles(Session& session, std::string const& mailbox) {
    auto const obstacles = co_await session.obstacles();
    if (!obstacles) {
        note(mailbox, obstacles.error().describe());
        co_return;
    }
    for (auto const& obstacle : *obstacles) note(mailbox, obstacle.describe());
}

void Estimator::Look::add(config::MailboxPair const& pair, Counter const& counter) {
    for (auto const& [index, amount] : counter.by_pass) {
        auto& pass = result_.passes[index];
        pass.amount += amount;
        pass.largest_mailbox_bytes = std::max(pass.largest_mailbox_bytes, amount.bytes);
    }
    result_.at_source += counter.whole;
    result_.too_large += counter.too_large;
    result_.without_window += counter.without_window;
    for (auto const& [age, amount] : counter.mail_by_age) result_.mail_by_age[age] += amount;
    auto& largest = result_.largest;
    auto const place = std::find_if(largest.begin(), largest.end(), [&](auto const& other) {
        return counter.whole.bytes > other.amount.bytes;
    });
    largest.insert(place, {pair.source, pair.target, counter.whole});
    if (largest.size() > largest_max) largest.pop_back();
}

void Estimator::Look::note(std::string const& mailbox, std::string reason) {
    if (stopped_) return;  // It would only say that we stopped.
    if (result_.problems.size() < problems_max)
        result_.problems.push_back({mailbox, std::move(reason)});
    else
        ++result_.problems_more;
}

int Estimate::exit_status() const {
    if (stopped) return 4;
    bool const sound = std::all_of(migrations.begin(), migrations.end(), [](auto const& migration) {
        return migration.problems.empty() && migration.too_large.items == 0;
    });
    return sound ? 0 : 1;
}

Estimator::Estimator(asio::any_io_executor executor, std::shared_ptr<Plan const> plan,
                     std::int64_t now, std::function<void(std::uint64_t, std::uint64_t)> seen)
    : executor_(std::move(executor)), plan_(std::move(plan)), now_(now), seen_(std::move(seen)) {}

Estimator::~Estimator() = default;

awaitable<Result<std::vector<MigrationEstimate>>> Estimator::run() {
    std::uint64_t total = 0, done = 0;
    for (auto const& mapping : plan_->mappings) total += mapping.size();
    std::vector<MigrationEstimate> estimates;
    for (std::size_t i = 0; i < plan_->mappings.size() && !stopped_; ++i) {
        look_ = std::make_unique<Look>(executor_, *plan_, i, now_, [&] { seen_(++done, total); });
        auto estimate = co_await look_->run();
        if (!estimate) co_return estimate.error();
        estimates.push_back(std::move(*estimate));
    }
    co_return estimates;
}

void Estimator::stop() {
    stopped_ = true;
    if (look_) look_->stop();
}

std::uint64_t measured_rate(std::vector<store::PassRecord> const& records) {
    std::uint64_t bytes = 0;
    std::vector<std::pair<std::int64_t, std::int64_t>> spans;
    for (auto const& record : records) {
        if (record.ended <= record.started || record.counters.bytes_stored == 0) continue;
        bytes += record.counters.bytes_stored;
        spans.emplace_back(record.started, record.ended);
    }
    std::sort(spans.begin(), spans.end());
    std::int64_t seconds = 0, until = 0;
    for (auto const& [from, to] : spans) {
        seconds += std::max<std::int64_t>(0, to - std::max(from, until));
        until = std::max(until, to);
    }
    return seconds > 0 ? bytes / static_cast<std::uint64_t>(seconds) : 0;
}

std::optional<std::uint32_t> days_that_fit(MigrationEstimate const& migration,
                                           std::uint64_t bytes) {
    auto sum = migration.without_window.bytes;
    std::optional<std::uint32_t> days;
    for (auto const& [age, amount] : migration.mail_by_age) {
        sum += amount.bytes;
        if (sum > bytes) break;
        days = age + 1;
    }
    return days;
}

}  // namespace mailferry::daemon
