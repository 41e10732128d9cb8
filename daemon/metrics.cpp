#include "daemon/metrics.hpp"

#include "config/base/assert.hpp"
#include "daemon/text_layout.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>

namespace mailferry::daemon {
namespace {

constexpr std::string_view counter = "counter";
constexpr std::string_view gauge = "gauge";

constexpr std::array<MetricInfo, 33> infos{{
    {"mailferry_items_stored_total", counter, "", "Items that the target has confirmed."},
    {"mailferry_items_failed_total", counter, "", "Items given up with a reason."},
    {"mailferry_items_unchanged_total", counter, "",
     "Items found to be at the target already, by the ledger."},
    {"mailferry_fetched_bytes_total", counter, "", "Bytes of items read from sources."},
    {"mailferry_stored_bytes_total", counter, "", "Bytes of items that targets have confirmed."},
    {"mailferry_fetch_commands_total", counter, "", "Fetch commands sent to sources."},
    {"mailferry_store_groups_total", counter, "",
     "Groups of items sent to targets, each under one durable intent."},
    {"mailferry_intents_recovered_total", counter, "",
     "Intents whose answer was lost and whose outcome was asked from the target."},
    {"mailferry_reconnects_total", counter, "", "Sessions opened again after a lost connection."},
    {"mailferry_throttled_total", counter, "", "Answers by which a server asked to slow down."},
    {"mailferry_spool_plain_bytes_total", counter, "", "Bytes of items put into the spool."},
    {"mailferry_spool_compressed_bytes_total", counter, "", "The same after compression."},
    {"mailferry_spool_written_bytes_total", counter, "",
     "Bytes written to spool segments, with headers and padding."},
    {"mailferry_spool_syncs_total", counter, "", "Group commits of the spool (fdatasync)."},
    {"mailferry_items_planned", gauge, "", "Items known to need copying in the present run."},
    {"mailferry_planned_bytes", gauge, "", "Their size at the source."},
    {"mailferry_memory_used_bytes", gauge, "", "Bytes of items held in memory."},
    {"mailferry_memory_max_bytes", gauge, "", "Their limit, daemon.memory_max."},
    {"mailferry_spool_allocated_bytes", gauge, "", "Disk space that spool segments take."},
    {"mailferry_spool_reserved_bytes", gauge, "", "Space promised to fetches under way."},
    {"mailferry_spool_max_bytes", gauge, "", "High water of the spool, spool.max_bytes."},
    {"mailferry_spool_segments", gauge, "", "Spool segments on disk."},
    {"mailferry_spool_items", gauge, "", "Items in the spool that no target has confirmed yet."},
    {"mailferry_spool_read_only", gauge, "",
     "1 after repeated I/O failures: the spool drains and takes nothing new."},
    {"mailferry_spool_disk_full", gauge, "",
     "1 while no spool segment can be made for lack of space."},
    {"mailferry_sessions", gauge, "tenant, admin", "Sessions that are open."},
    {"mailferry_sessions_ceiling", gauge, "tenant, admin",
     "Sessions that the server's answers allow at present."},
    {"mailferry_sessions_max", gauge, "tenant, admin", "Their configured limit, max_sessions."},
    {"mailferry_requests_waiting", gauge, "tenant, admin, limit",
     "Requests that one of the server's published limits holds back: concurrency, requests, "
     "upload, "
     "retry-after, app."},
    {"mailferry_limit_wait_seconds", gauge, "tenant, admin, limit",
     "Until the last of them may go, as far as known."},
    {"mailferry_mailboxes", gauge, "migration, pass, state",
     "Mailboxes of a pass by state: waiting, running, done, failed."},
    {"mailferry_warnings", gauge, "", "Conditions that need attention, as status shows them."},
    {"mailferry_engine_state", gauge, "state",
     "1 for the engine's present state: starting, running, idle, stopping, stopped."},
}};

constexpr std::array<std::string_view, 5> engine_states{"starting", "running", "idle", "stopping",
                                                        "stopped"};

using Labels = std::map<std::string, std::string>;

MetricInfo const& info_of(std::string_view name) {
    auto const at = std::find_if(infos.begin(), infos.end(),
                                 [&](MetricInfo const& info) { return info.name == name; });
    MAILFERRY_ASSERT_SHOWING(at != infos.end(), name);
    return *at;
}

/// Gauges of one name; those not set in a round go, so that a removed admin or pass doesn't linger.
class GaugeFamily {
public:
    GaugeFamily(prometheus::Registry& registry, std::string_view name)
        : family_(prometheus::BuildGauge()
                      .Name(std::string(name))
                      .Help(std::string(info_of(name).help))
                      .Register(registry)) {}

