#pragma once

/// What Prometheus sees. Only here are metric names and help texts; docs/metrics.md lists them.
/// Units stand in the names; labels come from the configuration alone (tenant, admin, migration,
/// pass) or from a fixed list (state), never from mailboxes, folders or items.

#include "daemon/engine_view.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mailferry::daemon {

struct MetricInfo {
    std::string_view name, type, labels, help;
};
/// Every metric there is, in the order of docs/metrics.md.
std::span<MetricInfo const> metric_infos();

class Metrics {
public:
    Metrics();
    ~Metrics();
    Metrics(Metrics const&) = delete;
    Metrics& operator=(Metrics const&) = delete;

    /// Takes over the engine's figures. Counters only grow: a total below its last value (it can't
    /// be, within one process) leaves its counter where it is.
    void update(EngineStatus const& status);
    /// Text exposition format 0.0.4.
    std::string text() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace mailferry::daemon
