#pragma once

/// What was asked of the simulator, for assertions: every request without its secrets, and counts
/// of what must never happen.

#include "tests/support/graphsim/clock.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace graphsim {

struct AuditEntry {
    std::uint64_t number = 0;
    Time began{};
    Time ended{};
    std::string listener, method, path, query;
    std::string route = "(none)";
    std::string tenant, app, mailbox;
    std::map<std::string, std::string> headers;
    std::string body_sha256;
    std::uint64_t body_bytes = 0;
    std::uint64_t reply_bytes = 0;
    std::uint64_t imported_bytes = 0;  ///< Of the item's stream.
    int status = 0;                    ///< 0: no reply was sent.
    std::string error_code;
    std::string fault;
    bool inside_retry_after = false;
    std::uint64_t in_flight = 0;
    bool committed = false;  ///< It changed something.
    std::string retry_after;
};

struct OutgoingMail {
    Time time{};
    std::string tenant, app, route, reason;
};

class Audit {
public:
    explicit Audit(Clock const& clock) : clock_(clock) {}

    std::uint64_t next_number() { return ++last_number_; }
    void add(AuditEntry entry);
    /// Something that must never happen: counted by name, and the first ones kept.
    void violation(std::string const& name, AuditEntry const& entry);
    void outgoing(std::string tenant, std::string app, std::string route, std::string reason);
    void clear();

    /// Entries with a number above `after`.
    boost::json::array entries(std::uint64_t after, std::size_t limit) const;
    boost::json::object counters() const;
    boost::json::array outgoing_mail() const;

private:
    static constexpr std::size_t entries_max = 100'000;

    Clock const& clock_;
    std::uint64_t last_number_ = 0;
    std::deque<AuditEntry> entries_;
    std::vector<OutgoingMail> outgoing_;
    std::map<std::string, std::uint64_t> violations_;
    std::vector<std::string> first_violations_;
    std::map<std::string, std::uint64_t> by_route_, by_status_, by_error_;
    std::uint64_t requests_ = 0, body_bytes_ = 0, reply_bytes_ = 0;
};

boost::json::object to_json(AuditEntry const& entry);

}  // namespace graphsim
