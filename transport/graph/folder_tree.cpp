#include "transport/graph/folder_tree.hpp"

#include "transport/graph/paths.hpp"

#include <deque>
#include <set>

namespace mailferry::graph {
namespace {

constexpr std::uint32_t page_folders = 250;
constexpr std::size_t folders_max = 100'000;

/// Asks which folder bears each of the names that the listing left open. The answers are kept: ids
/// of folders don't change.
awaitable<Result<void>> ask_names(Api& api, std::string mailbox_id, ListedFolders& listed) {
    auto const open = names_to_ask(listed.folders);
    if (open.empty()) co_return Result<void>{};
    auto const known = api.app().names_asked.find(mailbox_id);
    if (known != api.app().names_asked.end()) {
        listed.names = known->second;
        co_return Result<void>{};
    }
    for (auto const name : open) {
        FolderPage single(PageHandler::Shape::single);
        Call call;
        call.url = paths::folder(mailbox_id, name) + "?$select=id";
        auto const answer = co_await api.call(std::move(call), single);
        if (!answer) co_return answer.error();
        // Not every mailbox has every one, and not every server knows every name.
        if (answer->good() && !single.folders.empty())
            listed.names.emplace(single.folders.front().id, std::string(name));
    }
    api.app().names_asked.insert_or_assign(mailbox_id, listed.names);
    co_return Result<void>{};
}

}  // namespace

awaitable<Result<std::string>> find_mailbox(Api& api, std::string address) {
    auto const known = api.app().mailbox_ids.find(address);
    if (known != api.app().mailbox_ids.end()) co_return known->second;
    TextMembers members({"primaryMailboxId"});
    Call call;
    call.url = paths::settings(address);
    auto const answer = co_await api.call(std::move(call), members);
    if (!answer) co_return answer.error();
    if (!answer->good())
        co_return error_of(answer->refusal, Subject::mailbox, "mailbox " + address);
    if (members[0].empty())
        co_return Error{Errc::mailbox_refused, "mailbox " + address + ": the service names no id"};
    api.app().mailbox_ids.insert_or_assign(std::move(address), members[0]);
    co_return members[0];
}

awaitable<Result<std::vector<GraphFolder>>> list_level(Api& api, std::string mailbox_id,
                                                       std::string parent) {
    auto url =
        parent.empty() ? paths::top_folders(mailbox_id) : paths::child_folders(mailbox_id, parent);
    url.append(paths::folder_options(page_folders));
    std::vector<GraphFolder> folders;
    std::set<std::string> links;
    while (!url.empty()) {
        FolderPage page(PageHandler::Shape::page);
        Call call;
        call.url = url;
        auto const answer = co_await api.call(std::move(call), page);
        if (!answer) co_return answer.error();
        bool const no_mailbox = parent.empty() && answer->status == 404;
        auto const subject = no_mailbox ? Subject::mailbox : Subject::source_folder;
        if (!answer->good()) co_return error_of(answer->refusal, subject, "listing folders");
        for (auto& folder : page.folders) folders.push_back(std::move(folder));
        url = std::move(page.next_link);
        if (folders.size() > folders_max || (!url.empty() && !links.insert(url).second))
            co_return Error{Errc::protocol_error, "the listing of folders has no end"};
    }
    co_return folders;
}

awaitable<Result<ListedFolders>> list_folders(Api& api, std::string mailbox_id) {
    ListedFolders listed;
    std::set<std::string> seen;
    std::deque<std::string> parents{""};
    while (!parents.empty()) {
        auto const parent = std::move(parents.front());
        parents.pop_front();
        auto level = co_await list_level(api, mailbox_id, parent);
        if (!level) {
            // Deleted since its parent was listed.
            if (!parent.empty() && level.error().code == Errc::folder_unreadable) continue;
            co_return level.error();
        }
        for (auto& folder : *level) {
            // Paging over a list that changes may name a folder twice.
            if (!seen.insert(folder.id).second) continue;
            if (folder.child_folders > 0 && !is_left_with_all_below(folder))
                parents.push_back(folder.id);
            listed.folders.push_back(std::move(folder));
        }
        if (listed.folders.size() > folders_max)
            co_return Error{Errc::protocol_error, "the listing of folders has no end"};
    }
    auto const asked = co_await ask_names(api, mailbox_id, listed);
    if (!asked) co_return asked.error();
    co_return listed;
}

}  // namespace mailferry::graph
