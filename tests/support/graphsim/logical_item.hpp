#pragma once

/// What a mailbox item means, apart from where it lies: the part that export and import carry over.

#include "tests/support/graphsim/clock.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace graphsim {

struct LogicalItem {
    static constexpr unsigned read = 1;
    static constexpr unsigned unsent = 8;

    std::string item_class = "IPM.Note";
    std::string content;  ///< JSON text: subject, body, attachments, recurrence...
    std::vector<std::string> categories;
    std::optional<Time> received;   ///< 0x0E06; absent where nothing was delivered.
    std::optional<Time> submitted;  ///< 0x0039
    Time created{};
    unsigned message_flags = 0;      ///< 0x0E07: read, unsent
    int flag_status = 0;             ///< 0x1090: 0 none, 1 complete, 2 flagged
    std::string message_id;          ///< 0x1035; empty: none
    std::string search_key;          ///< 0x300B, 16 bytes: stays the same in every copy.
    std::string global_object_id;    ///< Of a meeting; empty: none.
    std::uint64_t payload_seed = 0;  ///< Stands for the bytes of body and attachments.
    std::uint64_t size = 0;          ///< As the mailbox lists it.

    std::string subject() const;
};

boost::json::object to_json(LogicalItem const& item);
std::optional<LogicalItem> logical_item_of(boost::json::object const& object);

/// Of what a person would call the item: class, content, bytes.
std::string content_hash(LogicalItem const& item);
/// Of everything above.
std::string logical_hash(LogicalItem const& item);

}  // namespace graphsim
