#include "tests/support/graphsim/odata_filter.hpp"

#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/http_message.hpp"

#include <cctype>

namespace graphsim {

namespace {

[[noreturn]] void refuse(std::string text) {
    throw GraphError(400, "RequestBroker--ParseUri", "Invalid filter clause: " + std::move(text));
}

/// The row, and what the variable of a lambda stands for.
struct Scope {
    FilterRow const& row;
    std::string variable;
    json::value element;
};

using Operand = std::function<json::value(Scope const&)>;
using Predicate = std::function<bool(Scope const&)>;

class Parser {
public:
    Parser(std::string_view text, std::vector<std::string_view> const& properties, bool extended)
        : rest_(text), properties_(properties), extended_(extended) {}

    Predicate whole() {
        auto result = disjunction();
        skip_blanks();
        if (!rest_.empty()) refuse("unexpected '" + std::string(rest_) + "'");
        return result;
    }

private:
    void skip_blanks() {
        while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    }
    bool take(std::string_view symbol) {
        skip_blanks();
        if (!rest_.starts_with(symbol)) return false;
        rest_.remove_prefix(symbol.size());
        return true;
    }
    void expect(std::string_view symbol) {
        if (!take(symbol)) refuse("'" + std::string(symbol) + "' expected");
    }
    bool take_word(std::string_view word) {
        skip_blanks();
        bool const whole = rest_.size() <= word.size() || !is_word(rest_[word.size()]);
        return rest_.starts_with(word) && whole && take(word);
    }
    static bool is_word(char letter) {
        return std::isalnum(static_cast<unsigned char>(letter)) || letter == '_' || letter == '/' ||
               letter == '.';
    }
    std::string path() {
        skip_blanks();
        std::size_t size = 0;
        while (size < rest_.size() && is_word(rest_[size])) ++size;
        std::string const result(rest_.substr(0, size));
        rest_.remove_prefix(size);
        return result;
    }

