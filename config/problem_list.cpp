#include "config/problem_list.hpp"

#include <algorithm>

namespace mailferry::config {

void ProblemList::add(int line, std::string message, bool warning) {
    auto& count = warning ? warnings_ : errors_;
    if (++count > (warning ? warnings_max : errors_max)) return;
    problems_.push_back({file_, line, std::move(message), warning});
}

std::vector<Problem> ProblemList::take() {
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](auto const& a, auto const& b) { return a.line < b.line; });
    auto const last_line = problems_.empty() ? 0 : problems_.back().line;
    auto const summarise = [&](std::size_t count, std::size_t limit, char const* what,
                               bool warning) {
        if (count <= limit) return;
        auto message = "and " + std::to_string(count - limit) + " more " + what;
        problems_.push_back({file_, last_line, std::move(message), warning});
    };
    summarise(errors_, errors_max, "errors in this file", false);
    summarise(warnings_, warnings_max, "warnings in this file", true);
    errors_ = warnings_ = 0;
    return std::exchange(problems_, {});
}

}  // namespace mailferry::config
