#pragma once

/// What a folder holds, or what of it has changed.
///
/// A round of the delta names the items, without gaps however the folder changes meanwhile, and
/// gives the mark for the next time. It tells neither dates nor keys: those come from the plain
/// listing, whose pages shift when the folder changes, so that whatever is missing there is asked
/// for by id (brief, 2.3 and 2.4).

#include "transport/graph/api.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace mailferry::graph {

class ItemListing {
public:
    ItemListing(std::string mailbox_id, std::string folder_id, std::uint64_t items_listed)
        : mailbox_id_(std::move(mailbox_id)),
          folder_id_(std::move(folder_id)),
          items_listed_(items_listed) {}

    /// Runs the round. `since`: a mark; "" or one that the server no longer knows: everything.
    awaitable<Result<void>> begin(Api& api, std::string since);

    std::string const& mark() const { return mark_; }
    bool complete() const { return complete_; }
    /// Ids that have left the folder; with complete() none.
    std::vector<std::string> take_removed() { return std::exchange(removed_, {}); }

    /// Hands out items until about `items_max` are out; true when none are left.
    awaitable<Result<bool>> next(Api& api, std::uint32_t items_max,
                                 std::function<void(GraphItem)> const& found);

private:
    enum class Way { pages, singles, done };
    awaitable<Result<bool>> round(Api& api, std::string url);
    awaitable<Result<std::size_t>> take_page(Api& api, std::function<void(GraphItem)> const& found);
    awaitable<Result<std::size_t>> take_single(Api& api,
                                               std::function<void(GraphItem)> const& found);
    bool is_wanted(std::string const& id);
    void choose_way();

    std::string mailbox_id_, folder_id_;
    std::uint64_t items_listed_;
    std::string mark_;
    bool complete_ = true;
    std::map<std::string, bool> ids_;  ///< To whether it has been handed out.
    std::vector<std::string> removed_;
    Way way_ = Way::pages;
    std::uint32_t page_items_ = 0;
    std::string next_page_;
    std::map<std::string, bool>::iterator single_;
};

/// One item with its dates and keys; nothing if it isn't in the folder.
awaitable<Result<std::optional<GraphItem>>> read_item(Api& api, std::string mailbox_id,
                                                      std::string folder_id, std::string item_id);

/// The folder's items that were received within one of these seconds, by a filter. False if the
/// service won't filter so (brief, 2.3): then the whole folder has to be listed.
awaitable<Result<bool>> find_received(Api& api, std::string mailbox_id, std::string folder_id,
                                      std::vector<std::int64_t> unix_seconds,
                                      std::function<void(GraphItem)> const& found);

}  // namespace mailferry::graph
