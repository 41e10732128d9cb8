#include "daemon/control_api.hpp"

#include "config/base/log.hpp"
#include "daemon/control_target.hpp"
#include "daemon/json_view.hpp"
#include "daemon/text_layout.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace mailferry::daemon {

namespace json = boost::json;

struct ControlApi::Call {
    std::vector<std::string> arguments;  ///< What stood for {x} in the route.
    std::map<std::string, std::string> query;
};

struct ControlApi::Entry {
    Route route;
    Access needs;
    Handler handler;
    std::vector<std::string_view> query;  ///< Names it knows.
};

namespace {

ControlResponse answer(json::object const& body) {
    ControlResponse response;
    response.body = json::serialize(body) + "\n";
    return response;
}

unsigned http_status(Errc code) {
    switch (code) {
    case Errc::invalid_config: return 409;
    case Errc::stopped:
    case Errc::unavailable: return 503;
    default: return 500;
    }
}

ControlResponse failure(Error const& error, std::string_view cure) {
    return control_error(http_status(error.code), to_string(error.code), error.describe(), cure);
}

ControlResponse bad_value(std::string_view name, std::string_view accepted) {
    auto const message = std::string("the value of ").append(name).append(" is wrong");
    return control_error(400, "bad_request", message, std::string("Use ").append(accepted));
}

/// Nothing if the query has another value than a number up to `number_max`.
std::optional<std::size_t> number_in(std::map<std::string, std::string> const& query,
                                     std::string const& name, std::size_t otherwise,
                                     std::size_t number_max) {
    auto const at = query.find(name);
    if (at == query.end()) return otherwise;
    auto const& text = at->second;
    std::size_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number > number_max)
        return std::nullopt;
    return number;
}

std::vector<std::string> split(std::string_view path) {
    auto parsed = parse_target(path);
    return parsed ? std::move(parsed->segments) : std::vector<std::string>{};
}

bool is_placeholder(std::string_view segment) { return segment.starts_with('{'); }

std::optional<std::vector<std::string>> match(std::string_view route,
                                              std::vector<std::string> const& segments) {
    auto const pattern = split(route);
    if (pattern.size() != segments.size()) return std::nullopt;
    std::vector<std::string> arguments;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (is_placeholder(pattern[i])) {
            arguments.push_back(segments[i]);
        } else if (pattern[i] != segments[i]) {
            return std::nullopt;
        }
    }
    return arguments;
}

std::optional<PassCommand> pass_command_from(std::string_view name) {
    if (name == "start") return PassCommand::start;
    if (name == "pause") return PassCommand::pause;
    if (name == "resume") return PassCommand::resume;
    if (name == "cancel") return PassCommand::cancel;
    return std::nullopt;
}

ControlResponse unknown_route() {
    return control_error(404, "not_found", "there is no such resource",
                         "docs/openapi.yaml lists them; /v1/status is a good start.");
}

}  // namespace

ControlResponse control_error(unsigned status, std::string_view code, std::string_view message,
                              std::string_view cure) {
    auto response = answer({{"error",
                             {{"code", code},
                              {"message", json::string(valid_utf8(message))},
                              {"cure", json::string(valid_utf8(cure))}}}});
    response.status = status;
    return response;
}

std::span<ControlApi::Entry const> ControlApi::entries() {
    static std::vector<Entry> const table{
        {{"GET", "/v1/status"}, Access::view, &ControlApi::get_status, {}},
        {{"GET", "/v1/passes"}, Access::view, &ControlApi::get_passes, {}},
        {{"GET", "/v1/mailboxes"},
         Access::view,
         &ControlApi::get_mailboxes,
         {"state", "offset", "limit"}},
        {{"GET", "/v1/mailbox/{address}"}, Access::view, &ControlApi::get_mailbox, {}},
        {{"GET", "/v1/items"}, Access::view, &ControlApi::get_items, {"failed", "limit"}},
        {{"GET", "/v1/report"}, Access::view, &ControlApi::get_report, {"format"}},
        {{"GET", "/v1/limits"}, Access::view, &ControlApi::get_limits, {}},
        {{"POST", "/v1/passes/{name}/{command}"}, Access::act, &ControlApi::post_pass, {}},
        {{"POST", "/v1/retry"}, Access::act, &ControlApi::post_retry, {}},
        {{"POST", "/v1/reload"}, Access::act, &ControlApi::post_reload, {}},
        {{"POST", "/v1/shutdown"}, Access::act, &ControlApi::post_shutdown, {}},
    };
    return table;
}

std::span<ControlApi::Route const> ControlApi::routes() {
    static std::vector<Route> const table = [] {
        std::vector<Route> routes;
        for (auto const& entry : entries()) routes.push_back(entry.route);
        return routes;
    }();
    return table;
}

awaitable<ControlResponse> ControlApi::handle(ControlRequest request) {
    auto response = co_await dispatch(request);
    if (request.method != "GET")
        log::info("control request", {{"caller", request.caller},
                                      {"method", request.method},
                                      {"target", request.target},
                                      {"status", response.status}});
    co_return response;
}

