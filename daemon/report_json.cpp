#include "daemon/json_view.hpp"
#include "daemon/report.hpp"
#include "daemon/text_layout.hpp"

#include <boost/json/serialize.hpp>

namespace mailferry::daemon {
namespace {

namespace json = boost::json;

json::string text(std::string_view foreign) { return json::string(valid_utf8(foreign)); }

json::object mailboxes_json(MailboxCounts const& counts) {
    return {{"done", counts.done},           {"failed", counts.failed},
            {"waiting", counts.waiting},     {"paused", counts.paused},
            {"cancelled", counts.cancelled}, {"running", counts.running}};
}

json::object pass_json(PassReport const& pass) {
    return {{"name", text(pass.name)},
            {"state", store::to_string(pass.state)},
            {"mailboxes", mailboxes_json(pass.mailboxes)},
            {"items", items_json(pass.counters)},
            {"flags_changed", pass.counters.flags_changed},
            {"bytes_stored", pass.counters.bytes_stored},
            {"started_unix", pass.started},
            {"ended_unix", pass.ended}};
}

json::object mailbox_json(MailboxReport const& mailbox) {
    return {{"source", text(mailbox.source)},
            {"target", text(mailbox.target)},
            {"state", store::to_string(mailbox.state)},
            {"items_stored", mailbox.items_stored},
            {"error", text(mailbox.error)},
            {"next_step", text(mailbox.next_step)}};
}

json::object failure_json(ItemFailure const& failure) {
    return {{"mailbox", text(failure.mailbox)},
            {"folder", text(failure.folder)},
            {"item", failure.item},
            {"size", failure.size_bytes},
            {"received_unix", failure.received},
            {"reason", text(failure.reason)},
            {"text", text(failure.text)},
            {"attempts", failure.attempts},
            {"exported", text(failure.exported)},
            {"next_step", text(failure.next_step)}};
}

json::object not_copied_json(NotCopied const& folder) {
    return {{"folder", text(folder.folder)},
            {"reason", text(folder.reason)},
            {"mailboxes", folder.mailboxes},
            {"items", folder.items}};
}

template <class Values, class Convert>
json::array array_of(Values const& values, Convert convert) {
    json::array array;
    array.reserve(values.size());
    for (auto const& value : values) array.push_back(convert(value));
    return array;
}

}  // namespace

std::string report_json(Report const& report) {
    json::array migrations;
    for (auto const& migration : report.migrations)
        migrations.push_back(
            json::object{{"name", text(migration.name)},
                         {"passes", array_of(migration.passes, pass_json)},
                         {"mailboxes", array_of(migration.mailboxes, mailbox_json)},
                         {"failures", array_of(migration.failures, failure_json)},
                         {"more_failures", migration.more_failures},
                         {"not_copied", array_of(migration.not_copied, not_copied_json)},
                         {"more_not_copied", migration.more_not_copied}});
    json::object const whole{{"migrations", std::move(migrations)},
                             {"exit_status", report.exit_status},
                             {"made_unix", report.made}};
    return json::serialize(whole) + "\n";
}

}  // namespace mailferry::daemon
