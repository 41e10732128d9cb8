#include "tests/support/graphsim/mutation.hpp"

#include "tests/support/graphsim/seeded_items.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cmath>
#include <stdexcept>

namespace graphsim {

namespace json = boost::json;

namespace {

constexpr std::string_view all_kinds[] = {"deliver", "delete", "move", "edit", "flag"};
constexpr auto tick = std::chrono::milliseconds{10};

/// Where people keep things: not in what the system made for itself.
bool holds_copies(Folder const& folder) {
    constexpr std::string_view common[] = {"inbox",     "sentitems", "drafts",   "archive",
                                           "junkemail", "calendar",  "contacts", "deleteditems",
                                           "tasks",     "notes"};
    if (folder.search || folder.hidden) return false;
    if (!folder.made_by_system) return true;
    return std::find(std::begin(common), std::end(common), folder.well_known) != std::end(common);
}

/// A folder of a person's own, by chance; `like` wants the same class.
Folder const* some_folder(Mailbox const& box, Random& random, Folder const* like, bool with_items) {
    std::vector<Folder const*> found;
    for (auto const& [key, folder] : box.folders()) {
        if (!holds_copies(folder) || &folder == like) continue;
        if (with_items && folder.items.empty()) continue;
        if (like != nullptr && folder.folder_class != like->folder_class) continue;
        found.push_back(&folder);
    }
    return found.empty() ? nullptr : found[random.below(found.size())];
}

ItemKey some_item(Folder const& folder, Random& random) {
    auto each = folder.items.begin();
    std::advance(each, static_cast<std::ptrdiff_t>(random.below(folder.items.size())));
    return *each;
}

}  // namespace

void Mutation::plan(json::object const& plan) {
    auto const number = [&](std::string_view name, double otherwise) {
        auto const* value = plan.if_contains(name);
        return value == nullptr ? otherwise : value->to_number<double>();
    };
    auto const texts = [&](std::string_view name) {
        auto const* value = plan.if_contains(name);
        return value == nullptr ? std::vector<std::string>{}
                                : json::value_to<std::vector<std::string>>(*value);
    };
    auto kinds = texts("kinds");
    if (kinds.empty()) kinds.assign(std::begin(all_kinds), std::end(all_kinds));
    for (auto const& kind : kinds) {
        if (std::find(std::begin(all_kinds), std::end(all_kinds), kind) == std::end(all_kinds)) {
            throw std::invalid_argument("no such kind of change: " + kind);
        }
    }
    auto mailboxes = texts("mailboxes");
    for (auto& mailbox : mailboxes) mailbox = world_.place_of(mailbox).user->mailbox->id();
    kinds_ = std::move(kinds);
    mailboxes_ = std::move(mailboxes);
    rate_ = mailboxes_.empty() ? 0 : number("rate", 0);
    random_ = Random(static_cast<std::uint64_t>(number("seed", 1)));
    left_ = static_cast<std::uint64_t>(number("max", 1e15));
    next_ = world_.clock.now();
}

void Mutation::change_now(std::uint64_t count) {
    for (std::uint64_t n = 0; n < count && !mailboxes_.empty(); ++n) one_change();
}

json::object Mutation::counts() const {
    json::object counts;
    for (auto const& [kind, count] : done_) counts[kind] = count;
    return counts;
}

boost::asio::awaitable<void> Mutation::run() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (;;) {
        timer.expires_after(tick);
        co_await timer.async_wait(boost::asio::use_awaitable);
        while (rate_ > 0 && left_ > 0 && next_ <= world_.clock.now()) {
            one_change();
            --left_;
            next_ += seconds(-std::log(1 - random_.unit()) / rate_);
        }
    }
}

void Mutation::one_change() {
    auto& box = *world_.place_of(mailboxes_[random_.below(mailboxes_.size())]).user->mailbox;
    auto const& kind = kinds_[random_.below(kinds_.size())];
    if (change(box, kind)) ++done_[kind];
}

bool Mutation::change(Mailbox& box, std::string const& kind) {
    auto const now = world_.clock.now();
    if (kind == "deliver") {
        SeedPlan plan;
        plan.kind = random_.chance(0.3) ? "attachment" : "mail";
        plan.seed = random_.next();
        plan.newest = now;
        plan.owner = box.owner();
        box.add_item(box.well_known("inbox"), seeded_item(plan), now);
        return true;
    }
    auto const* folder = some_folder(box, random_, nullptr, true);
    if (folder == nullptr) return false;
    auto const key = some_item(*folder, random_);
    if (kind == "move") {
        auto const* place = some_folder(box, random_, folder, false);
        if (place == nullptr) return false;
        box.move_item(key, place->key, now);
    } else if (kind == "delete") {
        auto const bin = box.well_known("deleteditems");
        if (random_.chance(0.5) && folder->key != bin) {
            box.move_item(key, bin, now);
        } else {
            box.remove_item(key);
        }
    } else if (kind == "edit") {
        box.replace_item(key, edited(box.item(key)->logical, random_), now);
    } else {
        auto logical = box.item(key)->logical;
        if (random_.chance(0.5)) {
            logical.message_flags ^= LogicalItem::read;
        } else {
            logical.flag_status = (logical.flag_status + 1) % 3;
        }
        box.replace_item(key, std::move(logical), now);
    }
    return true;
}

}  // namespace graphsim
