#include "transport/graph/target_session.hpp"

#include "config/text.hpp"
#include "transport/graph/item_import.hpp"
#include "transport/graph/item_listing.hpp"
#include "transport/graph/paths.hpp"
#include "transport/graph/rights_check.hpp"
#include "transport/graph/source_session.hpp"
#include "transport/http/item_body.hpp"

#include <algorithm>
#include <set>

namespace mailferry::graph {
namespace {

using transport::Folder;

constexpr int name_attempts_max = 20;
constexpr std::uint32_t page_items_max = 20'000;

/// Where a folder's parent isn't listed, it stands at the top: "".
std::string parent_of(GraphFolder const& folder, std::vector<GraphFolder> const& listed) {
    bool const known = std::any_of(listed.begin(), listed.end(), [&](GraphFolder const& other) {
        return other.id == folder.parent_id && other.id != folder.id;
    });
    return known ? folder.parent_id : std::string();
}

}  // namespace

TargetSession::TargetSession(std::shared_ptr<App> app)
    : api_(std::move(app)),
      capabilities_(graph::capabilities(api_.gate().limits())),
      sessions_(api_) {}

awaitable<Result<void>> TargetSession::open(transport::OpenMailbox request) {
    listed_.reset();
    sessions_.forget();
    mailbox_id_.clear();
    api_.act_for(request.mailbox);
    auto id = co_await find_mailbox(api_, std::move(request.mailbox));
    if (!id) co_return id.error();
    mailbox_id_ = std::move(*id);
    co_return Result<void>{};
}

awaitable<Result<std::vector<Error>>> TargetSession::obstacles() {
    co_return co_await missing_target_rights(api_, sessions_, mailbox_id_);
}

awaitable<Result<void>> TargetSession::load_tree() {
    auto listed = co_await list_folders(api_, mailbox_id_);
    if (!listed) {
        if (listed.error().code == Errc::mailbox_refused)
            api_.app().mailbox_ids.erase(api_.mailbox());
        co_return listed.error();
    }
    listed_ = std::move(*listed);
    co_return Result<void>{};
}

awaitable<Result<std::vector<Folder>>> TargetSession::folders() {
    auto const loaded = co_await load_tree();
    if (!loaded) co_return loaded.error();
    co_return tree_of(listed_->folders, listed_->names).folders;
}

awaitable<Result<Folder>> TargetSession::create_folder(Folder wanted) {
    if (wanted.path.empty()) co_return Error{Errc::folder_refused, "a folder without a name"};
    if (!listed_) {
        auto const loaded = co_await load_tree();
        if (!loaded) co_return loaded.error();
    }
    if (wanted.role != transport::FolderRole::none) {
        for (auto& folder : tree_of(listed_->folders, listed_->names).folders)
            if (folder.role == wanted.role) co_return std::move(folder);
    }
    Folder made = wanted;
    made.path.clear();
    made.native_class = class_of(wanted);
    std::string parent;  // "": the top.
    for (std::size_t depth = 0; depth < wanted.path.size(); ++depth) {
        bool const last = depth + 1 == wanted.path.size();
        auto const folder_class = last ? made.native_class : std::string();
        auto step = co_await find_or_make(parent, wanted.path[depth], folder_class);
        if (!step) co_return step.error().in("folder " + transport::display(wanted.path));
        parent = std::move(step->id);
        made.path.push_back(std::move(step->name));
    }
    made.id = parent;
    made.items = 0;
    co_return made;
}

/// `folder_class` "": a folder on the way; any class will do, and mail is what a new one gets.
awaitable<Result<TargetSession::Made>> TargetSession::find_or_make(std::string parent,
                                                                   std::string name,
                                                                   std::string folder_class) {
    auto tried = name;
    bool listed_again = false;
    for (int copy = 2; copy <= name_attempts_max;) {
        bool taken = false;
        for (auto const& folder : listed_->folders) {
            bool const namesake = config::fold_case(folder.name) == config::fold_case(tried) &&
                                  parent_of(folder, listed_->folders) == parent;
            if (!namesake) continue;
            bool const ours = !folder.search_folder &&
                              (folder_class.empty() || same_class(folder.type, folder_class));
            if (ours) co_return Made{folder.id, folder.name};
            taken = true;
        }
        if (!taken) {
            auto const made_class = folder_class.empty() ? std::string("IPF.Note") : folder_class;
            auto id = co_await post_folder(parent, tried, made_class);
            if (id && !id->empty()) co_return Made{std::move(*id), std::move(tried)};
            if (!id) co_return id.error();
            // It is there already: made a moment ago, or under a name that is equal to the server.
            if (!std::exchange(listed_again, true)) {
                auto const loaded = co_await load_tree();
                if (!loaded) co_return loaded.error();
                continue;
            }
        }
        tried = name + " (" + std::to_string(copy++) + ")";
    }
    co_return Error{Errc::folder_refused, "all names like it are taken by other folders"};
}

/// The new folder's id; "" if there is one of that name.
awaitable<Result<std::string>> TargetSession::post_folder(std::string parent, std::string name,
                                                          std::string folder_class) {
    FolderPage single(PageHandler::Shape::single);
    Call call;
    call.method = "POST";
    call.url = parent.empty() ? paths::top_folders(mailbox_id_)
                              : paths::child_folders(mailbox_id_, parent);
    call.body = "{\"displayName\":" + http::json_quoted(name) +
                ",\"type\":" + http::json_quoted(folder_class) + "}";
    auto const answer = co_await api_.call(std::move(call), single);
    if (!answer) co_return answer.error();
    if (!answer->good()) {
        if (answer->refusal.says("ErrorFolderExists") || answer->status == 409)
            co_return std::string();
        co_return error_of(answer->refusal, Subject::target_folder, "making a folder");
    }
    if (single.folders.empty())
        co_return Error{Errc::protocol_error, "the answer doesn't tell the new folder's id"};
    GraphFolder made;
    made.id = single.folders.front().id;
    made.parent_id = std::move(parent);
    made.name = std::move(name);
    made.type = std::move(folder_class);
    auto id = made.id;
    listed_->folders.push_back(std::move(made));
    co_return id;
}

awaitable<Result<void>> TargetSession::subscribe(Folder, bool) { co_return Result<void>{}; }

awaitable<Result<transport::FolderPosition>> TargetSession::position(Folder) {
    transport::FolderPosition position;
    position.generation = mailbox_id_;
    position.next = 0;
    co_return position;
}

awaitable<Result<transport::StoreResult>> TargetSession::store(
    Folder folder, std::vector<transport::StoreItem> items, transport::BeforeCommit before_commit) {
    co_return co_await import_items(api_, sessions_, mailbox_id_, std::move(folder.id),
                                    std::move(items), std::move(before_commit));
}

awaitable<Result<std::string>> TargetSession::list(
    Folder folder, transport::ListRequest request,
    std::function<void(transport::FoundItem)> found) {
    std::function<void(GraphItem)> const hand_on = [&found](GraphItem item) {
        found(transport::FoundItem{meta_of(std::move(item))});
    };
    if (!request.received.empty()) {
        auto const filtered = co_await find_received(api_, mailbox_id_, folder.id,
                                                     std::move(request.received), hand_on);
        if (!filtered) co_return filtered.error();
        if (*filtered) co_return mailbox_id_;
    }
    ItemListing listing(mailbox_id_, folder.id, folder.items);
    auto const begun = co_await listing.begin(api_, std::string());
    if (!begun) co_return begun.error();
    for (;;) {
        auto const done = co_await listing.next(api_, page_items_max, hand_on);
        if (!done) co_return done.error();
        if (*done) co_return mailbox_id_;
    }
}

awaitable<Result<void>> TargetSession::read_back(Folder, transport::ItemRef item,
                                                 transport::ItemReceiver& receiver) {
    std::vector<transport::ItemRef> items;
    items.push_back(std::move(item));
    co_return co_await export_items(api_, mailbox_id_, std::move(items), batch_, receiver);
}

awaitable<Result<void>> TargetSession::change_flags(Folder, std::vector<transport::ItemNumber>,
                                                    transport::Flags, transport::Flags) {
    co_return Error{Errc::unsupported, "flags are part of the item"};
}

awaitable<Result<void>> TargetSession::ping() { co_return api_.living(); }

awaitable<void> TargetSession::close() {
    api_.cut();
    co_return;
}

}  // namespace mailferry::graph
