// Control commands that make tenants and what is in them.

#include "tests/support/graphsim/control.hpp"
#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/ids.hpp"
#include "tests/support/graphsim/seeded_items.hpp"

#include <stdexcept>

namespace graphsim {

namespace {

std::string guid_for(std::string const& text) { return guid_of(sha256(text)); }

Tenant& tenant_argument(World& world, json::object const& arguments) {
    auto const name = text_of(arguments, "tenant");
    auto* const tenant = world.tenant_named(name);
    if (tenant == nullptr) throw std::invalid_argument("no such tenant: " + name);
    return *tenant;
}

Time time_argument(json::object const& object, std::string_view name, Time otherwise) {
    auto const text = text_of(object, name);
    if (text.empty()) return otherwise;
    auto const time = parse_time(text);
    if (!time) throw std::invalid_argument(std::string(name) + ": no time");
    return *time;
}

void take_user_members(World& world, User& user, json::object const& arguments) {
    user.licensed = truth_of(arguments, "licensed", user.licensed);
    user.shared = truth_of(arguments, "shared", user.shared);
    user.on_hold = truth_of(arguments, "hold", user.on_hold);
    if (auto const* quota = arguments.if_contains("quota_bytes")) {
        user.quota_bytes.reset();
        if (!quota->is_null()) user.quota_bytes = quota->to_number<std::uint64_t>();
    }
    if (auto const* shown = arguments.if_contains("well_known_names")) {
        user.well_known_names.reset();
        if (!shown->is_null()) user.well_known_names = shown->as_bool();
    }
    auto const moving = number_of(arguments, "moving_seconds", 0);
    if (moving > 0) user.moving_until = world.clock.now() + seconds(moving);
}

User& add_user(World& world, Tenant& tenant, json::object const& arguments) {
    auto user = std::make_unique<User>();
    user->name = text_of(arguments, "name");
    if (user->name.empty() || tenant.user(user->name) != nullptr) {
        throw std::invalid_argument("name: empty, or taken: " + user->name);
    }
    user->id = text_of(arguments, "id", guid_for("user " + tenant.id + user->name));
    user->proxy_addresses = {"SMTP:" + user->name};
    for (auto const& alias : texts_of(arguments, "aliases")) {
        user->proxy_addresses.push_back("smtp:" + alias);
    }
    take_user_members(world, *user, arguments);
    if (truth_of(arguments, "mailbox", true)) {
        user->mailbox =
            std::make_unique<Mailbox>(guid_for("mailbox " + tenant.id + user->name), tenant.id,
                                      user->name, text_of(arguments, "language", "en"));
        world.mailboxes[user->mailbox->id()] = {&tenant, user.get()};
    }
    tenant.users.push_back(std::move(user));
    return *tenant.users.back();
}

json::object user_reply(User const& user) {
    return {{"id", user.id},
            {"name", user.name},
            {"mailbox", user.mailbox ? json::value(user.mailbox->id()) : json::value()}};
}

SeedPlan plan_of(World& world, Mailbox const& box, json::object const& object) {
    SeedPlan plan;
    plan.kind = text_of(object, "kind", "mail");
    plan.seed = static_cast<std::uint64_t>(number_of(object, "seed", 1));
    plan.newest = time_argument(object, "newest", world.clock.now());
    plan.span = seconds(number_of(object, "span_days", 365) * 86'400);
    plan.owner = box.owner();
    if (object.contains("bytes")) plan.bytes = object.at("bytes").to_number<std::uint64_t>();
    return plan;
}

void overwrite(LogicalItem& item, json::object const& object) {
    item.item_class = text_of(object, "class", item.item_class);
    if (auto const* content = object.if_contains("content"))
        item.content = json::serialize(*content);
    if (object.contains("categories")) item.categories = texts_of(object, "categories");
    if (object.contains("received")) item.received = time_argument(object, "received", Time{});
    if (object.contains("submitted")) item.submitted = time_argument(object, "submitted", Time{});
    item.created = time_argument(object, "created", item.created);
    item.message_flags =
        static_cast<unsigned>(number_of(object, "message_flags", item.message_flags));
    item.flag_status = static_cast<int>(number_of(object, "flag_status", item.flag_status));
    item.message_id = text_of(object, "message_id", item.message_id);
    if (object.contains("search_key")) {
        item.search_key = from_hex(text_of(object, "search_key")).value_or(item.search_key);
    }
    if (object.contains("subject")) {
        item.content = json::serialize(json::object{{"subject", text_of(object, "subject")}});
    }
}

/// Kinds and how many of a hundred, as a mailbox of an office has them.
constexpr std::pair<std::string_view, int> usual_mix[] = {
    {"mail", 30},           {"html", 20}, {"attachment", 14}, {"draft", 3},
    {"meeting_request", 3}, {"smime", 1}, {"appointment", 9}, {"recurring", 5},
    {"contact", 8},         {"list", 2},  {"task", 3},        {"note", 2}};

std::string_view kind_by_chance(Random& random) {
    auto number = static_cast<int>(random.below(100));
    for (auto const& [kind, share] : usual_mix) {
        if ((number -= share) < 0) return kind;
    }
    return "mail";
}

/// Folders of the user's own, awkward names among them.
std::vector<FolderKey> own_folders(Mailbox& box) {
    std::vector<FolderKey> keys;
    auto const inbox = box.well_known("inbox");
    keys.push_back(box.add_folder(inbox, "Projekte / Kunden", "IPF.Note"));
    keys.push_back(box.add_folder(keys[0], "\"Zitat\" & 😀", "IPF.Note"));
    keys.push_back(box.add_folder(box.top(), " Ränder ", "IPF.Note"));
    auto deep = box.add_folder(box.top(), "tief", "IPF.Note");
    for (int n = 0; n < 8; ++n)
        deep = box.add_folder(deep, "Ebene " + std::to_string(n), "IPF.Note");
    keys.push_back(deep);
    box.add_folder(box.well_known("calendar"), "Team", "IPF.Appointment");
    box.add_folder(box.top(), "Kunden", "IPF.Contact");
    return keys;
}

/// Something in each folder that no copy may take along.
void fill_system_folders(World& world, Mailbox& box, SeedPlan plan, Random& random) {
    std::vector<FolderKey> keys;
    for (auto const& [key, folder] : box.folders()) {
        bool const common = folder.well_known == "outbox" || folder.well_known == "conflicts" ||
                            folder.well_known == "localfailures";
        if (folder.made_by_system && (folder.hidden || common)) keys.push_back(key);
    }
    for (auto const key : keys) {
        plan.kind = box.folder(key)->folder_class.starts_with("IPF.Contact") ? "contact" : "mail";
        plan.seed = random.next();
        box.add_item(key, seeded_item(plan), world.clock.now());
    }
}

void fill(World& world, Mailbox& box, std::uint64_t count, std::uint64_t seed,
          json::object const& arguments) {
    Random random(seed);
    std::vector<FolderKey> own;
    if (truth_of(arguments, "own_folders", true)) own = own_folders(box);
    auto const kinds = texts_of(arguments, "kinds");
    auto plan = plan_of(world, box, arguments);
    for (std::uint64_t n = 0; n < count; ++n) {
        plan.kind =
            kinds.empty() ? std::string(kind_by_chance(random)) : kinds[random.below(kinds.size())];
        plan.seed = random.next();
        auto folder = box.well_known(folder_of_kind(plan.kind));
        bool const mail = folder == box.well_known("inbox");
        if (mail && random.chance(0.2)) folder = box.well_known("sentitems");
        if (mail && !own.empty() && random.chance(0.3)) folder = own[random.below(own.size())];
        box.add_item(folder, seeded_item(plan), world.clock.now());
    }
    if (truth_of(arguments, "system_items", false)) fill_system_folders(world, box, plan, random);
}

}  // namespace

FolderKey folder_argument(Mailbox const& box, json::value const& value) {
    if (value.is_string()) {
        std::string const text(value.as_string());
        auto const decoded = decode_id(box.seed(), text);
        auto const key =
            decoded && decoded->kind == IdKind::folder ? decoded->number : box.well_known(text);
        if (box.folder(key) == nullptr) throw std::invalid_argument("no such folder: " + text);
        return key;
    }
    auto key = box.top();
    for (auto const& name : value.as_array()) {
        auto const* child = box.child(key, std::string(name.as_string()));
        if (child == nullptr) {
            throw std::invalid_argument("no such folder: " + json::serialize(value));
        }
        key = child->key;
    }
    return key;
}

json::value create_tenant(World& world, json::object const& arguments) {
    auto tenant = std::make_unique<Tenant>();
    tenant->domains = texts_of(arguments, "domains");
    tenant->id = text_of(arguments, "id",
                         guid_for("tenant " + std::to_string(world.tenants.size()) +
                                  (tenant->domains.empty() ? "" : tenant->domains[0])));
    tenant->source = truth_of(arguments, "source", false);
    auto const id = tenant->id;
    if (!world.tenants.emplace(id, std::move(tenant)).second) {
        throw std::invalid_argument("the tenant is there already: " + id);
    }
    return json::object{{"id", id}};
}

json::value set_tenant(World& world, json::object const& arguments) {
    auto& tenant = tenant_argument(world, arguments);
    tenant.source = truth_of(arguments, "source", tenant.source);
    if (arguments.contains("domains")) tenant.domains = texts_of(arguments, "domains");
    return json::object{};
}

json::value create_app(World& world, json::object const& arguments) {
    auto& tenant = tenant_argument(world, arguments);
    auto const id =
        text_of(arguments, "id", guid_for("app " + tenant.id + std::to_string(tenant.apps.size())));
    auto& app = tenant.apps[id];
    app.id = id;
    if (arguments.contains("secret")) {
        AppSecret secret{text_of(arguments, "secret"), std::nullopt};
        if (arguments.contains("secret_expires")) {
            secret.expires = time_argument(arguments, "secret_expires", Time{});
        }
        std::erase_if(app.secrets, [&](auto const& each) { return each.value == secret.value; });
        app.secrets.push_back(std::move(secret));
    }
    if (arguments.contains("certificate")) {
        app.certificates.push_back(certificate_of(text_of(arguments, "certificate")));
    }
    if (arguments.contains("roles")) {
        auto const roles = texts_of(arguments, "roles");
        app.roles = {roles.begin(), roles.end()};
    }
    if (auto const* scope = arguments.if_contains("mailboxes")) {
        app.mailboxes.reset();
        if (!scope->is_null()) {
            app.mailboxes.emplace();
            for (auto const& name : texts_of(arguments, "mailboxes")) {
                app.mailboxes->insert(lower(name));
            }
        }
    }
    return json::object{{"id", id}};
}

json::value create_user(World& world, json::object const& arguments) {
    return user_reply(add_user(world, tenant_argument(world, arguments), arguments));
}

json::value set_user(World& world, json::object const& arguments) {
    auto& user = *world.place_of(text_of(arguments, "mailbox")).user;
    take_user_members(world, user, arguments);
    return user_reply(user);
}

json::value create_folder(World& world, json::object const& arguments) {
    auto& box = *world.place_of(text_of(arguments, "mailbox")).user->mailbox;
    auto const* given = arguments.if_contains("parent");
    auto const parent = given == nullptr ? box.top() : folder_argument(box, *given);
    auto const key =
        box.add_folder(parent, text_of(arguments, "name"), text_of(arguments, "class", "IPF.Note"));
    box.set_search(key, truth_of(arguments, "search", false), truth_of(arguments, "hidden", false));
    return json::object{{"id", box.folder_id(key)}};
}

json::value remove_folder(World& world, json::object const& arguments) {
    auto& box = *world.place_of(text_of(arguments, "mailbox")).user->mailbox;
    box.remove_folder(folder_argument(box, arguments.at("folder")));
    return json::object{};
}

json::value create_items(World& world, json::object const& arguments) {
    auto& box = *world.place_of(text_of(arguments, "mailbox")).user->mailbox;
    auto const count = static_cast<std::uint64_t>(number_of(arguments, "count", 1));
    json::array ids;
    for (std::uint64_t n = 0; n < count; ++n) {
        auto plan = plan_of(world, box, arguments);
        plan.seed = mixed(plan.seed, n);
        auto item = seeded_item(plan);
        overwrite(item, arguments);
        auto const* given = arguments.if_contains("folder");
        auto const folder = given == nullptr ? box.well_known(folder_of_kind(plan.kind))
                                             : folder_argument(box, *given);
        auto const key = box.add_item(folder, std::move(item), world.clock.now());
        if (truth_of(arguments, "corrupt", false)) box.set_corrupt(key);
        ids.push_back(json::value(box.item_id(*box.item(key), false)));
    }
    return json::object{{"ids", std::move(ids)}};
}

json::value change_item(World& world, json::object const& arguments) {
    auto& box = *world.place_of(text_of(arguments, "mailbox")).user->mailbox;
    auto const id = text_of(arguments, "id");
    auto const decoded = decode_id(box.seed(), id);
    auto const* item = !decoded                        ? nullptr
                       : decoded->kind == IdKind::item ? box.item_by_number(decoded->number)
                                                       : box.item(decoded->number);
    if (item == nullptr) throw std::invalid_argument("no such item: " + id);
    auto const key = item->key;
    auto const what = text_of(arguments, "do");
    auto const now = world.clock.now();
    if (what == "delete") {
        box.remove_item(key);
        return json::object{};
    }
    if (what == "move") {
        box.move_item(key, folder_argument(box, arguments.at("folder")), now);
    } else if (what == "edit") {
        Random random(static_cast<std::uint64_t>(number_of(arguments, "seed", 1)));
        box.replace_item(key, edited(item->logical, random), now);
    } else if (what == "set") {
        auto logical = item->logical;
        overwrite(logical, arguments);
        box.replace_item(key, std::move(logical), now);
    } else {
        throw std::invalid_argument("do: delete, move, edit or set");
    }
    return json::object{{"id", box.item_id(*box.item(key), false)}};
}

json::value seed_tenant(World& world, json::object const& arguments) {
    auto& tenant = tenant_argument(world, arguments);
    auto const count = static_cast<std::uint64_t>(number_of(arguments, "mailboxes", 1));
    auto const items = static_cast<std::uint64_t>(number_of(arguments, "items", 0));
    auto const seed = static_cast<std::uint64_t>(number_of(arguments, "seed", 1));
    auto const prefix = text_of(arguments, "prefix", "user");
    auto const domain = text_of(arguments, "domain",
                                tenant.domains.empty() ? "contoso.example" : tenant.domains[0]);
    json::array users;
    for (std::uint64_t n = 0; n < count; ++n) {
        char number[24];
        std::snprintf(number, sizeof number, "%04d", static_cast<int>(n));
        json::object const user_arguments{
            {"name", prefix + number + "@" + domain},
            {"language", text_of(arguments, "language", n % 3 == 1 ? "de" : "en")}};
        auto& user = add_user(world, tenant, user_arguments);
        if (items > 0) fill(world, *user.mailbox, items, mixed(seed, n), arguments);
        users.push_back(user_reply(user));
    }
    return json::object{{"users", std::move(users)}};
}

}  // namespace graphsim
