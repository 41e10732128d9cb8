#pragma once

/// Gathers problems of one file, and keeps a hopeless file from printing a hundred thousand lines.

#include "config/types.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace mailferry::config {

class ProblemList {
public:
    static constexpr std::size_t errors_max = 1000;
    static constexpr std::size_t warnings_max = 100;

    explicit ProblemList(std::string file) : file_(std::move(file)) {}

    void error(int line, std::string message) { add(line, std::move(message), false); }
    void warn(int line, std::string message) { add(line, std::move(message), true); }
    std::string const& file() const { return file_; }
    /// How many errors were added so far.
    std::size_t errors() const { return errors_; }

    /// What was gathered, in the order of lines; then how much was left out.
    std::vector<Problem> take();

private:
    void add(int line, std::string message, bool warning);

    std::string file_;
    std::vector<Problem> problems_;
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
};

}  // namespace mailferry::config
