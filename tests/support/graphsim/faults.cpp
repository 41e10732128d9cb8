#include "tests/support/graphsim/faults.hpp"

#include "tests/support/graphsim/encoding.hpp"

#include <algorithm>
#include <stdexcept>

namespace graphsim {

namespace json = boost::json;

namespace {

constexpr std::pair<std::string_view, Fault::Kind> kind_names[] = {
    {"status", Fault::Kind::status},
    {"delay", Fault::Kind::delay},
    {"drop-before", Fault::Kind::drop_before},
    {"drop-in-body", Fault::Kind::drop_in_body},
    {"drop-after-commit", Fault::Kind::drop_after_commit},
    {"truncate", Fault::Kind::truncate},
    {"corrupt-json", Fault::Kind::corrupt_json},
    {"throttle", Fault::Kind::throttle},
    {"trickle", Fault::Kind::trickle},
};

Fault::Kind kind_named(std::string_view name) {
    for (auto const& [each, kind] : kind_names) {
        if (each == name) return kind;
    }
    throw std::invalid_argument("no such action: " + std::string(name));
}

std::string text_of(json::object const& object, std::string_view name,
                    std::string_view otherwise = "") {
    auto const* value = object.if_contains(name);
    if (value == nullptr) return std::string(otherwise);
    if (value->is_string()) return std::string(value->as_string());
    return json::serialize(*value);
}

std::uint64_t count_of(json::object const& object, std::string_view name, std::uint64_t otherwise) {
    auto const* value = object.if_contains(name);
    return value == nullptr ? otherwise : value->to_number<std::uint64_t>();
}

double number_of(json::object const& object, std::string_view name, double otherwise) {
    auto const* value = object.if_contains(name);
    return value == nullptr ? otherwise : value->to_number<double>();
}

std::vector<std::string> texts_of(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value == nullptr ? std::vector<std::string>{}
                            : json::value_to<std::vector<std::string>>(*value);
}

std::string code_of_status(int status) {
    switch (status) {
    case 429: return "TooManyRequests";
    case 500: return "ErrorInternalServerError";
    case 502: return "BadGateway";
    case 503: return "ServiceUnavailable";
    case 504: return "UnknownError";
    default: return "ErrorInvalidRequest";
    }
}

}  // namespace

std::string_view name_of(Fault::Kind kind) {
    for (auto const& [name, each] : kind_names) {
        if (each == kind) return name;
    }
    return "";
}

void Faults::arm(json::object const& object) {
    Rule rule;
    if (auto const* match = object.if_contains("match")) {
        auto const& wanted = match->as_object();
        rule.method = text_of(wanted, "method");
        rule.mailbox = text_of(wanted, "mailbox");
        rule.listener = text_of(wanted, "listener");
        rule.nth = count_of(wanted, "nth", 0);
        auto const pattern = text_of(wanted, "pathPattern");
        if (!pattern.empty()) rule.path.emplace(pattern);
    }
    auto& fault = rule.fault;
    fault.kind = kind_named(text_of(object, "action"));
    fault.status = static_cast<int>(count_of(object, "status", 503));
    fault.code = text_of(object, "code", code_of_status(fault.status));
    fault.body = text_of(object, "body", "json");
    fault.retry_after = text_of(object, "retryAfter");
    fault.seconds = number_of(object, "seconds", 1);
    fault.after_seconds = number_of(object, "afterSeconds", 0);
    rule.left = count_of(object, "count", 1);
    rules_.push_back(std::move(rule));
}

void Faults::arm_random(json::object const& plan) {
    auto kinds = texts_of(plan, "kinds");
    if (kinds.empty()) {
        for (auto const& [name, kind] : kind_names) kinds.emplace_back(name);
    }
    for (auto const& kind : kinds) kind_named(kind);
    rate_ = number_of(plan, "rate", 0);
    random_ = Random(count_of(plan, "seed", 1));
    kinds_ = std::move(kinds);
    listeners_ = texts_of(plan, "listeners");
    auto const except = text_of(plan, "exceptPattern");
    except_.reset();
    if (!except.empty()) except_.emplace(except);
}

void Faults::clear() {
    rules_.clear();
    rate_ = 0;
}

bool Faults::matches(Rule const& rule, FaultSubject const& subject) const {
    if (!rule.method.empty() && rule.method != subject.method) return false;
    if (!rule.listener.empty() && rule.listener != subject.listener) return false;
    if (!rule.mailbox.empty() && rule.mailbox != subject.mailbox &&
        !equal_folded(rule.mailbox, subject.owner)) {
        return false;
    }
    return !rule.path || std::regex_search(subject.path.begin(), subject.path.end(), *rule.path);
}

Fault Faults::random_fault() {
    Fault fault;
    auto const& name = kinds_[random_.below(kinds_.size())];
    fault.kind = kind_named(name);
    if (fault.kind == Fault::Kind::status) {
        constexpr int statuses[] = {500, 502, 503, 504};
        fault.status = statuses[random_.below(std::size(statuses))];
        fault.code = code_of_status(fault.status);
        if (fault.status == 504) fault.after_seconds = 0.5;
        constexpr char const* bodies[] = {"json", "json", "html", "empty"};
        fault.body = bodies[random_.below(std::size(bodies))];
    }
    if (fault.kind == Fault::Kind::throttle || (fault.status == 503 && random_.chance(0.5))) {
        constexpr char const* waits[] = {"1", "1", "date", "0.5"};
        fault.retry_after = waits[random_.below(std::size(waits))];
    }
    fault.seconds = fault.kind == Fault::Kind::delay ? 0.2 + random_.unit() : 1;
    ++fired_[name];
    return fault;
}

Fault Faults::choose(FaultSubject const& subject) {
    for (auto& rule : rules_) {
        if (rule.left == 0 || !matches(rule, subject)) continue;
        ++rule.seen;
        if (rule.nth != 0 && rule.seen != rule.nth) continue;
        --rule.left;
        ++fired_[std::string(name_of(rule.fault.kind))];
        return rule.fault;
    }
    if (rate_ <= 0) return {};
    bool const listed = listeners_.empty() || std::find(listeners_.begin(), listeners_.end(),
                                                        subject.listener) != listeners_.end();
    if (!listed) return {};
    if (except_ && std::regex_search(subject.path.begin(), subject.path.end(), *except_)) return {};
    return random_.chance(rate_) ? random_fault() : Fault{};
}

}  // namespace graphsim
