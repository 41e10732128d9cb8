#include "daemon/json_view.hpp"

#include "daemon/report_advice.hpp"
#include "daemon/text_layout.hpp"

#include <array>

namespace mailferry::daemon {
namespace {

namespace json = boost::json;

json::string text(std::string_view foreign) { return json::string(valid_utf8(foreign)); }

std::int64_t unix_seconds(std::chrono::system_clock::time_point instant) {
    return std::chrono::duration_cast<std::chrono::seconds>(instant.time_since_epoch()).count();
}

}  // namespace

json::object items_json(store::PassCounters const& counters) {
    return {{"seen", counters.seen},           {"stored", counters.stored},
            {"unchanged", counters.unchanged}, {"left_out", counters.left_out},
            {"gone", counters.gone},           {"failed", counters.failed},
            {"waiting", counters.waiting}};
}

json::object to_json(Totals const& totals) {
    return {
        {"items_planned", totals.items_planned},   {"items_stored", totals.items_stored},
        {"items_failed", totals.items_failed},     {"items_unchanged", totals.items_unchanged},
        {"bytes_planned", totals.bytes_planned},   {"bytes_fetched", totals.bytes_fetched},
        {"bytes_stored", totals.bytes_stored},     {"fetch_commands", totals.fetch_commands},
        {"store_groups", totals.store_groups},     {"intents_recovered", totals.intents_recovered},
        {"reconnects", totals.reconnects},         {"throttled", totals.throttled},
        {"memory_used_bytes", totals.memory_used}, {"memory_max_bytes", totals.memory_max}};
}

json::object to_json(store::SpoolUsage const& spool) {
    return {{"allocated_bytes", spool.bytes_allocated},
            {"reserved_bytes", spool.bytes_reserved},
            {"max_bytes", spool.bytes_max},
            {"segments", spool.segments},
            {"items", spool.items_live},
            {"plain_bytes", spool.bytes_plain_in},
            {"compressed_bytes", spool.bytes_compressed},
            {"written_bytes", spool.bytes_written},
            {"syncs", spool.syncs},
            {"read_only", spool.read_only},
            {"disk_full", spool.disk_full}};
}

json::object to_json(AdminView const& admin) {
    json::array limits;
    for (auto const& limit : admin.limits)
        if (limit.waiting > 0)
            limits.push_back(
                json::object{{"limit", text(limit.limit)},
                             {"waiting", limit.waiting},
                             {"seconds", std::chrono::duration<double>(limit.longest).count()}});
    return {{"tenant", text(admin.tenant)},       {"admin", text(admin.admin)},
            {"sessions", admin.sessions},         {"sessions_ceiling", admin.sessions_ceiling},
            {"sessions_max", admin.sessions_max}, {"waits_for", text(admin.waits_for)},
            {"limits", std::move(limits)}};
}

json::object to_json(PassView const& pass) {
    return {{"migration", text(pass.migration)},
            {"name", text(pass.pass)},
            {"state", store::to_string(pass.state)},
            {"mailboxes",
             {{"total", pass.mailboxes},
              {"done", pass.mailboxes_done},
              {"failed", pass.mailboxes_failed},
              {"running", pass.mailboxes_running}}},
            {"items", items_json(pass.counters)},
            {"flags_changed", pass.counters.flags_changed},
            {"bytes_stored", pass.counters.bytes_stored},
            {"started_unix", pass.started},
            {"ended_unix", pass.ended}};
}

json::object to_json(MailboxView const& mailbox) {
    return {{"migration", text(mailbox.migration)},
            {"pass", text(mailbox.pass)},
            {"source", text(mailbox.source)},
            {"target", text(mailbox.target)},
            {"wave", text(mailbox.wave)},
            {"state", store::to_string(mailbox.state)},
            {"items", items_json(mailbox.counters)},
            {"flags_changed", mailbox.counters.flags_changed},
            {"bytes_stored", mailbox.counters.bytes_stored},
            {"items_planned", mailbox.items_planned},
            {"items_done", mailbox.items_done},
            {"bytes_planned", mailbox.bytes_planned},
            {"bytes_done", mailbox.bytes_done},
            {"folder", text(mailbox.folder)},
            {"error", text(mailbox.error)}};
}

json::object to_json(EngineStatus const& status) {
    json::array warnings;
    for (auto const& warning : status.warnings) warnings.push_back(text(warning));
    return {{"state", text(status.state)},
            {"since_unix", unix_seconds(status.since)},
            {"now_unix", unix_seconds(status.now)},
            {"totals", to_json(status.totals)},
            {"spool", to_json(status.spool)},
            {"admins", to_json_array(status.admins)},
            {"passes", to_json_array(status.passes)},
            {"warnings", std::move(warnings)}};
}

json::object to_json(store::FailedItem const& failed) {
    return {{"mailbox", text(failed.source_mailbox)},
            {"folder", text(failed.folder_path)},
            {"item", static_cast<std::uint64_t>(failed.item.number)},
            {"size", failed.item.size},
            {"received_unix", failed.item.received},
            {"reason", text(failed.item.reason)},
            {"text", text(failed.item.detail)},
            {"attempts", failed.item.attempts},
            {"exported", text(failed.item.exported)},
            {"next_step", next_step(failed.item.reason)}};
}

json::object to_json(config::Problem const& problem) {
    return {{"file", text(problem.file)},
            {"line", problem.line},
            {"message", text(problem.message)},
            {"warning", problem.warning}};
}

std::optional<store::PassState> pass_state_from(std::string_view name) {
    using store::PassState;
    constexpr std::array states{PassState::waiting, PassState::running, PassState::done,
                                PassState::failed,  PassState::paused,  PassState::cancelled};
    for (auto const state : states)
        if (store::to_string(state) == name) return state;
    return std::nullopt;
}

}  // namespace mailferry::daemon
