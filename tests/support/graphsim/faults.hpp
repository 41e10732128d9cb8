#pragma once

/// Misbehaviour on order: scripted for certain requests, or for a random share of all.

#include "tests/support/graphsim/random.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace graphsim {

struct Fault {
    enum class Kind {
        none,
        status,             ///< Answered so, nothing done.
        delay,              ///< Done after a while.
        drop_before,        ///< Connection reset, nothing done.
        drop_in_body,       ///< Connection reset while the request's body comes in, nothing done.
        drop_after_commit,  ///< Done, connection reset instead of a reply.
        truncate,           ///< Done, the reply breaks off in its body.
        corrupt_json,       ///< Done, the reply is complete and no JSON.
        throttle,           ///< 429, nothing done.
        trickle,            ///< Done, the reply comes in drops.
    };
    Kind kind = Kind::none;
    int status = 503;
    std::string code = "ServiceUnavailable";
    std::string body = "json";  ///< json, html or empty
    std::string retry_after;    ///< Seconds; "date": as a date; empty: none
    double seconds = 1;         ///< Of delay, and behind Retry-After "date".
    double after_seconds = 0;   ///< Before anything else happens; "afterSeconds" in a rule.
};

/// As rules name the action; empty for none.
std::string_view name_of(Fault::Kind kind);

struct FaultSubject {
    std::string_view listener;
    std::string_view method;
    std::string_view path;
    std::string_view mailbox;  ///< Its id; empty if none.
    std::string_view owner;    ///< Its userPrincipalName.
};

class Faults {
public:
    /// {"match": {"method", "pathPattern", "mailbox", "listener", "nth"}, "action": ..., "count":
    /// n} with the members of Fault beside "action". Throws std::invalid_argument.
    void arm(boost::json::object const& rule);
    /// {"rate": 0.02, "seed": 7, "kinds": [...], "listeners": [...], "exceptPattern": "..."}
    void arm_random(boost::json::object const& plan);
    void clear();

    Fault choose(FaultSubject const& subject);
    std::map<std::string, std::uint64_t> const& fired() const { return fired_; }

private:
    struct Rule {
        std::string method, listener, mailbox;
        std::optional<std::regex> path;
        std::uint64_t nth = 0;  ///< 0: every one.
        std::uint64_t seen = 0;
        std::uint64_t left = 1;
        Fault fault;
    };
    bool matches(Rule const& rule, FaultSubject const& subject) const;
    Fault random_fault();

    std::vector<Rule> rules_;
    double rate_ = 0;
    Random random_{1};
    std::vector<std::string> kinds_;
    std::vector<std::string> listeners_;
    std::optional<std::regex> except_;
    std::map<std::string, std::uint64_t> fired_;
};

}  // namespace graphsim
