#pragma once

/// The engine's values as JSON, with the unit in each key's name. The control API, `--json` and the
/// JSON report speak these; docs/openapi.yaml describes them. Foreign text (addresses, folders,
/// errors) is made valid UTF-8 and otherwise left as it is: who prints it escapes it.

#include "daemon/engine_view.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace mailferry::daemon {

boost::json::object to_json(EngineStatus const& status);
boost::json::object to_json(Totals const& totals);
boost::json::object to_json(store::SpoolUsage const& spool);
boost::json::object to_json(AdminView const& admin);
boost::json::object to_json(PassView const& pass);
boost::json::object to_json(MailboxView const& mailbox);
boost::json::object to_json(store::FailedItem const& failed);
boost::json::object to_json(config::Problem const& problem);

/// {"seen","stored","unchanged","left_out","gone","failed","waiting"}: the first is the sum of the
/// others.
boost::json::object items_json(store::PassCounters const& counters);

template <class Values>
boost::json::array to_json_array(Values const& values) {
    boost::json::array array;
    array.reserve(values.size());
    for (auto const& value : values) array.push_back(to_json(value));
    return array;
}

/// The reverse of store::to_string(PassState); nothing for another name.
std::optional<store::PassState> pass_state_from(std::string_view name);

}  // namespace mailferry::daemon
