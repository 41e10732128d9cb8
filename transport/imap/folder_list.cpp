#include "transport/imap/folder_list.hpp"

#include "transport/imap/flags.hpp"
#include "transport/imap/server_error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

namespace mailferry::imap {

using transport::Folder;

namespace {

constexpr std::size_t folders_max = 200'000;
constexpr std::size_t status_commands_in_flight = 200;

/// Everything that LIST, LSUB and STATUS said.
struct Listing {
    std::vector<ListEntry> entries;
    std::set<std::string> subscribed;            ///< Ids, as LSUB told them.
    std::map<std::string, StatusData> statuses;  ///< By id.
    bool too_many = false;
};

DataHandler collect(std::shared_ptr<Listing> listing, bool utf8) {
    return [listing, utf8](imap::Event& event) {
        if (auto* const entry = std::get_if<ListEntry>(&event)) {
            if (entry->verb == ListEntry::Verb::lsub) {
                listing->subscribed.insert(folder_id(entry->name, utf8));
            } else if (listing->entries.size() < folders_max) {
                listing->entries.push_back(std::move(*entry));
            } else {
                listing->too_many = true;
            }
            return true;
        }
        if (auto* const status = std::get_if<StatusData>(&event)) {
            auto id = folder_id(status->name, utf8);
            listing->statuses.insert_or_assign(std::move(id), std::move(*status));
            return true;
        }
        return false;
    };
}

std::string status_items(Link const& link) {
    // HIGHESTMODSEQ makes the whole command BAD where CONDSTORE isn't offered.
    return link.facts().condstore ? "(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"
                                  : "(MESSAGES UIDNEXT UIDVALIDITY)";
}

awaitable<Result<Status>> run_list(Link& link, std::shared_ptr<Listing> listing,
                                   std::string words) {
    auto built = std::move(link.command().text(words)).finish();
    co_return co_await link.connection().run(std::move(*built),
                                             collect(listing, link.facts().utf8));
}

bool starts_with_any(std::string_view name, std::vector<NamespaceEntry> const& spaces,
                     std::size_t longer_than) {
    return std::any_of(spaces.begin(), spaces.end(), [&](NamespaceEntry const& space) {
        auto prefix = std::string_view(space.prefix);
        if (prefix.size() <= longer_than) return false;
        if (name.starts_with(prefix)) return true;
        // The root of a namespace itself: "shared" of "shared/".
        if (space.delimiter && prefix.ends_with(*space.delimiter)) prefix.remove_suffix(1);
        return name == prefix;
    });
}

/// Whether the name lies in a personal namespace and not, by a longer prefix, in another one.
bool is_personal(std::string_view name, Namespace const& spaces) {
    if (equal_names(name, "INBOX") || spaces.personal.empty()) return true;
    std::optional<std::size_t> best;
    for (auto const& space : spaces.personal)
        if (name.starts_with(space.prefix)) best = std::max(best.value_or(0), space.prefix.size());
    if (!best) return false;
    return !starts_with_any(name, spaces.other, *best) &&
           !starts_with_any(name, spaces.shared, *best);
}

bool holds_items(ListEntry const& entry) {
    return !entry.has_attribute("\\Noselect") && !entry.has_attribute("\\NonExistent");
}

Folder folder_of(ListEntry const& entry, NameSpace const& space, Listing const& listing,
                 Link const& link) {
    Folder folder;
    folder.id = folder_id(entry.name, link.facts().utf8);
    folder.path = path_of(folder.id, space, entry.delimiter);
    folder.role = role_of(entry);
    folder.holds_items = holds_items(entry);
    folder.subscribed =
        entry.has_attribute("\\Subscribed") || listing.subscribed.contains(folder.id);
    auto const found = listing.statuses.find(folder.id);
    if (found == listing.statuses.end()) return folder;
    auto const& status = found->second;
    folder.items = status.messages.value_or(0);
    if (status.uidvalidity && status.uidnext && status.messages &&
        !link.facts().quirks.status_is_stale)
        folder.mark = Mark{*status.uidvalidity, *status.uidnext, *status.messages,
                           status.highestmodseq.value_or(0)}
                          .to_string();
    return folder;
}

/// STATUS of each folder that has none yet, many in flight.
awaitable<Result<void>> ask_statuses(Link& link, std::shared_ptr<Listing> listing) {
    auto const items = status_items(link);
    auto const in_flight_max = link.facts().quirks.no_pipelining ? 1 : status_commands_in_flight;
    std::vector<std::string> names;
    for (auto const& entry : listing->entries)
        if (holds_items(entry) && is_personal(entry.name, link.namespaces()) &&
            !listing->statuses.contains(folder_id(entry.name, link.facts().utf8)))
            names.push_back(entry.name);
    for (std::size_t begin = 0; begin < names.size(); begin += in_flight_max) {
        std::vector<CommandTicket> tickets;
        auto turn = co_await link.connection().turn();
        for (auto i = begin; i < std::min(names.size(), begin + in_flight_max); ++i) {
            auto built =
                std::move(link.command().text(" STATUS ").astring(names[i]).text(" ").text(items))
                    .finish();
            if (!built) continue;
            auto ticket = co_await link.connection().send(std::move(*built),
                                                          collect(listing, link.facts().utf8));
            if (!ticket) co_return ticket.error();
            tickets.push_back(std::move(*ticket));
        }
        turn.release();
        for (auto const& ticket : tickets) {
            // NO: this one has no mark; opening it will tell why.
            auto const status = co_await link.connection().answer(ticket);
            if (!status) co_return status.error();
        }
    }
    co_return Result<void>{};
}

/// LIST in its best form; which one it was decides what is still to be asked.
awaitable<Result<void>> ask_list(Link& link, std::shared_ptr<Listing> listing) {
    auto const& facts = link.facts();
    bool is_extended = facts.has("LIST-EXTENDED");
    if (is_extended) {
        std::string wanted = "SUBSCRIBED";
        if (facts.has("SPECIAL-USE")) wanted += " SPECIAL-USE";
        if (facts.has("LIST-STATUS") && !facts.quirks.status_is_stale)
            wanted += " STATUS " + status_items(link);
        auto const status =
            co_await run_list(link, listing, " LIST \"\" \"*\" RETURN (" + wanted + ")");
        if (!status) co_return status.error();
        is_extended = status->kind == StatusKind::ok;
        if (!is_extended)
            if (auto const pause = pause_asked(*status, "LIST")) co_return *pause;
    }
    if (!is_extended) {
        listing->entries.clear();
        auto const verb = !facts.has("SPECIAL-USE") && facts.has("XLIST") ? " XLIST" : " LIST";
        auto const listed = co_await run_list(link, listing, std::string(verb) + " \"\" \"*\"");
        if (!listed) co_return listed.error();
        if (listed->kind != StatusKind::ok)
            co_return refusal(*listed, Errc::mailbox_refused, "LIST");
        // A server without LSUB: nothing is known to be subscribed.
        auto const subscribed = co_await run_list(link, listing, " LSUB \"\" \"*\"");
        if (!subscribed) co_return subscribed.error();
    }
    co_return Result<void>{};
}

}  // namespace

std::string Mark::to_string() const {
    return std::to_string(uidvalidity) + ":" + std::to_string(uidnext) + ":" +
           std::to_string(messages) + ":" + std::to_string(modseq);
}

std::optional<Mark> Mark::parse(std::string_view text) {
    std::array<std::uint64_t, 4> parts{};
    auto const* place = text.data();
    auto const* const end = text.data() + text.size();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0 && (place == end || *place++ != ':')) return std::nullopt;
        auto const [stop, error] = std::from_chars(place, end, parts[i]);
        if (error != std::errc()) return std::nullopt;
        place = stop;
    }
    if (place != end || std::max({parts[0], parts[1], parts[2]}) > UINT32_MAX) return std::nullopt;
    return Mark{static_cast<std::uint32_t>(parts[0]), static_cast<std::uint32_t>(parts[1]),
                static_cast<std::uint32_t>(parts[2]), parts[3]};
}

