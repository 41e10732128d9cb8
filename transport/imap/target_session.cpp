#include "transport/imap/target_session.hpp"

#include "transport/imap/body_fetch.hpp"
#include "transport/imap/flags.hpp"
#include "transport/imap/folder_create.hpp"
#include "transport/imap/folder_list.hpp"
#include "transport/imap/sequence_set.hpp"
#include "transport/imap/server_error.hpp"
#include "transport/imap/source_session.hpp"

#include <utility>

namespace mailferry::imap {

using transport::Folder;
using transport::FolderPosition;
using transport::ItemNumber;

namespace {

/// UID FETCH of metadata, to be sent behind a selection.
awaitable<Result<void>> fetch_meta(Link& link, std::string set,
                                   std::function<void(transport::ItemMeta)> found) {
    auto const hear = [&found](imap::Event& event) {
        auto* const end = std::get_if<FetchEnd>(&event);
        if (end == nullptr) return std::holds_alternative<FetchBegin>(event);
        auto const& items = end->items;
        if (items.uid && items.rfc822_size) found(meta_of(std::move(end->items)));
        return true;
    };
    auto built = std::move(link.command()
                               .text(" UID FETCH ")
                               .text(set)
                               .text(" (UID FLAGS INTERNALDATE RFC822.SIZE)"))
                     .finish();
    auto const status = co_await link.connection().run(std::move(*built), hear);
    if (!status) co_return status.error();
    if (status->kind != StatusKind::ok)
        co_return refusal(*status, Errc::folder_refused, "UID FETCH");
    co_return Result<void>{};
}

/// The folder as it is now: opened anew, even if it is open.
awaitable<Result<std::shared_ptr<Selection>>> select_anew(Link& link, std::string id,
                                                          bool writable) {
    auto turn = co_await link.connection().turn();
    link.forget_selection();
    auto selection = co_await link.select(std::move(id), writable);
    turn.release();
    if (!selection) co_return selection.error();
    auto const opened = co_await link.selected(*selection, Errc::folder_refused);
    if (!opened) co_return opened.error();
    co_return selection;
}

}  // namespace

TargetSession::TargetSession(std::unique_ptr<Link> link)
    : link_(std::move(link)), capabilities_(capabilities_of(link_->facts())) {}

awaitable<Result<void>> TargetSession::open(transport::OpenMailbox request) {
    folders_known_.clear();
    auto const opened = co_await link_->open(std::move(request));
    if (opened) capabilities_ = capabilities_of(link_->facts());
    co_return opened;
}

awaitable<Result<std::vector<Folder>>> TargetSession::folders() { return list_folders(*link_); }

awaitable<Result<Folder>> TargetSession::create_folder(Folder wanted) {
    return imap::create_folder(*link_, std::move(wanted));
}

awaitable<Result<void>> TargetSession::subscribe(Folder folder, bool subscribed) {
    auto built = std::move(link_->command()
                               .text(subscribed ? " SUBSCRIBE " : " UNSUBSCRIBE ")
                               .astring(link_->wire_name(folder.id)))
                     .finish();
    if (!built) co_return built.error();
    auto const status = co_await link_->connection().run(std::move(*built));
    if (!status) co_return status.error();
    if (status->kind != StatusKind::ok)
        co_return refusal(*status, Errc::folder_refused, subscribed ? "SUBSCRIBE" : "UNSUBSCRIBE");
    co_return Result<void>{};
}

awaitable<Result<FolderPosition>> TargetSession::position(Folder folder) {
    auto const selection = co_await select_anew(*link_, folder.id, true);
    if (!selection) co_return selection.error();
    auto const& state = **selection;
    AppendFolder known;
    known.id = folder.id;
    known.uidvalidity = state.uidvalidity.value_or(0);
    known.permanent_flags = state.permanent_flags;
    folders_known_.insert_or_assign(folder.id, std::move(known));
    FolderPosition position;
    position.generation = std::to_string(state.uidvalidity.value_or(0));
    position.next = state.uidnext.value_or(1);
    if (!state.uidnext && state.exists > 0) {
        auto const found = co_await fetch_meta(*link_, "*", [&](transport::ItemMeta meta) {
            position.next = std::max(position.next, meta.number + 1);
        });
        if (!found) co_return found.error();
    }
    co_return position;
}

awaitable<Result<transport::StoreResult>> TargetSession::store(
    Folder folder, std::vector<transport::StoreItem> items, transport::BeforeCommit before_commit) {
    if (!folders_known_.contains(folder.id)) {
        auto const looked = co_await position(folder);
        if (!looked) co_return looked.error();
    }
    auto known = folders_known_.at(folder.id);
    co_return co_await append_group(*link_, std::move(known), std::move(items),
                                    std::move(before_commit));
}

awaitable<Result<std::string>> TargetSession::list(
    Folder folder, transport::ListRequest request,
    std::function<void(transport::FoundItem)> found) {
    auto const selection = co_await select_anew(*link_, folder.id, false);
    if (!selection) co_return selection.error();
    auto const generation = std::to_string((*selection)->uidvalidity.value_or(0));
    auto const from = std::max<ItemNumber>(request.from, 1);
    if ((*selection)->exists == 0 || from > UINT32_MAX) co_return generation;
    auto const listed =
        co_await fetch_meta(*link_, std::to_string(from) + ":*", [&](transport::ItemMeta meta) {
            // `n:*` gives the last one even if its number is smaller.
            if (meta.number >= from) found(transport::FoundItem{std::move(meta)});
        });
    if (!listed) co_return listed.error();
    co_return generation;
}

awaitable<Result<void>> TargetSession::read_back(Folder folder, transport::ItemRef item,
                                                 transport::ItemReceiver& receiver) {
    if (item.number == 0 || item.number > UINT32_MAX) co_return Result<void>{};
    auto const uid = static_cast<std::uint32_t>(item.number);
    co_return co_await fetch_bodies(*link_, folder.id, std::nullopt, UidSet(uid, uid), receiver);
}

awaitable<Result<void>> TargetSession::change_flags(Folder folder, std::vector<ItemNumber> numbers,
                                                    transport::Flags add, transport::Flags remove) {
    UidSet uids;
    for (auto const number : numbers)
        if (number > 0 && number <= UINT32_MAX) uids.insert(static_cast<std::uint32_t>(number));
    if (uids.empty()) co_return Result<void>{};
    auto turn = co_await link_->connection().turn();
    auto const selection = co_await link_->select(folder.id, true);
    turn.release();
    if (!selection) co_return selection.error();
    auto const opened = co_await link_->selected(*selection, Errc::folder_refused);
    if (!opened) co_return opened.error();
    AppendFolder known;
    known.permanent_flags = (*selection)->permanent_flags;
    for (auto const& [verb, wanted] :
         {std::pair(" +FLAGS.SILENT ", &add), std::pair(" -FLAGS.SILENT ", &remove)}) {
        auto const flags = flags_kept(*wanted, known, link_->facts().quirks);
        if (flags.empty()) continue;
        for (auto const& part : uids.split()) {
            auto built =
                std::move(
                    link_->command().text(" UID STORE ").uids(part).text(verb).flag_list(flags))
                    .finish();
            if (!built) co_return built.error();
            auto const status = co_await link_->connection().run(std::move(*built));
            if (!status) co_return status.error();
            if (status->kind != StatusKind::ok)
                co_return refusal(*status, Errc::folder_refused, "UID STORE");
        }
    }
    co_return Result<void>{};
}

}  // namespace mailferry::imap
