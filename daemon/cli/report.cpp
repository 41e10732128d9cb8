#include "daemon/cli/verb.hpp"

namespace mailferry::daemon::cli {

/// Answers the exit status that the report itself states, so that a script can tell what became of
/// the migration without reading it.
int run_report(Context const& context) {
    auto const& options = context.options;
    auto const format = options.json ? std::string("json") : options.format;
    auto const reply = context.client.request("GET", "/v1/report?format=" + format);
    if (!reply) return unreachable(context, reply.error());
    if (reply->status != 200) return refused(context, *reply);
    context.out << reply->body;
    return reply->exit_status.value_or(exit_done);
}

}  // namespace mailferry::daemon::cli
