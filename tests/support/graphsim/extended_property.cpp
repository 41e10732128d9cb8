#include "tests/support/graphsim/extended_property.hpp"

#include "tests/support/graphsim/encoding.hpp"

#include <array>
#include <charconv>

namespace graphsim {

namespace {

constexpr std::string_view types[] = {"String", "Integer", "Boolean",  "SystemTime",
                                      "Binary", "Long",    "Double",   "CLSID",
                                      "Short",  "Float",   "Currency", "ApplicationTime"};
constexpr std::string_view meeting_set = "{6ed8da90-450b-101b-98da-00aa003f1305}";

std::string_view take_word(std::string_view& rest) {
    auto const word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    return word;
}

std::optional<std::string> normalised_number(std::string_view text) {
    if (!text.starts_with("0x") && !text.starts_with("0X")) return std::nullopt;
    unsigned number = 0;
    auto const* const end = text.data() + text.size();
    auto const result = std::from_chars(text.data() + 2, end, number, 16);
    if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
    std::array<char, 16> digits;
    auto const written = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
    return "0x" + std::string(digits.data(), written.ptr);
}

}  // namespace

std::optional<std::string> normalised_property_id(std::string_view text) {
    auto rest = text;
    auto const given_type = take_word(rest);
    std::string type;
    for (auto const each : types) {
        if (equal_folded(each, given_type)) type = each;
    }
    if (type.empty()) return std::nullopt;
    auto const second = take_word(rest);
    if (!second.starts_with('{')) {
        auto const number = normalised_number(second);
        if (!number || !rest.empty()) return std::nullopt;
        return type + " " + *number;
    }
    if (second.size() != 38 || !is_guid(second.substr(1, 36)) || !second.ends_with('}')) {
        return std::nullopt;
    }
    auto const kind = take_word(rest);
    if (equal_folded(kind, "Name") && !rest.empty()) {
        return type + " " + lower(second) + " Name " + std::string(rest);
    }
    auto const number = normalised_number(rest);
    if (!equal_folded(kind, "Id") || !number) return std::nullopt;
    return type + " " + lower(second) + " Id " + *number;
}

PropertyValues extended_properties(Item const& item) {
    auto const& logical = item.logical;
    PropertyValues values;
    if (logical.received) values.emplace_back("SystemTime 0xe06", iso_time(*logical.received));
    if (logical.submitted) values.emplace_back("SystemTime 0x39", iso_time(*logical.submitted));
    if (!logical.message_id.empty()) values.emplace_back("String 0x1035", logical.message_id);
    values.emplace_back("Integer 0xe07", std::to_string(logical.message_flags));
    values.emplace_back("Integer 0xe08", std::to_string(logical.size));
    values.emplace_back("String 0x1a", logical.item_class);
    values.emplace_back("String 0x37", logical.subject());
    values.emplace_back("Binary 0x300b", base64(logical.search_key));
    values.emplace_back("SystemTime 0x3007", iso_time(logical.created));
    values.emplace_back("SystemTime 0x3008", iso_time(item.modified));
    if (logical.flag_status != 0) {
        values.emplace_back("Integer 0x1090", std::to_string(logical.flag_status));
    }
    if (!logical.global_object_id.empty()) {
        auto const value = base64(logical.global_object_id);
        values.emplace_back("Binary " + std::string(meeting_set) + " Id 0x3", value);
        values.emplace_back("Binary " + std::string(meeting_set) + " Id 0x23", value);
    }
    return values;
}

PropertyValues extended_properties(Folder const& folder) {
    PropertyValues values;
    values.emplace_back("Integer 0x3601", folder.search ? "2" : "1");
    values.emplace_back("Boolean 0x10f4", folder.hidden ? "true" : "false");
    if (!folder.folder_class.empty()) values.emplace_back("String 0x3613", folder.folder_class);
    values.emplace_back("Integer 0x3602", std::to_string(folder.items.size()));
    return values;
}

}  // namespace graphsim
