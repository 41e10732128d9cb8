#include "config/load.hpp"

#include "config/base/error.hpp"
#include "config/load_parts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace mailferry::config {
namespace {

constexpr std::size_t file_bytes_max = 1 << 20;

/// Nested keys and values are parsed and freed by recursion; a line of a million dots mustn't get
/// that far. Quoted dots are counted too: no honest key has so many.
constexpr std::size_t dots_per_line_max = 1000;

enum class LogLevel { debug, info, warning, error };
constexpr std::array<Named<LogLevel>, 4> log_level_names{{
    {"debug", LogLevel::debug},
    {"info", LogLevel::info},
    {"warning", LogLevel::warning},
    {"error", LogLevel::error},
}};

void load_daemon(TableReader reader, DaemonSettings& daemon) {
    reader.path("state_dir", daemon.state_dir);
    reader.path("control_socket", daemon.control_socket);
    reader.text("metrics_listen", daemon.metrics_listen);
    reader.bytes("memory_max", daemon.memory_max);
    reader.timeout("quota_interval", daemon.quota_interval);
    auto level = LogLevel::info;
    reader.choice("log_level", level, log_level_names);
    daemon.log_level = name_in(log_level_names, level);
    reader.finish();
}

void load_spool(TableReader reader, SpoolSettings& spool) {
    reader.bytes("max_bytes", spool.max_bytes);
    reader.bytes("low_water", spool.low_water);
    reader.bytes("segment_bytes", spool.segment_bytes);
    reader.choice("mode", spool.mode, spool_mode_names);
    reader.secret("key", spool.key);
    reader.refuse_literal("key", "key");
    reader.finish();
}

/// The first line with more dots than any key needs, or 0.
int overlong_key_line(std::string_view text) {
    int line = 1;
    std::size_t dots = 0;
    for (auto const c : text) {
        if (c == '\n') {
            ++line;
            dots = 0;
        }
        if (c == '.' && ++dots > dots_per_line_max) return line;
    }
    return 0;
}

LoadResult failure(std::filesystem::path const& file, int line, std::string message) {
    LoadResult result;
    result.config.file = file;
    result.problems.push_back({file.string(), line, std::move(message)});
    return result;
}

}  // namespace

LoadResult parse_config(std::string_view text, std::filesystem::path const& file) {
    if (auto const line = overlong_key_line(text); line > 0)
        return failure(file, line, "more than 1000 dots in one line");
    auto const parsed = toml::parse(text);
    if (parsed.failed()) {
        auto const& error = parsed.error();
        return failure(file, static_cast<int>(error.source().begin.line),
                       escape_untrusted(error.description()));
    }
    auto const folder = file.parent_path();
    ProblemList problems(file.string());
    LoadResult result;
    result.parsed = true;
    auto& config = result.config;
    config.file = file;
    TableReader top(parsed.table(), "", folder, problems);
    if (auto const* const table = top.table("daemon"))
        load_daemon({*table, "daemon", folder, problems}, config.daemon);
    if (auto const* const table = top.table("spool"))
        load_spool({*table, "spool", folder, problems}, config.spool);
    for (auto const& table : top.named_tables("tenant"))
        config.tenants.push_back(load_tenant(table, folder, problems));
    for (auto const& table : top.named_tables("migration"))
        config.migrations.push_back(load_migration(table, folder, problems));
    top.finish();
    result.problems = problems.take();
    return result;
}

LoadResult load_config(std::filesystem::path const& file) {
    auto const unreadable = [&](int error_number) {
        return failure(file, 0,
                       "can't be read: " + std::generic_category().message(error_number));
    };
    auto const descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return unreadable(errno);
    std::string text(file_bytes_max + 1, '\0');
    std::size_t filled = 0;
    int error_number = 0;
    while (filled < text.size()) {
        auto const count = ::read(descriptor, text.data() + filled, text.size() - filled);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) error_number = errno;
        if (count <= 0) break;
        filled += static_cast<std::size_t>(count);
    }
    ::close(descriptor);
    if (error_number != 0) return unreadable(error_number);
    if (filled > file_bytes_max) return failure(file, 0, "is larger than 1 MiB");
    text.resize(filled);
    return parse_config(text, file);
}

}  // namespace mailferry::config
