#pragma once

/// The mapping: which source mailbox goes to which target mailbox. Every fault is found and named
/// with its line before anything starts.

#include "config/types.hpp"

#include <filesystem>
#include <functional>
#include <map>
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
    bool same_endpoint = false;    ///< Source and target are one server: rows must not cross.
    bool source_password = false;  ///< The source tenant's `auth = "user"` needs each row's file.
    bool target_password = false;
    std::vector<std::string> waves;  ///< Named by passes: some row must be in each.
    bool source_graph = false;       ///< Rows name mailboxes by address or by the user's id.
    bool target_graph = false;
    /// Domains that the tenants' own settings name: those of admins, and of tenant_id.
    std::vector<std::string> source_domains, target_domains;
};

/// True if both are one server, whatever the tenants are called; for graph, one tenant of it. A
/// tenant named by GUID here and by domain there isn't recognised: only the server knows that.
bool same_endpoint(Tenant const& a, Tenant const& b);

MappingUse mapping_use(Config const& config, Migration const& migration);

/// Faults between rows: a source mapped twice, two rows with one target, crossing rows, swapped
/// sides, password files missing or open to others, waves without rows; warnings for Microsoft
/// mailboxes on custom domains. Addresses are compared without case.
/// 100,000 rows take a fraction of a second (and one stat per password file).
[[nodiscard]] std::vector<Problem> check_mapping(std::vector<MailboxPair> const& pairs,
                                                 std::filesystem::path const& file,
                                                 MappingUse const& use);

using MappingsByMigration = std::map<std::string, std::vector<MailboxPair>, std::less<>>;

/// Faults between migrations: a mailbox that two of them would fill, and one that one migration
/// fills while another reads it (a pair that goes both ways, say). Looks at no file.
[[nodiscard]] std::vector<Problem> check_across(Config const& config,
                                                MappingsByMigration const& mappings);

}  // namespace mailferry::config
