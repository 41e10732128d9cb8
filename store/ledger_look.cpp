#include "store/ledger_look.hpp"

#include "store/ledger_mailboxes.hpp"
#include "store/ledger_schema.hpp"

namespace mailferry::store {

Result<std::optional<std::vector<PassRecord>>> look_at_passes(std::filesystem::path const& file) {
    using Records = std::optional<std::vector<PassRecord>>;
    std::error_code absent;
    auto const log_bytes = std::filesystem::file_size(file.string() + "-wal", absent);
    if (!absent && log_bytes > 0) return Records();
    auto database = Database::open_unchanged(file);
    if (!database) return database.error();
    auto const current = is_current(*database);
    if (!current) return current.error();
    if (!*current) return Records();
    auto records = read_passes(*database, "");
    if (!records) return records.error();
    return Records(std::move(*records));
}

}  // namespace mailferry::store
