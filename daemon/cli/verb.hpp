#pragma once

/// What all verbs of `mailferry` share: ask, print as JSON or as text, answer the exit status.

#include "daemon/cli/client.hpp"
#include "daemon/cli/options.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace mailferry::daemon::cli {

/// Exit statuses of the contract.
enum Exit : int {
    exit_done = 0,
    exit_failed = 1,
    exit_usage = 2,
    exit_unreachable = 3,
    exit_stopped = 4
};

struct Context {
    Options const& options;
    Client& client;
    std::ostream& out;
    std::ostream& err;
};

using AsText = std::function<std::string(boost::json::object const& body)>;

/// Sends the request; prints the reply's body as it is with --json, else through `as_text`. What
/// went wrong is printed to `err` with its cure.
int ask(Context const& context, std::string_view method, std::string_view target,
        AsText const& as_text);

/// Prints why the daemon couldn't be asked; answers exit_unreachable.
int unreachable(Context const& context, Error const& error);
/// Prints the error of a refused request; answers exit_failed, or exit_usage for what the caller
/// got wrong.
int refused(Context const& context, Reply const& reply);

/// Fields of a reply, with an empty value for what isn't there (an older daemon).
std::uint64_t number(boost::json::object const& object, std::string_view key);
std::int64_t signed_number(boost::json::object const& object, std::string_view key);
bool truth(boost::json::object const& object, std::string_view key);
/// Foreign text, escaped for one line of a terminal.
std::string text(boost::json::object const& object, std::string_view key);
boost::json::object const& object(boost::json::object const& object, std::string_view key);
boost::json::array const& array(boost::json::object const& object, std::string_view key);
/// Calls `use` for each object in the array under `key`.
void for_each_object(boost::json::object const& object, std::string_view key,
                     std::function<void(boost::json::object const&)> const& use);

// One verb each; `context.options` has its arguments.
int run_status(Context const& context);
int run_passes(Context const& context);
int run_mailboxes(Context const& context);
int run_mailbox(Context const& context);
int run_pass_command(Context const& context);
int run_items(Context const& context);
int run_retry(Context const& context);
int run_report(Context const& context);
int run_limits(Context const& context);
int run_reload(Context const& context);
int run_shutdown(Context const& context);

/// The line of a pass's or mailbox's items in words, from its JSON.
std::string work_text(boost::json::object const& row);

}  // namespace mailferry::daemon::cli
