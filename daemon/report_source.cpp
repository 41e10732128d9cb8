#include "daemon/report_source.hpp"

#include "config/base/assert.hpp"

#include <utility>

namespace mailferry::daemon {
namespace {

/// The ledger refuses a pair whose target belongs to another source. It has no records then: it
/// gets some that say why, under an id that no real pair has.
store::PairId refused_pair(std::size_t index) {
    return store::PairId{-1 - static_cast<std::int64_t>(index)};
}

awaitable<Result<MigrationRecords>> read_one(config::Migration migration,
                                             std::vector<config::MailboxPair> mapping,
                                             store::Ledger& ledger) {
    MigrationRecords records;
    records.migration = std::move(migration);
    records.mailboxes = std::move(mapping);
    std::vector<std::pair<std::size_t, Error>> refused;
    for (auto const& mailbox : records.mailboxes) {
        auto pair =
            co_await ledger.open_pair(records.migration.name, mailbox.source, mailbox.target);
        if (pair) {
            records.pairs.push_back(pair->id);
        } else if (pair.error().code == Errc::invalid_config) {
            refused.emplace_back(records.pairs.size(), pair.error());
            records.pairs.push_back(refused_pair(records.pairs.size()));
        } else {
            co_return pair.error().in("report mailbox=" + mailbox.source);
        }
    }
    auto passes = co_await ledger.passes(records.migration.name);
    if (!passes) co_return passes.error().in("report passes");
    records.passes = std::move(*passes);
    for (auto const& [index, error] : refused)
        for (auto const& pass : records.migration.passes)
            records.passes.push_back({.pair = refused_pair(index),
                                      .pass = pass.name,
                                      .state = store::PassState::failed,
                                      .counters = {},
                                      .error = error.describe()});
    auto failures = co_await ledger.failed_items(records.migration.name, report_failures_max + 1);
    if (!failures) co_return failures.error().in("report failed items");
    records.failures = std::move(*failures);
    records.more_failures = records.failures.size() > report_failures_max;
    if (records.more_failures) records.failures.resize(report_failures_max);
    auto left_out = co_await ledger.left_out(records.migration.name, report_left_out_max + 1);
    if (!left_out) co_return left_out.error().in("report folders not copied");
    records.left_out = std::move(*left_out);
    records.more_left_out = records.left_out.size() > report_left_out_max;
    co_return records;
}

}  // namespace

awaitable<Result<std::vector<MigrationRecords>>> read_report_records(
    config::Config const& config, std::vector<std::vector<config::MailboxPair>> const& mappings,
    store::Ledger& ledger) {
    MAILFERRY_ASSERT(mappings.size() == config.migrations.size());
    std::vector<MigrationRecords> all;
    for (std::size_t i = 0; i < mappings.size(); ++i) {
        auto records = co_await read_one(config.migrations[i], mappings[i], ledger);
        if (!records) co_return records.error();
        all.push_back(std::move(*records));
    }
    co_return all;
}

}  // namespace mailferry::daemon
