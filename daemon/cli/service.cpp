#include "daemon/cli/verb.hpp"

namespace mailferry::daemon::cli {

namespace json = boost::json;

int run_reload(Context const& context) {
    return ask(context, "POST", "/v1/reload", [](json::object const& body) {
        std::string out = "The configuration was read again.\n";
        for_each_object(body, "problems", [&](json::object const& problem) {
            out.append(text(problem, "file")).append(":");
            out.append(std::to_string(number(problem, "line"))).append(": warning: ");
            out.append(text(problem, "message")).append("\n");
        });
        return out;
    });
}

int run_shutdown(Context const& context) {
    return ask(context, "POST", "/v1/shutdown", [](json::object const&) {
        return std::string("mailferryd is stopping; the work goes on at its next start.\n");
    });
}

}  // namespace mailferry::daemon::cli
