#pragma once

/// What `mailferry init` writes, as values and text: the passes that fit a migration's size, the
/// configuration around them, and the first lines of a mapping. No file is touched here.

#include "config/base/error.hpp"
#include "config/types.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::daemon::cli {

/// Up to so many mailboxes go in one pass; more are carried in several, newest mail first.
inline constexpr std::uint64_t one_pass_mailboxes_max = 500;
inline constexpr std::uint64_t mailboxes_max = 1'000'000;

/// The oldest mail that is wanted, as it was typed and as an age.
struct OldestMail {
    std::string text;                         ///< For mail_since; empty: no limit.
    std::optional<std::chrono::seconds> age;  ///< Nothing: no limit.
};

/// "180d", "2026-01-31" or "all". invalid_config, with what is accepted, for anything else.
[[nodiscard]] Result<OldestMail> parse_oldest_mail(std::string_view text,
                                                   std::chrono::sys_seconds now);

struct InitPlan {
    config::Protocol protocol = config::Protocol::graph;  ///< imap or graph, of both sides.
    std::uint64_t mailboxes = 0;                          ///< At least 1.
    OldestMail oldest;
    std::string name;  ///< Of the migration: letters, digits, - and _.
};

struct InitPass {
    std::string name;
    std::string comment;
    bool mail_only = false;
    std::string mail_since;  ///< Empty: everything.
};

/// One pass for up to one_pass_mailboxes_max mailboxes; else the newest week of mail with contacts
/// and calendars for everybody, then 30 days, 180 days, the rest, and a final pass over everything.
/// No pass reaches further back than `oldest`, and none repeats the window of the one before it.
std::vector<InitPass> passes_for(InitPlan const& plan);

/// Files that the configuration names for secrets, beside it.
std::vector<std::string> secret_files_for(InitPlan const& plan);

std::string config_text(InitPlan const& plan);
std::string mapping_text(InitPlan const& plan);

}  // namespace mailferry::daemon::cli