    void set(Labels const& labels, double value) {
        auto const [at, made] = gauges_.try_emplace(labels, nullptr);
        if (made) at->second = &family_.Add(labels);
        at->second->Set(value);
        seen_.insert(labels);
    }
    void end_round() {
        for (auto at = gauges_.begin(); at != gauges_.end();) {
            if (seen_.contains(at->first)) {
                ++at;
                continue;
            }
            family_.Remove(at->second);
            at = gauges_.erase(at);
        }
        seen_.clear();
    }

private:
    prometheus::Family<prometheus::Gauge>& family_;
    std::map<Labels, prometheus::Gauge*> gauges_;
    std::set<Labels> seen_;
};

}  // namespace

std::span<MetricInfo const> metric_infos() { return infos; }

class Metrics::Impl {
public:
    Impl() {
        for (auto const& info : infos) {
            auto const name = std::string(info.name);
            if (info.type == gauge) {
                gauges_.try_emplace(name, registry_, info.name);
                continue;
            }
            auto& family = prometheus::BuildCounter()
                               .Name(name)
                               .Help(std::string(info.help))
                               .Register(registry_);
            counters_.emplace(name, &family.Add({}));
        }
    }

    void count(std::string_view name, std::uint64_t total) {
        auto& found = *counters_.at(std::string(name));
        auto const more = static_cast<double>(total) - found.Value();
        if (more > 0) found.Increment(more);
    }
    template <class Number>
    void set(std::string_view name, Number value, Labels const& labels = {}) {
        gauges_.at(std::string(name)).set(labels, static_cast<double>(value));
    }
    void end_round() {
        for (auto& [name, family] : gauges_) family.end_round();
    }
    std::string text() const {
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, registry_.Collect());
        return out.str();
    }

private:
    prometheus::Registry registry_;
    std::map<std::string, prometheus::Counter*> counters_;
    std::map<std::string, GaugeFamily> gauges_;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::update(EngineStatus const& status) {
    auto& m = *impl_;
    auto const& totals = status.totals;
    m.count("mailferry_items_stored_total", totals.items_stored);
    m.count("mailferry_items_failed_total", totals.items_failed);
    m.count("mailferry_items_unchanged_total", totals.items_unchanged);
    m.count("mailferry_fetched_bytes_total", totals.bytes_fetched);
    m.count("mailferry_stored_bytes_total", totals.bytes_stored);
    m.count("mailferry_fetch_commands_total", totals.fetch_commands);
    m.count("mailferry_store_groups_total", totals.store_groups);
    m.count("mailferry_intents_recovered_total", totals.intents_recovered);
    m.count("mailferry_reconnects_total", totals.reconnects);
    m.count("mailferry_throttled_total", totals.throttled);
    m.set("mailferry_items_planned", totals.items_planned);
    m.set("mailferry_planned_bytes", totals.bytes_planned);
    m.set("mailferry_memory_used_bytes", totals.memory_used);
    m.set("mailferry_memory_max_bytes", totals.memory_max);

    auto const& spool = status.spool;
    m.count("mailferry_spool_plain_bytes_total", spool.bytes_plain_in);
    m.count("mailferry_spool_compressed_bytes_total", spool.bytes_compressed);
    m.count("mailferry_spool_written_bytes_total", spool.bytes_written);
    m.count("mailferry_spool_syncs_total", spool.syncs);
    m.set("mailferry_spool_allocated_bytes", spool.bytes_allocated);
    m.set("mailferry_spool_reserved_bytes", spool.bytes_reserved);
    m.set("mailferry_spool_max_bytes", spool.bytes_max);
    m.set("mailferry_spool_segments", spool.segments);
    m.set("mailferry_spool_items", spool.items_live);
    m.set("mailferry_spool_read_only", spool.read_only);
    m.set("mailferry_spool_disk_full", spool.disk_full);

    for (auto const& admin : status.admins) {
        Labels const labels{{"tenant", valid_utf8(admin.tenant)},
                            {"admin", valid_utf8(admin.admin)}};
        m.set("mailferry_sessions", admin.sessions, labels);
        m.set("mailferry_sessions_ceiling", admin.sessions_ceiling, labels);
        m.set("mailferry_sessions_max", admin.sessions_max, labels);
        for (auto const& limit : admin.limits) {
            auto of_limit = labels;
            of_limit["limit"] = valid_utf8(limit.limit);
            m.set("mailferry_requests_waiting", limit.waiting, of_limit);
            m.set("mailferry_limit_wait_seconds",
                  std::chrono::duration<double>(limit.longest).count(), of_limit);
        }
    }
    for (auto const& pass : status.passes) {
        auto const in_state = [&](std::string_view state, std::uint64_t count) {
            m.set("mailferry_mailboxes", count,
                  {{"migration", valid_utf8(pass.migration)},
                   {"pass", valid_utf8(pass.pass)},
                   {"state", std::string(state)}});
        };
        auto const begun = pass.mailboxes_done + pass.mailboxes_failed + pass.mailboxes_running;
        in_state("waiting", pass.mailboxes > begun ? pass.mailboxes - begun : 0);
        in_state("running", pass.mailboxes_running);
        in_state("done", pass.mailboxes_done);
        in_state("failed", pass.mailboxes_failed);
    }
    m.set("mailferry_warnings", status.warnings.size());
    for (auto const state : engine_states)
        m.set("mailferry_engine_state", state == status.state, {{"state", std::string(state)}});
    m.end_round();
}

std::string Metrics::text() const { return impl_->text(); }

}  // namespace mailferry::daemon
