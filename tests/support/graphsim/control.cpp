#include "tests/support/graphsim/control.hpp"

#include <stdexcept>

namespace graphsim {

namespace {

json::value set_clock(World& world, json::object const& arguments) {
    if (arguments.contains("advance")) {
        world.clock.advance(seconds(number_of(arguments, "advance", 0)));
    }
    if (arguments.contains("now")) {
        auto const time = parse_time(text_of(arguments, "now"));
        if (!time) throw std::invalid_argument("now: no time");
        world.clock.set(*time);
    }
    if (arguments.contains("rate")) world.clock.set_rate(number_of(arguments, "rate", 1));
    auto const now = world.clock.now();
    return json::object{{"now", iso_time_7(now)},
                        {"seconds", seconds_of(now.time_since_epoch())},
                        {"rate", world.clock.rate()}};
}

json::value set_options(World& world, json::object const& arguments) {
    auto const seed = world.options.seed;
    world.options.set(arguments);
    if (world.options.seed != seed) world.random = Random(world.options.seed);
    return world.options.to_json();
}

json::value arm_faults(World& world, json::object const& arguments) {
    if (truth_of(arguments, "clear", false)) world.faults.clear();
    if (auto const* rules = arguments.if_contains("rules")) {
        for (auto const& rule : rules->as_array()) world.faults.arm(rule.as_object());
    }
    if (auto const* plan = arguments.if_contains("random")) {
        world.faults.arm_random(plan->as_object());
    }
    return json::object{{"fired", json::value_from(world.faults.fired())}};
}

json::value expire(World& world, json::object const& arguments) {
    auto const what = text_of(arguments, "what");
    auto const mailbox = text_of(arguments, "mailbox");
    if (what == "delta" && mailbox.empty()) {
        ++world.delta_epoch;
    } else if (what == "delta") {
        ++world.delta_epoch_of[world.place_of(mailbox).user->mailbox->id()];
    } else if (what == "tokens") {
        for (auto& [text, token] : world.tokens) token.expires = world.clock.now();
    } else if (what == "sessions") {
        for (auto& [text, session] : world.sessions) session.expires = world.clock.now();
    } else {
        throw std::invalid_argument("what: delta, tokens or sessions");
    }
    return json::object{};
}

json::value reset_counters(World& world, json::object const&) {
    world.audit.clear();
    world.throttle.forget();
    return json::object{};
}

json::value outgoing_mail(World& world, json::object const&) { return world.audit.outgoing_mail(); }

}  // namespace

std::string text_of(json::object const& arguments, std::string_view name,
                    std::string_view otherwise) {
    auto const* value = arguments.if_contains(name);
    if (value == nullptr || value->is_null()) return std::string(otherwise);
    if (!value->is_string()) throw std::invalid_argument(std::string(name) + ": no string");
    return std::string(value->as_string());
}

double number_of(json::object const& arguments, std::string_view name, double otherwise) {
    auto const* value = arguments.if_contains(name);
    return value == nullptr || value->is_null() ? otherwise : value->to_number<double>();
}

bool truth_of(json::object const& arguments, std::string_view name, bool otherwise) {
    auto const* value = arguments.if_contains(name);
    return value == nullptr || value->is_null() ? otherwise : value->as_bool();
}

std::vector<std::string> texts_of(json::object const& arguments, std::string_view name) {
    auto const* value = arguments.if_contains(name);
    if (value == nullptr || value->is_null()) return {};
    return json::value_to<std::vector<std::string>>(*value);
}

Control::Control(World& world) : world_(world), mutation_(world) {
    commands_ = {{"tenant", create_tenant},
                 {"set-tenant", set_tenant},
                 {"app", create_app},
                 {"user", create_user},
                 {"set-user", set_user},
                 {"folder", create_folder},
                 {"items", create_items},
                 {"change-item", change_item},
                 {"seed", seed_tenant},
                 {"dump", dump_mailbox},
                 {"remove-folder", remove_folder},
                 {"clock", set_clock},
                 {"options", set_options},
                 {"faults", arm_faults},
                 {"expire", expire},
                 {"counters", counters},
                 {"reset-counters", reset_counters},
                 {"log", request_log},
                 {"outgoing", outgoing_mail},
                 {"secrets", issued_secrets}};
    commands_["mutate"] = [this](World&, json::object const& arguments) -> json::value {
        if (arguments.contains("rate") || arguments.contains("mailboxes")) {
            mutation_.plan(arguments);
        }
        mutation_.change_now(static_cast<std::uint64_t>(number_of(arguments, "now", 0)));
        return mutation_.counts();
    };
}

json::value Control::handle(std::string const& command, json::object const& arguments) {
    auto const found = commands_.find(command);
    if (found == commands_.end()) throw std::invalid_argument("no such command: " + command);
    return found->second(world_, arguments);
}

Response Control::answer(std::string_view path, std::string_view body) {
    try {
        if (path.starts_with('/')) path.remove_prefix(1);
        auto const arguments = body.empty() ? json::value(json::object{}) : json::parse(body);
        return json_response(200, handle(std::string(path), arguments.as_object()));
    } catch (std::exception const& error) {
        return json_response(400, json::object{{"error", error.what()}});
    }
}

}  // namespace graphsim
