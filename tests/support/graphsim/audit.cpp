#include "tests/support/graphsim/audit.hpp"

namespace graphsim {

namespace json = boost::json;

json::object to_json(AuditEntry const& entry) {
    json::object headers;
    for (auto const& [name, value] : entry.headers) headers[name] = value;
    return {{"number", entry.number},
            {"began", iso_time_7(entry.began)},
            {"ended", iso_time_7(entry.ended)},
            {"began_seconds", seconds_of(entry.began.time_since_epoch())},
            {"seconds", seconds_of(entry.ended - entry.began)},
            {"listener", entry.listener},
            {"method", entry.method},
            {"path", entry.path},
            {"query", entry.query},
            {"route", entry.route},
            {"tenant", entry.tenant},
            {"app", entry.app},
            {"mailbox", entry.mailbox},
            {"headers", std::move(headers)},
            {"body_sha256", entry.body_sha256},
            {"body_bytes", entry.body_bytes},
            {"reply_bytes", entry.reply_bytes},
            {"status", entry.status},
            {"error_code", entry.error_code},
            {"fault", entry.fault},
            {"inside_retry_after", entry.inside_retry_after},
            {"in_flight", entry.in_flight},
            {"committed", entry.committed},
            {"retry_after", entry.retry_after}};
}

void Audit::add(AuditEntry entry) {
    ++requests_;
    ++by_route_[entry.route];
    ++by_status_[std::to_string(entry.status)];
    if (!entry.error_code.empty()) ++by_error_[entry.error_code];
    body_bytes_ += entry.body_bytes;
    reply_bytes_ += entry.reply_bytes;
    entries_.push_back(std::move(entry));
    if (entries_.size() > entries_max) entries_.pop_front();
}

void Audit::violation(std::string const& name, AuditEntry const& entry) {
    ++violations_[name];
    if (first_violations_.size() < 50) {
        first_violations_.push_back(name + ": " + entry.method + " " + entry.path);
    }
}

void Audit::outgoing(std::string tenant, std::string app, std::string route, std::string reason) {
    outgoing_.push_back(
        {clock_.now(), std::move(tenant), std::move(app), std::move(route), std::move(reason)});
}

void Audit::clear() {
    entries_.clear();
    outgoing_.clear();
    violations_.clear();
    first_violations_.clear();
    by_route_.clear();
    by_status_.clear();
    by_error_.clear();
    requests_ = body_bytes_ = reply_bytes_ = 0;
}

json::array Audit::entries(std::uint64_t after, std::size_t limit) const {
    json::array list;
    for (auto const& entry : entries_) {
        if (entry.number <= after) continue;
        if (list.size() >= limit) break;
        list.push_back(to_json(entry));
    }
    return list;
}

json::object Audit::counters() const {
    json::object violations{{"authorization on importUrl", 0},
                            {"write to the source tenant", 0},
                            {"sent inside Retry-After", 0}};
    for (auto const& [name, count] : violations_) violations[name] = count;
    return {{"requests", requests_},
            {"body_bytes", body_bytes_},
            {"reply_bytes", reply_bytes_},
            {"violations", std::move(violations)},
            {"first_violations", json::value_from(first_violations_)},
            {"by_route", json::value_from(by_route_)},
            {"by_status", json::value_from(by_status_)},
            {"by_error", json::value_from(by_error_)},
            {"outgoing_mail", outgoing_.size()}};
}

json::array Audit::outgoing_mail() const {
    json::array list;
    for (auto const& mail : outgoing_) {
        list.push_back(json::object{{"time", iso_time(mail.time)},
                                    {"tenant", mail.tenant},
                                    {"app", mail.app},
                                    {"route", mail.route},
                                    {"reason", mail.reason}});
    }
    return list;
}

}  // namespace graphsim
