#include "transport/graph/item_listing.hpp"

#include "transport/graph/paths.hpp"
#include "transport/graph/properties.hpp"

#include <algorithm>

namespace mailferry::graph {
namespace {

constexpr std::uint32_t page_items_first = 500;
constexpr std::uint32_t page_items_min = 10;
constexpr std::string_view delta_page = "odata.maxpagesize=500";
/// So many single questions are as dear as a page.
constexpr std::uint64_t singles_for_a_page = 4;
/// So many dates make a filter of some 2 KB.
constexpr std::size_t dates_at_once = 10;

}  // namespace

awaitable<Result<void>> ItemListing::begin(Api& api, std::string since) {
    complete_ = since.empty();
    if (!complete_) {
        auto const known = co_await round(api, std::move(since));
        if (!known) co_return known.error();
        if (*known) {
            choose_way();
            co_return Result<void>{};
        }
        complete_ = true;
    }
    // What is selected says what counts as a change; the key changes with everything.
    auto const done =
        co_await round(api, paths::items(mailbox_id_, folder_id_) + "/delta?$select=id,changeKey");
    if (!done) co_return done.error();
    if (!*done)
        co_return Error{Errc::unavailable, "the service lost its state of the folder at once"};
    choose_way();
    co_return Result<void>{};
}

/// One round; false if the server doesn't know the state it should start from.
awaitable<Result<bool>> ItemListing::round(Api& api, std::string url) {
    ids_.clear();
    removed_.clear();
    mark_.clear();
    while (mark_.empty()) {
        ItemPage page(PageHandler::Shape::page);
        Call call;
        call.url = url;
        call.prefer = delta_page;
        auto const answer = co_await api.call(std::move(call), page);
        if (!answer) co_return answer.error();
        if (!answer->good() && is_resync(answer->refusal)) co_return false;
        if (!answer->good())
            co_return error_of(answer->refusal, Subject::source_folder, "listing changes");
        // An item may come more than once: the last word counts.
        for (auto& item : page.items) {
            if (!item.removed) {
                ids_.emplace(std::move(item.id), false);
            } else {
                ids_.erase(item.id);
                removed_.push_back(std::move(item.id));
            }
        }
        mark_ = std::move(page.delta_link);
        if (!mark_.empty()) break;
        if (page.next_link.empty() || page.next_link == url)
            co_return Error{Errc::protocol_error, "a round of changes without an end"};
        url = std::move(page.next_link);
    }
    std::erase_if(removed_, [this](std::string const& id) { return ids_.contains(id); });
    if (complete_) removed_.clear();
    co_return true;
}

void ItemListing::choose_way() {
    page_items_ = page_items_first;
    next_page_ = paths::items(mailbox_id_, folder_id_) + paths::item_options(page_items_);
    single_ = ids_.begin();
    auto const pages = items_listed_ / page_items_first + 1;
    bool const few = !complete_ && ids_.size() <= pages * singles_for_a_page;
    way_ = few ? Way::singles : Way::pages;
    if (ids_.empty()) way_ = Way::done;
}

awaitable<Result<bool>> ItemListing::next(Api& api, std::uint32_t items_max,
                                          std::function<void(GraphItem)> const& found) {
    std::size_t handed_out = 0;
    while (way_ != Way::done && handed_out < items_max) {
        Result<std::size_t> taken = std::size_t{0};
        if (way_ == Way::pages)
            taken = co_await take_page(api, found);
        else
            taken = co_await take_single(api, found);
        if (!taken) co_return taken.error();
        handed_out += *taken;
    }
    co_return way_ == Way::done;
}

/// Marks `id` as handed out; false if it was, or isn't asked for.
bool ItemListing::is_wanted(std::string const& id) {
    auto const known = ids_.find(id);
    if (known != ids_.end()) return !std::exchange(known->second, true);
    // New since the round: the next one will name it, too.
    if (complete_) ids_.emplace(id, true);
    return complete_;
}

awaitable<Result<std::size_t>> ItemListing::take_page(Api& api,
                                                      std::function<void(GraphItem)> const& found) {
    ItemPage page(PageHandler::Shape::page);
    Call call;
    call.url = next_page_;
    call.divisible = page_items_ > page_items_min;
    auto const answer = co_await api.call(std::move(call), page);
    bool const too_slow = answer ? answer->status == 504 : answer.error().code == Errc::timed_out;
    if (too_slow && page_items_ > page_items_min) {
        // From the start with smaller pages: what is out already isn't handed out again.
        page_items_ = std::max(page_items_min, page_items_ / 2);
        next_page_ = paths::items(mailbox_id_, folder_id_) + paths::item_options(page_items_);
        co_return 0;
    }
    if (!answer) co_return answer.error();
    if (!answer->good())
        co_return error_of(answer->refusal, Subject::source_folder, "listing items");
    std::size_t handed_out = 0;
    for (auto& item : page.items) {
        if (!is_wanted(item.id)) continue;
        ++handed_out;
        found(std::move(item));
    }
    if (page.next_link == next_page_)
        co_return Error{Errc::protocol_error, "a listing of items without an end"};
    next_page_ = std::move(page.next_link);
    if (next_page_.empty()) {
        way_ = Way::singles;
        single_ = ids_.begin();
    }
    co_return handed_out;
}

/// Asks for the next one that hasn't been handed out.
awaitable<Result<std::size_t>> ItemListing::take_single(
    Api& api, std::function<void(GraphItem)> const& found) {
    while (single_ != ids_.end() && single_->second) ++single_;
    if (single_ == ids_.end()) {
        way_ = Way::done;
        ids_.clear();
        co_return 0;
    }
    auto item = co_await read_item(api, mailbox_id_, folder_id_, single_->first);
    if (!item) co_return item.error();
    single_->second = true;
    // Gone since the round: the next one will say so.
    if (!*item) co_return 0;
    found(std::move(**item));
    co_return 1;
}

awaitable<Result<std::optional<GraphItem>>> read_item(Api& api, std::string mailbox_id,
                                                      std::string folder_id, std::string item_id) {
    ItemPage single(PageHandler::Shape::single);
    Call call;
    call.url = paths::item(mailbox_id, folder_id, item_id) + paths::item_options();
    auto const answer = co_await api.call(std::move(call), single);
    if (!answer) co_return answer.error();
    if (!answer->good()) {
        auto error = error_of(answer->refusal, Subject::source_item, "reading an item's metadata");
        if (error.code == Errc::item_vanished) co_return std::optional<GraphItem>();
        co_return error;
    }
    if (single.items.empty()) co_return std::optional<GraphItem>();
    co_return std::optional<GraphItem>(std::move(single.items.front()));
}

awaitable<Result<bool>> find_received(Api& api, std::string mailbox_id, std::string folder_id,
                                      std::vector<std::int64_t> unix_seconds,
                                      std::function<void(GraphItem)> const& found) {
    auto const options =
        paths::items(mailbox_id, folder_id) + paths::item_options(page_items_first);
    std::span<std::int64_t const> rest(unix_seconds);
    while (!rest.empty()) {
        auto const now = rest.first(std::min(dates_at_once, rest.size()));
        rest = rest.subspan(now.size());
        auto next = options + paths::filter(received_filter(now));
        while (!next.empty()) {
            ItemPage page(PageHandler::Shape::page);
            Call call;
            call.url = std::exchange(next, std::string());
            auto const answer = co_await api.call(std::move(call), page);
            if (!answer) co_return answer.error();
            if (answer->status == 400 || answer->status == 501) co_return false;
            if (!answer->good())
                co_return error_of(answer->refusal, Subject::target_folder, "looking for items");
            for (auto& item : page.items) found(std::move(item));
            next = std::move(page.next_link);
        }
    }
    co_return true;
}

}  // namespace mailferry::graph
