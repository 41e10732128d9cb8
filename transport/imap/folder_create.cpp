#include "transport/imap/folder_create.hpp"

#include "transport/imap/server_error.hpp"

#include <algorithm>
#include <vector>

namespace mailferry::imap {

using transport::Folder;
using transport::FolderPath;

namespace {

class Creation {
public:
    Creation(Link& link, NameSpace space, Folder wanted)
        : link_(link), space_(std::move(space)), wanted_(std::move(wanted)) {}

    awaitable<Result<Folder>> run() {
        if (wanted_.role == transport::FolderRole::inbox) wanted_.path = {"INBOX"};
        std::vector<std::string> tried;
        for (auto const& path : candidate_paths())
            for (auto const bending : {Bending::separators, Bending::cautious, Bending::plain}) {
                auto const id = id_for(path, space_, bending);
                if (std::find(tried.begin(), tried.end(), id) != tried.end()) continue;
                tried.push_back(id);
                auto made = co_await make(id, path, bending);
                if (!made) co_return made.error();
                if (*made) co_return finish(std::move(**made));
            }
        co_return refusal_.value_or(Error{Errc::folder_refused, "the target lists no such folder"})
            .in("create folder=" + transport::display(wanted_.path));
    }

private:
    /// A server that allows no children of INBOX gets them at top level.
    std::vector<FolderPath> candidate_paths() const {
        std::vector<FolderPath> paths{wanted_.path};
        if (wanted_.path.size() > 1 && wanted_.path.front() == "INBOX")
            paths.emplace_back(wanted_.path.begin() + 1, wanted_.path.end());
        return paths;
    }

    /// The folder; nothing if the target won't have it under this name.
    awaitable<Result<std::optional<Folder>>> make(std::string id, FolderPath path,
                                                  Bending bending) {
        if (id == "INBOX") co_return co_await find(id);
        auto created = co_await create(id, true);
        if (!created) co_return created.error();
        auto found = co_await find(id);
        if (!found || *found || *created || path.size() < 2) co_return found;
        // RFC 3501 only advises servers to make the parents.
        for (std::size_t depth = 1; depth < path.size(); ++depth) {
            FolderPath const parent(path.begin(), path.begin() + depth);
            created = co_await create(id_for(parent, space_, bending), false);
            if (!created) co_return created.error();
        }
        created = co_await create(id, true);
        if (!created) co_return created.error();
        co_return co_await find(id);
    }

    /// What LIST shows now, if it can hold items.
    awaitable<Result<std::optional<Folder>>> find(std::string id) {
        auto found = co_await find_folder(link_, std::move(id));
        if (!found && link_.alive() && found.error().code == Errc::folder_refused)
            co_return std::optional<Folder>{};
        if (!found) co_return found.error();
        if (*found && !(*found)->holds_items) co_return std::optional<Folder>{};
        co_return found;
    }

    /// Whether the server said OK. Its reason is kept otherwise.
    awaitable<Result<bool>> create(std::string id, bool with_use) {
        auto const attribute = attribute_of(wanted_.role);
        auto const uses = with_use && !attribute.empty() && link_.facts().has("CREATE-SPECIAL-USE");
        for (bool special = uses;; special = false) {
            auto writer = link_.command();
            writer.text(" CREATE ").astring(link_.wire_name(id));
            if (special) writer.text(" (USE (").text(attribute).text("))");
            auto command = std::move(writer).finish();
            if (!command) {
                refusal_ = command.error();
                co_return false;
            }
            auto const status = co_await link_.connection().run(std::move(*command));
            if (!status) co_return status.error();
            if (status->kind == StatusKind::ok) co_return true;
            // The use may be taken or the parameter unknown: the folder counts for more.
            if (special) continue;
            if (auto const pause = pause_asked(*status, "CREATE")) co_return *pause;
            auto const is_full = status->is("OVERQUOTA");
            refusal_ =
                refusal(*status, is_full ? Errc::over_quota : Errc::folder_refused, "CREATE");
            co_return false;
        }
    }

    Folder finish(Folder folder) const {
        if (folder.role == transport::FolderRole::none) folder.role = wanted_.role;
        folder.kind = wanted_.kind;
        return folder;
    }

    Link& link_;
    NameSpace const space_;
    Folder wanted_;
    std::optional<Error> refusal_;
};

}  // namespace

awaitable<Result<Folder>> create_folder(Link& link, Folder wanted) {
    auto space = co_await ask_space(link);
    if (!space) co_return space.error();
    Creation creation(link, std::move(*space), std::move(wanted));
    co_return co_await creation.run();
}

}  // namespace mailferry::imap
