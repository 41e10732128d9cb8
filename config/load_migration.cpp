#include "config/load_parts.hpp"

namespace mailferry::config {
namespace {

Pass load_pass(TableReader reader) {
    Pass pass;
    pass.place = reader.place();
    reader.text("name", pass.name);
    reader.choices("kinds", pass.kinds, kind_names);
    reader.moment("mail_since", pass.mail_since_age, pass.mail_since);
    reader.moment("mail_before", pass.mail_before_age, pass.mail_before);
    reader.texts("waves", pass.waves);
    reader.finish();
    return pass;
}

}  // namespace

Migration load_migration(TableReader::NamedTable const& table, std::filesystem::path const& folder,
                         ProblemList& problems) {
    auto const label = "migration." + table.first;
    TableReader reader(*table.second, label, folder, problems);
    Migration migration;
    migration.place = reader.place();
    migration.name = table.first;
    reader.text("source", migration.source);
    reader.text("target", migration.target);
    reader.path("mapping", migration.mapping);
    reader.texts("exclude_folders", migration.exclude_folders);
    reader.boolean("copy_deleted", migration.copy_deleted);
    reader.boolean("allow_fuller_target", migration.allow_fuller_target);
    for (auto const* const pass : reader.table_array("pass"))
        migration.passes.push_back(load_pass({*pass, label + ".pass", folder, problems}));
    reader.finish();
    return migration;
}

}  // namespace mailferry::config
