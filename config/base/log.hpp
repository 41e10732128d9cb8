#pragma once

/// Log lines for grep: `level=info msg="mailbox done" mailbox=a@example.org items=12`, one line per
/// outcome. Values are escaped (escape_untrusted) and quoted where they must be, so that nothing a
/// server or a file sends can forge a line or a field, or steer a terminal. A Secret doesn't
/// convert to a Value: logging one doesn't compile.
///
/// Logging is safe from every thread; init() is called once, before the other threads exist.

#include "config/base/error.hpp"
#include "config/base/units.hpp"

#include <chrono>
#include <concepts>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spdlog::sinks {
class sink;
}

namespace mailferry::log {

enum class Level { debug, info, warning, error };

/// "debug", "info", "warning", "error"; nothing for another name.
std::optional<Level> level_from(std::string_view name);

/// One field's value, already in its printed form.
class Value {
public:
    Value(std::string_view text);
    Value(char const* text) : Value(std::string_view(text)) {}
    Value(std::string const& text) : Value(std::string_view(text)) {}
    Value(bool value) : text_(value ? "true" : "false") {}
    Value(std::integral auto number) : text_(std::to_string(number)) {}
    Value(ByteCount bytes) : text_(std::to_string(bytes.value)) {}
    Value(std::chrono::milliseconds time) : text_(std::to_string(time.count()) + "ms") {}
    Value(Error const& error) : Value(std::string_view(error.describe())) {}

    std::string const& text() const { return text_; }

private:
    std::string text_;
};

/// `key` is ours, a literal: [a-z0-9_].
struct Field {
    std::string_view key;
    Value value;
};
using Fields = std::initializer_list<Field>;

using Sink = std::shared_ptr<spdlog::sinks::sink>;

/// Standard error. Under systemd (`JOURNAL_STREAM` names this very stream) lines begin with the
/// priority, `<6>`, and the journal adds the time; elsewhere they begin with `time=` in UTC.
Sink stderr_sink();

/// Appends to a file, which is made if need be; lines begin with `time=` in UTC. A file that can't
/// be opened falls back to standard error.
Sink file_sink(std::filesystem::path const& file);
/// True if `journal_stream` ("device:inode", may be null) names the file behind `descriptor`.
bool is_journal_stream(char const* journal_stream, int descriptor);

/// Where lines go and from which level on. Before it: standard error, info.
void init(Level level, Sink sink = stderr_sink());

void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

/// A place in the program that puts the same fields in front of all its lines.
class Logger {
public:
    explicit Logger(Fields leading);
    /// This logger's fields, then `more`.
    [[nodiscard]] Logger with(Fields more) const;

    void debug(std::string_view message, Fields fields = {}) const;
    void info(std::string_view message, Fields fields = {}) const;
    void warning(std::string_view message, Fields fields = {}) const;
    void error(std::string_view message, Fields fields = {}) const;

private:
    std::string leading_;  ///< Printed form, each field with a blank in front.
};

/// Keeps lines in memory, without time or priority. Tests hand its sink to init().
class Capture {
public:
    Capture();
    Sink sink() const;
    std::vector<std::string> lines() const;

private:
    class Memory;
    std::shared_ptr<Memory> memory_;
};

}  // namespace mailferry::log
