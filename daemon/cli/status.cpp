#include "daemon/cli/verb.hpp"

#include "config/base/units.hpp"
#include "daemon/text_layout.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace mailferry::daemon::cli {

namespace json = boost::json;

namespace {

std::string mailboxes_text(json::object const& pass) {
    auto const& counts = object(pass, "mailboxes");
    auto line = format_count(number(counts, "done")) + " of " +
                format_count(number(counts, "total"), "mailbox", "mailboxes") + " done";
    if (auto const running = number(counts, "running"); running > 0)
        line.append(", ").append(format_count(running)).append(" running");
    if (auto const failed = number(counts, "failed"); failed > 0)
        line.append(", ").append(format_count(failed)).append(" failed");
    return line;
}

std::string passes_table(json::object const& body, std::size_t indent) {
    TextTable table({{"Migration"}, {"Pass"}, {"State"}, {"Mailboxes"}, {"Items"}, {"Started"}});
    for_each_object(body, "passes", [&](json::object const& pass) {
        table.add({text(pass, "migration"), text(pass, "name"), text(pass, "state"),
                   mailboxes_text(pass), work_text(pass),
                   format_instant(signed_number(pass, "started_unix"))});
    });
    return table.empty() ? std::string("No passes are configured.\n") : table.text(indent);
}

std::string admins_table(json::object const& body) {
    using Align = TextTable::Align;
    TextTable table({{"Tenant"},
                     {"Admin"},
                     {"Sessions", Align::right},
                     {"Allowed now", Align::right},
                     {"Limit", Align::right},
                     {"Waits for"}});
    for_each_object(body, "admins", [&](json::object const& admin) {
        table.add({text(admin, "tenant"), text(admin, "admin"),
                   format_count(number(admin, "sessions")),
                   format_count(number(admin, "sessions_ceiling")),
                   format_count(number(admin, "sessions_max")), text(admin, "waits_for")});
    });
    return table.text();
}

std::string status_text(json::object const& body) {
    auto const& totals = object(body, "totals");
    auto const& spool = object(body, "spool");
    auto const up = signed_number(body, "now_unix") - signed_number(body, "since_unix");
    std::string out = "mailferryd is " + text(body, "state") + ", for " +
                      format_duration(std::chrono::seconds(up)) + "\n";
    for (auto const& warning : array(body, "warnings"))
        if (auto const* const line = warning.if_string())
            out.append("! ").append(one_line({line->data(), line->size()})).append("\n");
    out.append("\nItems   ").append(format_count(number(totals, "items_stored"))).append(" stored");
    out.append(" of ").append(format_count(number(totals, "items_planned"))).append(" planned, ");
    out.append(format_count(number(totals, "items_unchanged"))).append(" unchanged, ");
    out.append(format_count(number(totals, "items_failed"))).append(" failed\n");
    out.append("Bytes   ")
        .append(format_bytes(number(totals, "bytes_stored")))
        .append(" stored of ");
    out.append(format_bytes(number(totals, "bytes_planned"))).append(" planned\n");
    out.append("Spool   ").append(format_bytes(number(spool, "allocated_bytes"))).append(" of ");
    out.append(format_bytes(number(spool, "max_bytes"))).append(", ");
    out.append(format_count(number(spool, "items"), "item", "items"));
    if (truth(spool, "disk_full")) out.append(", the disk is full");
    if (truth(spool, "read_only")) out.append(", read-only after I/O failures");
    out.append("\nMemory  ")
        .append(format_bytes(number(totals, "memory_used_bytes")))
        .append(" of ");
    out.append(format_bytes(number(totals, "memory_max_bytes"))).append("\n\n");
    return out.append(passes_table(body, 0)).append("\n").append(admins_table(body));
}

}  // namespace

int run_status(Context const& context) { return ask(context, "GET", "/v1/status", status_text); }

int run_passes(Context const& context) {
    return ask(context, "GET", "/v1/passes",
               [](json::object const& body) { return passes_table(body, 0); });
}

int run_limits(Context const& context) {
    return ask(context, "GET", "/v1/limits", [](json::object const& body) {
        auto out = admins_table(body).append("\nSpool   ");
        out.append(format_bytes(number(body, "spool_allocated_bytes"))).append(" of ");
        out.append(format_bytes(number(body, "spool_max_bytes"))).append("\nMemory  ");
        out.append(format_bytes(number(body, "memory_used_bytes"))).append(" of ");
        return out.append(format_bytes(number(body, "memory_max_bytes"))).append("\n");
    });
}

}  // namespace mailferry::daemon::cli
