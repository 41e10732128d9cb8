#include "daemon/cli/verb.hpp"

#include "daemon/report.hpp"
#include "daemon/text_layout.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace mailferry::daemon::cli {

namespace json = boost::json;

namespace {

json::value const* find(json::object const& object, std::string_view key) {
    return object.if_contains({key.data(), key.size()});
}

json::object parse_object(std::string_view body) {
    boost::system::error_code error;
    auto value = json::parse({body.data(), body.size()}, error);
    auto* const parsed = error ? nullptr : value.if_object();
    return parsed != nullptr ? std::move(*parsed) : json::object();
}

}  // namespace

int ask(Context const& context, std::string_view method, std::string_view target,
        AsText const& as_text) {
    auto const reply = context.client.request(method, target);
    if (!reply) return unreachable(context, reply.error());
    if (reply->status != 200) return refused(context, *reply);
    if (context.options.json) {
        context.out << reply->body;
    } else {
        context.out << as_text(parse_object(reply->body));
    }
    return exit_done;
}

int unreachable(Context const& context, Error const& error) {
    context.err << "mailferry: the daemon can't be reached: " << error.context << "\n";
    if (error.code == Errc::login_refused) {
        context.err << "Join the group mailferry-view to look, and mailferry-admin to act.\n";
    } else {
        context.err << "Start it (systemctl start mailferry), or name its socket with --socket or "
                       "its configuration with --config.\n";
    }
    return exit_unreachable;
}

int refused(Context const& context, Reply const& reply) {
    auto const body = parse_object(reply.body);
    auto const& error = object(body, "error");
    if (context.options.json && !error.empty()) context.out << reply.body;
    auto message = text(error, "message");
    if (message.empty())
        message = "the daemon answered with status " + std::to_string(reply.status);
    context.err << "mailferry: " << message << "\n";
    for_each_object(body, "problems", [&](json::object const& problem) {
        context.err << text(problem, "file") << ":" << number(problem, "line") << ": "
                    << (truth(problem, "warning") ? "warning: " : "") << text(problem, "message")
                    << "\n";
    });
    if (auto const cure = text(error, "cure"); !cure.empty()) context.err << cure << "\n";
    // Client errors but for missing rights: what was asked can't be meant.
    auto const status = reply.status;
    bool const usage = status >= 400 && status < 500 && status != 403;
    return usage ? exit_usage : exit_failed;
}

std::uint64_t number(json::object const& object, std::string_view key) {
    auto const* const value = find(object, key);
    if (value == nullptr) return 0;
    if (auto const* const small = value->if_int64())
        return *small < 0 ? 0 : static_cast<std::uint64_t>(*small);
    auto const* const large = value->if_uint64();
    return large != nullptr ? *large : 0;
}

std::int64_t signed_number(json::object const& object, std::string_view key) {
    auto const* const value = find(object, key);
    auto const* const found = value != nullptr ? value->if_int64() : nullptr;
    return found != nullptr ? *found : 0;
}

bool truth(json::object const& object, std::string_view key) {
    auto const* const value = find(object, key);
    auto const* const found = value != nullptr ? value->if_bool() : nullptr;
    return found != nullptr && *found;
}

std::string text(json::object const& object, std::string_view key) {
    auto const* const value = find(object, key);
    auto const* const found = value != nullptr ? value->if_string() : nullptr;
    return found != nullptr ? one_line({found->data(), found->size()}) : std::string();
}

json::object const& object(json::object const& object, std::string_view key) {
    static json::object const none;
    auto const* const value = find(object, key);
    auto const* const found = value != nullptr ? value->if_object() : nullptr;
    return found != nullptr ? *found : none;
}

json::array const& array(json::object const& object, std::string_view key) {
    static json::array const none;
    auto const* const value = find(object, key);
    auto const* const found = value != nullptr ? value->if_array() : nullptr;
    return found != nullptr ? *found : none;
}

void for_each_object(json::object const& object, std::string_view key,
                     std::function<void(json::object const&)> const& use) {
    for (auto const& value : array(object, key))
        if (auto const* const found = value.if_object()) use(*found);
}

std::string work_text(json::object const& row) {
    auto const& items = object(row, "items");
    store::PassCounters counters;
    counters.seen = number(items, "seen");
    counters.stored = number(items, "stored");
    counters.unchanged = number(items, "unchanged");
    counters.left_out = number(items, "left_out");
    counters.gone = number(items, "gone");
    counters.failed = number(items, "failed");
    counters.waiting = number(items, "waiting");
    counters.flags_changed = number(row, "flags_changed");
    counters.bytes_stored = number(row, "bytes_stored");
    return describe_work(counters);
}

}  // namespace mailferry::daemon::cli
