#include "config/base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace mailferry::log {
namespace {

struct LevelRow {
    Level level;
    std::string_view name;
    spdlog::level::level_enum backend;
    std::string_view journal_priority;  ///< sd-daemon(3)
};

constexpr std::array<LevelRow, 4> levels{{
    {Level::debug, "debug", spdlog::level::debug, "<7>"},
    {Level::info, "info", spdlog::level::info, "<6>"},
    {Level::warning, "warning", spdlog::level::warn, "<4>"},
    {Level::error, "error", spdlog::level::err, "<3>"},
}};

LevelRow const& row_of(Level level) { return levels[static_cast<std::size_t>(level)]; }

bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-@/:+,*%#").find(c) != std::string_view::npos;
}

/// Quotes what isn't plainly one word. Backslashes are doubled before the invisible is written as
/// \xNN, so that text which merely looks like an escape stays distinct from one.
std::string printed(std::string_view text) {
    bool bare = !text.empty() && text.size() <= 512;
    for (auto const c : text) bare = bare && is_bare(c);
    if (bare) return std::string(text);
    std::string doubled;
    for (auto const c : text.substr(0, 1024)) {
        if (c == '"' || c == '\\') doubled.push_back('\\');
        doubled.push_back(c);
    }
    return '"' + escape_untrusted(doubled) + '"';
}

void append_fields(std::string& line, Fields fields) {
    for (auto const& field : fields)
        line.append(" ").append(field.key).append("=").append(field.value.text());
}

/// Puts the journal's priority in front of a line and nothing else: the journal knows the time.
class JournalFormatter final : public spdlog::formatter {
public:
    void format(spdlog::details::log_msg const& message, spdlog::memory_buf_t& out) override {
        for (auto const& row : levels)
            if (row.backend == message.level) append(out, row.journal_priority);
        append(out, {message.payload.data(), message.payload.size()});
        out.push_back('\n');
    }
    std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JournalFormatter>();
    }

private:
    static void append(spdlog::memory_buf_t& out, std::string_view text) {
        out.append(text.data(), text.data() + text.size());
    }
};

std::shared_ptr<spdlog::logger>& root() {
    static auto logger = std::make_shared<spdlog::logger>("mailferry", stderr_sink());
    return logger;
}

void write(Level level, std::string_view leading, std::string_view message, Fields fields) {
    auto const& row = row_of(level);
    if (!root()->should_log(row.backend)) return;
    std::string line;
    line.append("level=").append(row.name).append(" msg=").append(printed(message));
    line.append(leading);
    append_fields(line, fields);
    root()->log(row.backend, spdlog::string_view_t(line.data(), line.size()));
}

std::unique_ptr<spdlog::formatter> timed_lines() {
    return std::make_unique<spdlog::pattern_formatter>("time=%Y-%m-%dT%H:%M:%S.%eZ %v",
                                                       spdlog::pattern_time_type::utc);
}

}  // namespace

std::optional<Level> level_from(std::string_view name) {
    for (auto const& row : levels)
        if (row.name == name) return row.level;
    return std::nullopt;
}

Value::Value(std::string_view text) : text_(printed(text)) {}

bool is_journal_stream(char const* journal_stream, int descriptor) {
    if (journal_stream == nullptr) return false;
    auto const text = std::string_view(journal_stream);
    auto const colon = text.find(':');
    struct stat status {};
    if (colon == text.npos || ::fstat(descriptor, &status) != 0) return false;
    auto const equals = [](std::string_view digits, std::uint64_t expected) {
        std::uint64_t number = 0;
        auto const* const end = digits.data() + digits.size();
        auto const [rest, failure] = std::from_chars(digits.data(), end, number);
        return failure == std::errc{} && rest == end && number == expected;
    };
    return equals(text.substr(0, colon), status.st_dev) &&
           equals(text.substr(colon + 1), status.st_ino);
}

Sink stderr_sink() {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    if (is_journal_stream(std::getenv("JOURNAL_STREAM"), STDERR_FILENO)) {
        sink->set_formatter(std::make_unique<JournalFormatter>());
    } else {
        sink->set_formatter(timed_lines());
    }
    return sink;
}

Sink file_sink(std::filesystem::path const& file) {
    try {
        auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
        sink->set_formatter(timed_lines());
        return sink;
    } catch (spdlog::spdlog_ex const&) {
        return stderr_sink();
    }
}

void init(Level level, Sink sink) {
    root() = std::make_shared<spdlog::logger>("mailferry", std::move(sink));
    root()->set_level(row_of(level).backend);
    root()->flush_on(spdlog::level::debug);
}

void debug(std::string_view message, Fields fields) { write(Level::debug, {}, message, fields); }
void info(std::string_view message, Fields fields) { write(Level::info, {}, message, fields); }
void warning(std::string_view message, Fields fields) {
    write(Level::warning, {}, message, fields);
}
void error(std::string_view message, Fields fields) { write(Level::error, {}, message, fields); }

Logger::Logger(Fields leading) { append_fields(leading_, leading); }

Logger Logger::with(Fields more) const {
    auto copy = *this;
    append_fields(copy.leading_, more);
    return copy;
}

void Logger::debug(std::string_view message, Fields fields) const {
    write(Level::debug, leading_, message, fields);
}
void Logger::info(std::string_view message, Fields fields) const {
    write(Level::info, leading_, message, fields);
}
void Logger::warning(std::string_view message, Fields fields) const {
    write(Level::warning, leading_, message, fields);
}
void Logger::error(std::string_view message, Fields fields) const {
    write(Level::error, leading_, message, fields);
}

class Capture::Memory final : public spdlog::sinks::base_sink<std::mutex> {
public:
    std::vector<std::string> lines() {
        std::lock_guard const lock(mutex_);
        return lines_;
    }

protected:
    void sink_it_(spdlog::details::log_msg const& message) override {
        lines_.emplace_back(message.payload.data(), message.payload.size());
    }
    void flush_() override {}

private:
    std::vector<std::string> lines_;
};

Capture::Capture() : memory_(std::make_shared<Memory>()) {}
Sink Capture::sink() const { return memory_; }
std::vector<std::string> Capture::lines() const { return memory_->lines(); }

}  // namespace mailferry::log