NameSpace personal_space(Link const& link, std::optional<char> listed_delimiter) {
    auto const& personal = link.namespaces().personal;
    if (personal.empty()) return {"", listed_delimiter};
    return {personal.front().prefix, personal.front().delimiter};
}

awaitable<Result<std::vector<Folder>>> list_folders(Link& link) {
    auto const listing = std::make_shared<Listing>();
    auto const listed = co_await ask_list(link, listing);
    if (!listed) co_return listed.error();
    if (listing->too_many)
        co_return Error{Errc::mailbox_refused,
                        "more than " + std::to_string(folders_max) + " folders"};
    auto const asked = co_await ask_statuses(link, listing);
    if (!asked) co_return asked.error();

    auto const delimiter =
        listing->entries.empty() ? std::nullopt : listing->entries.front().delimiter;
    auto const space = personal_space(link, delimiter);
    std::vector<Folder> folders;
    std::set<std::string> seen;
    for (auto const& entry : listing->entries) {
        if (!is_personal(entry.name, link.namespaces())) continue;
        auto folder = folder_of(entry, space, *listing, link);
        if (seen.insert(folder.id).second) folders.push_back(std::move(folder));
    }
    // Cyrus lets an admin sign in for a mailbox that doesn't exist; every real one has an INBOX.
    if (folders.empty())
        co_return Error{Errc::mailbox_refused, "the mailbox has no folder, not even INBOX"};
    guess_roles(folders);
    co_return folders;
}

awaitable<Result<std::optional<Folder>>> find_folder(Link& link, std::string id) {
    if (link.facts().quirks.dies_of_braces && id.find_first_of("{}") != id.npos)
        co_return std::optional<Folder>{};
    auto const listing = std::make_shared<Listing>();
    auto built = std::move(link.command().text(" LIST \"\" ").astring(link.wire_name(id))).finish();
    if (!built) co_return built.error();
    auto const status =
        co_await link.connection().run(std::move(*built), collect(listing, link.facts().utf8));
    if (!status) co_return status.error();
    if (status->kind != StatusKind::ok) co_return refusal(*status, Errc::folder_refused, "LIST");
    for (auto const& entry : listing->entries) {
        auto const space = personal_space(link, entry.delimiter);
        // `*` and `%` in a name match others, too. NonExistent: only its children are there.
        if (folder_id(entry.name, link.facts().utf8) != id) continue;
        if (entry.has_attribute("\\NonExistent")) continue;
        co_return std::optional(folder_of(entry, space, *listing, link));
    }
    co_return std::optional<Folder>{};
}

awaitable<Result<NameSpace>> ask_space(Link& link) {
    if (!link.namespaces().personal.empty()) co_return personal_space(link, std::nullopt);
    auto const listing = std::make_shared<Listing>();
    auto const status = co_await run_list(link, listing, " LIST \"\" \"\"");
    if (!status) co_return status.error();
    if (listing->entries.empty()) co_return NameSpace{"", '/'};
    co_return NameSpace{"", listing->entries.front().delimiter};
}

}  // namespace mailferry::imap
