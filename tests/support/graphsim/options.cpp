#include "tests/support/graphsim/options.hpp"

#include <stdexcept>
#include <string>

namespace graphsim {

namespace {

/// Calls visit(name, member) for every option.
template <typename Self, typename Visit>
void for_each_option(Self& self, Visit visit) {
    visit("seed", self.seed);
    visit("token_seconds", self.token_seconds);
    visit("session_seconds", self.session_seconds);
    visit("session_status", self.session_status);
    visit("delta_seconds", self.delta_seconds);
    visit("assertion_by_virtual_clock", self.assertion_by_virtual_clock);
    visit("throttle", self.throttle);
    visit("throttle_scale", self.throttle_scale);
    visit("concurrency_max", self.concurrency_max);
    visit("requests_max", self.requests_max);
    visit("requests_window_seconds", self.requests_window_seconds);
    visit("upload_bytes_max", self.upload_bytes_max);
    visit("upload_window_seconds", self.upload_window_seconds);
    visit("retry_after_missing", self.retry_after_missing);
    visit("retry_after_grace_seconds", self.retry_after_grace_seconds);
    visit("identity_limits", self.identity_limits);
    visit("identity_units", self.identity_units);
    visit("latency_ms", self.latency_ms);
    visit("latency_ms_per_mb", self.latency_ms_per_mb);
    visit("well_known_names", self.well_known_names);
    visit("page_short", self.page_short);
    visit("page_empty_last", self.page_empty_last);
    visit("delta_duplicate", self.delta_duplicate);
    visit("delta_empty_page", self.delta_empty_page);
    visit("delta_shuffle", self.delta_shuffle);
    visit("delta_expand", self.delta_expand);
    visit("filter_extended", self.filter_extended);
    visit("items_by_import_export_role", self.items_by_import_export_role);
    visit("export_shuffle", self.export_shuffle);
    visit("export_bytes_differ", self.export_bytes_differ);
    visit("item_bytes_max", self.item_bytes_max);
    visit("too_large_status", self.too_large_status);
    visit("quota_status", self.quota_status);
    visit("conflict_status", self.conflict_status);
    visit("move_status", self.move_status);
    visit("gzip_bytes_max", self.gzip_bytes_max);
    visit("gzip_streams", self.gzip_streams);
}

void assign(bool& member, boost::json::value const& value) { member = value.as_bool(); }
void assign(double& member, boost::json::value const& value) { member = value.to_number<double>(); }
void assign(std::uint64_t& member, boost::json::value const& value) {
    member = value.to_number<std::uint64_t>();
}

}  // namespace

void Options::set(boost::json::object const& values) {
    auto changed = *this;
    for (auto const& [name, value] : values) {
        bool known = false;
        for_each_option(changed, [&, &wanted = name, &given = value](auto option, auto& member) {
            if (wanted != option) return;
            known = true;
            try {
                assign(member, given);
            } catch (std::exception const&) {
                throw std::invalid_argument("option " + std::string(wanted) + ": wrong type");
            }
        });
        if (!known) throw std::invalid_argument("no such option: " + std::string(name));
    }
    *this = changed;
}

boost::json::object Options::to_json() const {
    boost::json::object values;
    for_each_option(*this, [&](auto name, auto const& member) { values[name] = member; });
    return values;
}

}  // namespace graphsim
