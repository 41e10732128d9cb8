// Control commands that tell what is there and what has happened.

#include "tests/support/graphsim/control.hpp"
#include "tests/support/graphsim/encoding.hpp"

namespace graphsim {

namespace {

json::object item_dump(Mailbox const& box, Item const& item) {
    auto const& logical = item.logical;
    auto const time = [](std::optional<Time> value) {
        return value ? json::value(iso_time(*value)) : json::value();
    };
    return {{"id", box.item_id(item, false)},
            {"immutable_id", box.item_id(item, true)},
            {"change_key", box.change_key_of(item)},
            {"content", content_hash(logical)},
            {"logical", logical_hash(logical)},
            {"class", logical.item_class},
            {"subject", logical.subject()},
            {"received", time(logical.received)},
            {"submitted", time(logical.submitted)},
            {"created", iso_time(logical.created)},
            {"modified", iso_time(item.modified)},
            {"message_flags", logical.message_flags},
            {"flag_status", logical.flag_status},
            {"categories", json::value_from(logical.categories)},
            {"message_id", logical.message_id},
            {"search_key", hex(logical.search_key)},
            {"size", logical.size}};
}

}  // namespace

json::value dump_mailbox(World& world, json::object const& arguments) {
    auto const place = world.place_of(text_of(arguments, "mailbox"));
    auto const& box = *place.user->mailbox;
    bool const with_items = truth_of(arguments, "items", true);
    json::array folders;
    for (auto const& [key, folder] : box.folders()) {
        json::array items;
        for (auto const item : folder.items) {
            if (with_items) items.push_back(item_dump(box, *box.item(item)));
        }
        folders.push_back(json::object{{"id", box.folder_id(key)},
                                       {"path", json::value_from(box.path(key))},
                                       {"class", folder.folder_class},
                                       {"well_known", folder.well_known},
                                       {"hidden", folder.hidden},
                                       {"search", folder.search},
                                       {"system", folder.made_by_system},
                                       {"count", folder.items.size()},
                                       {"items", std::move(items)}});
    }
    return json::object{{"mailbox", box.id()},
                        {"owner", box.owner()},
                        {"used_bytes", box.used_bytes()},
                        {"folders", std::move(folders)}};
}

json::value counters(World& world, json::object const&) {
    auto values = world.audit.counters();
    json::array limiters;
    std::uint64_t in_flight_max = 0;
    for (auto const& [key, limiter] : world.throttle.limiters()) {
        in_flight_max = std::max(in_flight_max, limiter.in_flight_max);
        limiters.push_back(json::object{{"app", key.app},
                                        {"scope", key.scope},
                                        {"in_flight", limiter.in_flight},
                                        {"in_flight_max", limiter.in_flight_max},
                                        {"requests", limiter.requests_total},
                                        {"upload_bytes", limiter.upload_bytes_total},
                                        {"refused", limiter.refused}});
    }
    values["max_in_flight"] = in_flight_max;
    values["limiters"] = std::move(limiters);
    values["faults"] = json::value_from(world.faults.fired());
    return values;
}

json::value request_log(World& world, json::object const& arguments) {
    auto const after = static_cast<std::uint64_t>(number_of(arguments, "after", 0));
    auto const limit = static_cast<std::size_t>(number_of(arguments, "limit", 10'000));
    return world.audit.entries(after, limit);
}

json::value issued_secrets(World& world, json::object const&) {
    json::array texts;
    for (auto const& [text, token] : world.tokens) texts.push_back(json::value(text));
    for (auto const& [text, session] : world.sessions) texts.push_back(json::value(text));
    for (auto const& [id, tenant] : world.tenants) {
        for (auto const& [name, app] : tenant->apps) {
            for (auto const& secret : app.secrets) texts.push_back(json::value(secret.value));
        }
    }
    return texts;
}

}  // namespace graphsim
