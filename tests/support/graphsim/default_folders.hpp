#pragma once

/// The folders that a mailbox has from its first day, in the languages of the simulator.

#include <span>
#include <string_view>

namespace graphsim {

struct DefaultFolder {
    std::string_view key;         ///< Names the folder in this table.
    std::string_view parent;      ///< Key; empty: the mailbox's invisible root.
    std::string_view well_known;  ///< As wellKnownName has it; empty: null.
    std::string_view folder_class;
    std::string_view english;
    std::string_view german;
    bool hidden = false;  ///< Boolean 0x10F4
    bool search = false;  ///< Integer 0x3601 is 2
};

std::span<DefaultFolder const> default_folders();

}  // namespace graphsim
