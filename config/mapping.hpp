#pragma once

/// The mapping: which source mailbox goes to which target mailbox. Every fault is found and named
/// with its line before anything starts.

#include "config/types.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::config {

struct MappingResult {
    std::vector<MailboxPair> pairs;  ///< In file order; only rows without a fault of their own.
    std::vector<Problem> problems;
};

/// Reads a CSV file (config/csv.hpp) with a header row of the columns source, target and, as
/// wanted, wave, source_password_file, target_password_file, in any order and case. Blanks around
/// cells, Unicode ones too, are trimmed with a warning. Password files are relative to the
/// mapping's folder. Judges each row by itself; check_mapping() judges them together.
[[nodiscard]] MappingResult load_mapping(std::filesystem::path const& file);

/// The same for bytes that are in memory; `file` names them in problems.
[[nodiscard]] MappingResult parse_mapping(std::string_view bytes,
                                          std::filesystem::path const& file);

/// What the rest of the configuration means for a mapping.
struct MappingUse {
    bool same_endpoint = false;  ///< Source and target are one server: rows must not cross.
    bool source_password = false;  ///< The source tenant's `auth = "user"` needs each row's file.
    bool target_password = false;
    std::vector<std::string> waves;  ///< Named by passes: some row must be in each.
};

/// True if both are one server, whatever the tenants are called.
bool same_endpoint(Tenant const& a, Tenant const& b);

MappingUse mapping_use(Config const& config, Migration const& migration);

/// Faults between rows: a source mapped twice, two rows with one target, crossing rows, password
/// files missing or open to others, waves without rows. Addresses are compared without case.
/// 100,000 rows take a fraction of a second (and one stat per password file).
[[nodiscard]] std::vector<Problem> check_mapping(std::vector<MailboxPair> const& pairs,
                                                 std::filesystem::path const& file,
                                                 MappingUse const& use);

}  // namespace mailferry::config
