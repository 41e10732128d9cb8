#include "tests/support/graphsim/seeded_items.hpp"

#include "tests/support/graphsim/encoding.hpp"

namespace graphsim {

namespace json = boost::json;

namespace {

struct Kind {
    std::string_view name;
    std::string_view folder;
    std::string_view item_class;
};

constexpr Kind kinds[] = {
    {"mail", "inbox", "IPM.Note"},
    {"html", "inbox", "IPM.Note"},
    {"attachment", "inbox", "IPM.Note"},
    {"draft", "drafts", "IPM.Note"},
    {"smime", "inbox", "IPM.Note.SMIME.MultipartSigned"},
    {"meeting_request", "inbox", "IPM.Schedule.Meeting.Request"},
    {"appointment", "calendar", "IPM.Appointment"},
    {"recurring", "calendar", "IPM.Appointment"},
    {"contact", "contacts", "IPM.Contact"},
    {"list", "contacts", "IPM.DistList"},
    {"task", "tasks", "IPM.Task"},
    {"note", "notes", "IPM.StickyNote"},
};

constexpr std::string_view words[] = {"Angebot", "Budget",  "report", "Q3",   "meeting", "Prüfung",
                                      "試験",    "invoice", "😀",      "plan", "draft",   "Größe"};
constexpr std::string_view zones[] = {"W. Europe Standard Time", "UTC", "Pacific Standard Time",
                                      "India Standard Time"};
constexpr std::string_view category_names[] = {"Red category", "Kunde", "Blue category", "geprüft"};

Kind const& kind_named(std::string_view name) {
    for (auto const& kind : kinds) {
        if (kind.name == name) return kind;
    }
    throw std::invalid_argument("no such kind of item: " + std::string(name));
}

std::string random_subject(Random& random) {
    std::string text;
    for (auto count = 2 + random.below(4); count > 0; --count) {
        text += words[random.below(std::size(words))];
        text += ' ';
    }
    return text + std::to_string(random.below(100'000));
}

std::string random_address(Random& random) {
    return "person" + std::to_string(random.below(5000)) + "@fabrikam.example";
}

std::string random_binary(Random& random, std::size_t count) {
    std::string bytes;
    while (bytes.size() < count) bytes += static_cast<char>(random.next() & 255);
    return bytes;
}

json::array attachments(Random& random, std::uint64_t bytes) {
    json::array list;
    auto const count = 1 + random.below(3);
    for (std::uint64_t n = 0; n < count; ++n) {
        list.push_back({{"name", "file" + std::to_string(random.below(1000)) + ".bin"},
                        {"bytes", bytes / count},
                        {"seed", random.next() >> 1}});
    }
    return list;
}

json::object mail_content(Random& random, SeedPlan const& plan, std::uint64_t bytes) {
    json::object content;
    content["subject"] = random_subject(random);
    content["from"] = random_address(random);
    content["to"] = json::array{json::value(plan.owner), json::value(random_address(random))};
    content["body"] =
        json::object{{"type", plan.kind == "mail" ? "text" : "html"}, {"seed", random.next() >> 1}};
    if (plan.kind == "attachment") content["attachments"] = attachments(random, bytes);
    return content;
}

json::object event_content(Random& random, SeedPlan const& plan, Time start) {
    json::object content;
    content["subject"] = random_subject(random);
    content["start"] = iso_time(start);
    content["minutes"] = 30 * (1 + random.below(4));
    content["zone"] = zones[random.below(std::size(zones))];
    content["all_day"] = random.chance(0.1);
    content["sensitivity"] = random.chance(0.1) ? "private" : "normal";
    bool const organiser = random.chance(0.5);
    content["organizer"] = organiser ? plan.owner : random_address(random);
    content["response"] = organiser ? "organizer" : "accepted";
    content["attendees"] = json::array{json::value(random_address(random))};
    if (plan.kind == "recurring") {
        content["recurrence"] = json::object{{"pattern", "weekly"}, {"occurrences", 10}};
        content["exceptions"] = json::array{
            json::object{{"occurrence", 3}, {"subject", random_subject(random)}, {"moved", 60}}};
        content["deleted_occurrences"] = json::array{json::value(5)};
    }
    return content;
}

json::object other_content(Random& random, SeedPlan const& plan) {
    json::object content;
    content["subject"] = random_subject(random);
    if (plan.kind == "contact") {
        content["file_as"] = "Person " + std::to_string(random.below(100'000));
        content["addresses"] = json::array{json::value(random_address(random))};
        if (random.chance(0.5)) {
            content["photo"] = json::object{{"name", "ContactPicture.jpg"},
                                            {"bytes", 4000 + random.below(20'000)},
                                            {"seed", random.next() >> 1}};
        }
    } else if (plan.kind == "list") {
        content["members"] =
            json::array{json::value(random_address(random)), json::value(random_address(random))};
    } else if (plan.kind == "task") {
        content["due"] = iso_time(plan.newest);
        content["percent"] = random.below(101);
    }
    return content;
}

std::uint64_t random_bytes(Random& random, std::string_view kind) {
    if (kind == "attachment")
        return 20'000 + random.below(random.chance(0.05) ? 4'000'000 : 300'000);
    if (kind == "html" || kind == "smime") return 8'000 + random.below(60'000);
    return 2'000 + random.below(10'000);
}

}  // namespace

std::vector<std::string_view> item_kinds() {
    std::vector<std::string_view> names;
    for (auto const& kind : kinds) names.push_back(kind.name);
    return names;
}

std::string_view folder_of_kind(std::string_view kind) { return kind_named(kind).folder; }

LogicalItem seeded_item(SeedPlan const& plan) {
    auto const& kind = kind_named(plan.kind);
    Random random(mixed(plan.seed, 0x6974656DULL));
    LogicalItem item;
    item.item_class = kind.item_class;
    item.size = plan.bytes.value_or(random_bytes(random, plan.kind));
    item.payload_seed = random.next() >> 1;
    item.search_key = random_binary(random, 16);
    auto const age = seconds(random.unit() * seconds_of(plan.span));
    auto const when = std::chrono::floor<std::chrono::seconds>(plan.newest - age);
    item.created = when;
    bool const is_mail = kind.folder == "inbox" || kind.folder == "drafts";
    if (is_mail) {
        item.content = json::serialize(mail_content(random, plan, item.size));
        if (plan.kind == "draft") {
            item.message_flags = LogicalItem::unsent | LogicalItem::read;
        } else {
            item.received = when;
            item.submitted = when - std::chrono::seconds{1 + random.below(90)};
            item.message_flags = random.chance(0.7) ? LogicalItem::read : 0;
        }
        item.message_id = "<" + hex(random_binary(random, 12)) + "@fabrikam.example>";
    } else if (kind.folder == "calendar") {
        item.content = json::serialize(event_content(random, plan, when));
        item.message_flags = LogicalItem::read;
    } else {
        item.content = json::serialize(other_content(random, plan));
        item.message_flags = LogicalItem::read;
    }
    if (kind.folder == "calendar" || plan.kind == "meeting_request") {
        item.global_object_id = random_binary(random, 56);
    }
    if (random.chance(0.2)) {
        item.categories.emplace_back(category_names[random.below(std::size(category_names))]);
    }
    if (is_mail && random.chance(0.1)) item.flag_status = random.chance(0.5) ? 2 : 1;
    return item;
}

LogicalItem edited(LogicalItem item, Random& random) {
    boost::system::error_code error;
    auto content = json::parse(item.content, error);
    if (error || !content.is_object()) content = json::object{};
    content.as_object()["subject"] = random_subject(random);
    item.content = json::serialize(content);
    item.payload_seed = random.next() >> 1;
    item.size += random.below(500);
    return item;
}

}  // namespace graphsim
