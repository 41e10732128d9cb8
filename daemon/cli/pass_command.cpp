#include "daemon/cli/verb.hpp"

#include "daemon/control_target.hpp"

namespace mailferry::daemon::cli {

int run_pass_command(Context const& context) {
    auto const& options = context.options;
    auto const target = "/v1/passes/" + encode_segment(options.pass) + "/" + options.verb;
    return ask(context, "POST", target, [](boost::json::object const& body) {
        return text(body, "command") + " " + text(body, "pass") + ": done.\n";
    });
}

}  // namespace mailferry::daemon::cli