    Predicate disjunction() {
        auto left = conjunction();
        while (take_word("or")) {
            left = [left, right = conjunction()](Scope const& s) { return left(s) || right(s); };
        }
        return left;
    }
    Predicate conjunction() {
        auto left = unary();
        while (take_word("and")) {
            left = [left, right = unary()](Scope const& s) { return left(s) && right(s); };
        }
        return left;
    }
    Predicate unary() {
        if (take_word("not")) {
            return [inner = unary()](Scope const& s) { return !inner(s); };
        }
        if (take("(")) {
            auto inner = disjunction();
            expect(")");
            return inner;
        }
        return predicate();
    }
    Predicate predicate() {
        for (std::string_view const name : {"startswith", "endswith", "contains"}) {
            if (take(std::string(name) + "(")) return text_function(name);
        }
        auto const before = rest_;
        auto const name = path();
        auto const lambda = lower(name);
        if (lambda.ends_with("/any") && take("(")) return any(name.substr(0, name.size() - 4));
        rest_ = before;
        return comparison();
    }
    Predicate text_function(std::string_view name) {
        auto left = operand();
        expect(",");
        auto right = operand();
        expect(")");
        return [name, left, right](Scope const& s) {
            auto const one = left(s);
            auto const other = right(s);
            if (!one.is_string() || !other.is_string()) return false;
            auto const text = lower(std::string(one.as_string()));
            auto const part = lower(std::string(other.as_string()));
            if (name == "startswith") return text.starts_with(part);
            if (name == "endswith") return text.ends_with(part);
            return text.find(part) != text.npos;
        };
    }
    Predicate any(std::string const& collection) {
        auto const variable = path();
        expect(":");
        auto const outer = std::exchange(variable_, variable);
        auto inner = disjunction();
        variable_ = outer;
        expect(")");
        if (collection == "singleValueExtendedProperties") {
            if (!extended_) refuse("extended properties can't be filtered here");
            return [inner, variable](Scope const& s) {
                for (auto const& [id, value] : s.row.extended()) {
                    json::value element = json::object{{"id", id}, {"value", value}};
                    if (inner(Scope{s.row, variable, std::move(element)})) return true;
                }
                return false;
            };
        }
        check_property(collection);
        return [inner, variable, collection](Scope const& s) {
            auto const list = s.row.property(collection);
            if (!list.is_array()) return false;
            for (auto const& each : list.as_array()) {
                if (inner(Scope{s.row, variable, each})) return true;
            }
            return false;
        };
    }
    Predicate comparison() {
        auto left = operand();
        auto const symbol = path();
        auto right = operand();
        if (symbol != "eq" && symbol != "ne" && symbol != "gt" && symbol != "ge" &&
            symbol != "lt" && symbol != "le") {
            refuse("unknown operator '" + symbol + "'");
        }
        return [left, right, symbol](Scope const& s) {
            auto const order = compared(left(s), right(s));
            if (!order) return symbol == "ne";
            if (symbol == "eq") return *order == 0;
            if (symbol == "ne") return *order != 0;
            if (symbol == "gt") return *order > 0;
            if (symbol == "ge") return *order >= 0;
            return symbol == "lt" ? *order < 0 : *order <= 0;
        };
    }
    /// nullopt: the two can't be compared.
    static std::optional<int> compared(json::value const& one, json::value const& other) {
        if (one.is_null() || other.is_null()) {
            return one.is_null() == other.is_null() ? std::optional<int>(0) : std::nullopt;
        }
        if (one.is_number() && other.is_number()) {
            auto const difference = one.to_number<double>() - other.to_number<double>();
            return difference < 0 ? -1 : difference > 0;
        }
        if (one.is_bool() && other.is_bool()) return one.as_bool() - other.as_bool();
        if (!one.is_string() || !other.is_string()) return std::nullopt;
        std::string const left(one.as_string());
        std::string const right(other.as_string());
        auto const left_time = parse_time(left);
        auto const right_time = parse_time(right);
        if (left_time && right_time) {
            return *left_time < *right_time ? -1 : *left_time > *right_time;
        }
        auto const left_id = normalised_property_id(left);
        auto const right_id = normalised_property_id(right);
        if (left_id && right_id) return left_id->compare(*right_id);
        return lower(left).compare(lower(right));
    }
    Operand operand() {
        skip_blanks();
        if (rest_.starts_with('\'')) {
            return [value = json::value(quoted())](Scope const&) { return value; };
        }
        if (take("cast(")) {
            auto inner = operand();
            expect(",");
            auto const type = path();
            expect(")");
            bool const number = type == "Edm.Int32" || type == "Edm.Int64" || type == "Edm.Double";
            return [inner, number](Scope const& s) {
                auto value = inner(s);
                if (!number || !value.is_string()) return value;
                return json::value(std::strtod(std::string(value.as_string()).c_str(), nullptr));
            };
        }
        bool const literal =
            !rest_.empty() &&
            (std::isdigit(static_cast<unsigned char>(rest_[0])) || rest_[0] == '-');
        if (literal) return number_or_date();
        auto const name = path();
        if (name == "true" || name == "false") {
            return [value = name == "true"](Scope const&) { return json::value(value); };
        }
        if (name == "null") return [](Scope const&) { return json::value(); };
        return property(name);
    }
    Operand property(std::string const& name) {
        if (!variable_.empty() && name == variable_) {
            return [](Scope const& s) { return s.element; };
        }
        if (!variable_.empty() && name.starts_with(variable_ + "/")) {
            return [member = name.substr(variable_.size() + 1)](Scope const& s) {
                auto const* object = s.element.if_object();
                auto const* value = object != nullptr ? object->if_contains(member) : nullptr;
                return value != nullptr ? *value : json::value();
            };
        }
        check_property(name);
        return [name](Scope const& s) { return s.row.property(name); };
    }
    void check_property(std::string const& name) const {
        if (std::find(properties_.begin(), properties_.end(), name) == properties_.end()) {
            refuse("no property '" + name + "'");
        }
    }
    std::string quoted() {
        std::string text;
        rest_.remove_prefix(1);
        for (;;) {
            if (rest_.empty()) refuse("unterminated string");
            char const letter = rest_.front();
            rest_.remove_prefix(1);
            if (letter != '\'') {
                text += letter;
            } else if (rest_.starts_with('\'')) {
                text += '\'';
                rest_.remove_prefix(1);
            } else {
                return text;
            }
        }
    }
    Operand number_or_date() {
        std::size_t size = 0;
        while (size < rest_.size() && rest_[size] != ' ' && rest_[size] != ')' &&
               rest_[size] != ',') {
            ++size;
        }
        std::string const text(rest_.substr(0, size));
        rest_.remove_prefix(size);
        if (parse_time(text)) return [text](Scope const&) { return json::value(text); };
        char* end = nullptr;
        auto const number = std::strtod(text.c_str(), &end);
        if (*end != '\0') refuse("'" + text + "' is neither a number nor a date");
        return [number](Scope const&) { return json::value(number); };
    }

    std::string_view rest_;
    std::vector<std::string_view> const& properties_;
    bool extended_;
    std::string variable_;
};

}  // namespace

Filter parse_filter(std::string_view text, std::vector<std::string_view> const& properties,
                    bool extended) {
    auto const predicate = Parser(text, properties, extended).whole();
    return [predicate](FilterRow const& row) { return predicate(Scope{row, "", {}}); };
}

}  // namespace graphsim