awaitable<ControlResponse> ControlApi::dispatch(ControlRequest const& request) {
    auto parsed = parse_target(request.target);
    if (!parsed)
        co_return control_error(400, "bad_request", "the request's target can't be read",
                                "Percent-encode addresses and names in it.");
    bool path_known = false;
    for (auto const& entry : entries()) {
        auto arguments = match(entry.route.path, parsed->segments);
        if (!arguments) continue;
        path_known = true;
        if (entry.route.method != request.method) continue;
        if (request.access < entry.needs)
            co_return control_error(403, "forbidden", "you may not do this",
                                    entry.needs == Access::view
                                        ? "Join the group mailferry-view or mailferry-admin."
                                        : "Join the group mailferry-admin, or be root.");
        for (auto const& [name, value] : parsed->query)
            if (std::find(entry.query.begin(), entry.query.end(), name) == entry.query.end())
                co_return control_error(400, "bad_request",
                                        "the query has an unknown name: " + name,
                                        "docs/openapi.yaml lists the names of each resource.");
        Call call{std::move(*arguments), std::move(parsed->query)};
        co_return co_await (this->*entry.handler)(std::move(call));
    }
    if (path_known)
        co_return control_error(405, "method_not_allowed",
                                "this resource doesn't take " + request.method,
                                "Use GET to look and POST to act.");
    co_return unknown_route();
}

awaitable<ControlResponse> ControlApi::get_status(Call) {
    co_return answer(to_json(engine_.status()));
}

awaitable<ControlResponse> ControlApi::get_passes(Call) {
    co_return answer({{"passes", to_json_array(engine_.status().passes)}});
}

awaitable<ControlResponse> ControlApi::get_mailboxes(Call call) {
    std::optional<store::PassState> state;
    if (auto const at = call.query.find("state"); at != call.query.end()) {
        state = pass_state_from(at->second);
        if (!state)
            co_return bad_value("state", "waiting, running, done, failed, paused or cancelled.");
    }
    auto const offset = number_in(call.query, "offset", 0, SIZE_MAX / 2);
    if (!offset) co_return bad_value("offset", "a whole number.");
    auto const limit = number_in(call.query, "limit", 100, mailboxes_page_max);
    if (!limit) co_return bad_value("limit", "a whole number up to 1000.");
    // One more than asked for tells whether there is a next page.
    auto page = engine_.mailboxes(state, *offset, *limit + 1);
    bool const more = page.size() > *limit;
    if (more) page.resize(*limit);
    co_return answer({{"mailboxes", to_json_array(page)}, {"offset", *offset}, {"more", more}});
}

awaitable<ControlResponse> ControlApi::get_mailbox(Call call) {
    auto const& address = call.arguments.at(0);
    auto const found = engine_.mailbox(address);
    if (found.empty())
        co_return control_error(404, "not_found", "no mapping names the mailbox " + address,
                                "mailferry mailboxes lists them.");
    co_return answer({{"mailboxes", to_json_array(found)}});
}

awaitable<ControlResponse> ControlApi::get_items(Call call) {
    auto const failed = number_in(call.query, "failed", 0, 1);
    if (failed != 1)
        co_return control_error(400, "bad_request", "only failed items have rows of their own",
                                "Use /v1/items?failed=1.");
    auto const limit = number_in(call.query, "limit", 1'000, items_page_max);
    if (!limit) co_return bad_value("limit", "a whole number up to 10000.");
    auto items = co_await engine_.failed_items(*limit + 1);
    if (!items) co_return failure(items.error(), "Look at the daemon's log.");
    bool const more = items->size() > *limit;
    if (more) items->resize(*limit);
    co_return answer({{"items", to_json_array(*items)}, {"more", more}});
}

awaitable<ControlResponse> ControlApi::get_report(Call call) {
    auto const at = call.query.find("format");
    auto const format = report_format_from(at == call.query.end() ? "json" : at->second);
    if (!format) co_return bad_value("format", "text, json, csv or html.");
    auto const report = co_await make_report_();
    if (!report) co_return failure(report.error(), "Look at the daemon's log.");
    ControlResponse response;
    response.content_type = content_type(*format);
    response.body = format_report(*report, *format);
    response.exit_status = report->exit_status;
    co_return response;
}

awaitable<ControlResponse> ControlApi::get_limits(Call) {
    auto const status = engine_.status();
    co_return answer({{"admins", to_json_array(status.admins)},
                      {"spool_max_bytes", status.spool.bytes_max},
                      {"spool_allocated_bytes", status.spool.bytes_allocated},
                      {"memory_max_bytes", status.totals.memory_max},
                      {"memory_used_bytes", status.totals.memory_used}});
}

awaitable<ControlResponse> ControlApi::post_pass(Call call) {
    auto const& name = call.arguments.at(0);
    auto const command = pass_command_from(call.arguments.at(1));
    if (!command) co_return unknown_route();
    auto const done = engine_.command(*command, name);
    if (!done)
        co_return failure(done.error(), "mailferry passes lists the passes and their states.");
    co_return answer({{"pass", json::string(valid_utf8(name))},
                      {"command", json::string(call.arguments.at(1))}});
}

awaitable<ControlResponse> ControlApi::post_retry(Call) {
    auto const count = co_await engine_.retry_failed();
    if (!count) co_return failure(count.error(), "Look at the daemon's log.");
    co_return answer({{"items_planned_again", *count}});
}

awaitable<ControlResponse> ControlApi::post_reload(Call) {
    auto const problems = engine_.reload();
    bool const refused =
        std::any_of(problems.begin(), problems.end(),
                    [](config::Problem const& problem) { return !problem.warning; });
    json::object body{{"reloaded", !refused}, {"problems", to_json_array(problems)}};
    if (refused)
        body.emplace(
            "error",
            json::object{{"code", to_string(Errc::invalid_config)},
                         {"message", "the new configuration is wrong; nothing was changed"},
                         {"cure", "Correct what `problems` lists and reload again."}});
    auto response = answer(body);
    if (refused) response.status = 422;
    co_return response;
}

awaitable<ControlResponse> ControlApi::post_shutdown(Call) {
    engine_.shutdown();
    co_return answer({{"stopping", true}});
}

}  // namespace mailferry::daemon
