#include "daemon/estimate.hpp"
#include "daemon/text_layout.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace mailferry::daemon {
namespace {

namespace json = boost::json;

json::string text(std::string_view foreign) { return json::string(valid_utf8(foreign)); }

json::object to_json(Amount const& amount) {
    return {{"items", amount.items}, {"bytes", amount.bytes}};
}

json::object to_json(PassEstimate const& pass) {
    return {{"name", text(pass.name)},
            {"mailboxes", pass.mailboxes},
            {"new", to_json(pass.amount)},
            {"largest_mailbox_bytes", pass.largest_mailbox_bytes}};
}

json::object to_json(MailboxEstimate const& mailbox) {
    return {{"source", text(mailbox.source)},
            {"target", text(mailbox.target)},
            {"new", to_json(mailbox.amount)}};
}

json::object to_json(NotCopied const& folder) {
    return {{"folder", text(folder.folder)},
            {"reason", text(folder.reason)},
            {"mailboxes", folder.mailboxes},
            {"items", folder.items}};
}

json::object to_json(EstimateProblem const& problem) {
    return {{"mailbox", text(problem.mailbox)}, {"reason", text(problem.reason)}};
}

template <class Values>
json::array array_of(Values const& values) {
    json::array array;
    for (auto const& value : values) array.push_back(to_json(value));
    return array;
}

json::object to_json(MigrationEstimate const& migration, Estimate const& estimate) {
    json::object object{{"name", text(migration.name)},
                        {"source", text(migration.source)},
                        {"target", text(migration.target)},
                        {"mailboxes", migration.mailboxes},
                        {"mailboxes_seen", migration.mailboxes_seen},
                        {"at_source", to_json(migration.at_source)},
                        {"items_at_target", migration.items_at_target},
                        {"passes", array_of(migration.passes)},
                        {"largest", array_of(migration.largest)},
                        {"not_copied", array_of(migration.not_copied)},
                        {"problems", array_of(migration.problems)},
                        {"problems_more", migration.problems_more},
                        {"too_large", to_json(migration.too_large)},
                        {"item_bytes_max", migration.item_bytes_max},
                        {"mailbox_bytes_per_second_max", migration.mailbox_bytes_per_second_max}};
    if (estimate.hours && estimate.bytes_per_second > 0) {
        auto const bytes = estimate.bytes_per_second * 3'600 * *estimate.hours;
        auto const days = days_that_fit(migration, bytes);
        object["mail_since_days"] = days ? json::value(*days) : json::value();
    }
    return object;
}

}  // namespace

std::string estimate_json(Estimate const& estimate) {
    json::array migrations;
    for (auto const& migration : estimate.migrations)
        migrations.push_back(to_json(migration, estimate));
    json::object const whole{
        {"migrations", std::move(migrations)},     {"bytes_per_second", estimate.bytes_per_second},
        {"rate_measured", estimate.rate_measured}, {"beside_another", estimate.beside_another},
        {"exit_status", estimate.exit_status()},   {"made_unix", estimate.made}};
    return json::serialize(whole) + "\n";
}

}  // namespace mailferry::daemon
