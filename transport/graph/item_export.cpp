#include "transport/graph/item_export.hpp"

#include "transport/graph/export_reader.hpp"
#include "transport/graph/paths.hpp"
#include "transport/http/item_body.hpp"

#include <algorithm>
#include <deque>

namespace mailferry::graph {
namespace {

using Outcome = ExportReader::Outcome;
using Wanted = ExportReader::Wanted;

constexpr std::size_t batch_items_max = 20;
constexpr std::uint64_t batch_bytes_max = 32 << 20;
constexpr std::size_t items_before_growing = 20;
constexpr std::uint32_t bound_factor_max = 2;
constexpr std::chrono::milliseconds first_byte_limit{300'000};

/// One item on its way.
struct Item {
    Wanted wanted;
    std::uint32_t failures = 0;
    bool alone = false;  ///< Not to be gathered beside others.
};

class Exporter {
public:
    Exporter(Api& api, std::string mailbox_id, BatchSize& batch, transport::ItemReceiver& receiver)
        : api_(api), mailbox_id_(std::move(mailbox_id)), batch_(batch), receiver_(receiver) {}

    awaitable<Result<void>> run(std::vector<transport::ItemRef> items);

private:
    std::vector<Item> take_batch();
    awaitable<Result<void>> fetch(std::vector<Item> items);
    awaitable<Result<void>> after_failure(std::vector<Item> items, Error error);
    void take_outcome(Item item, ExportReader::State const& state);
    bool may_try_again(Item& item) { return ++item.failures < api_.gate().limits().attempts_max; }
    void give_up(Item const& item, Error error) {
        receiver_.failed(item.wanted.item.number, std::move(error));
    }

    Api& api_;
    std::string mailbox_id_;
    BatchSize& batch_;
    transport::ItemReceiver& receiver_;
    std::deque<Item> left_;
    std::uint32_t busy_ = 0;  ///< Answers in a row with items that want another try.
    bool any_busy_ = false;
};

std::string export_request(std::vector<Item> const& items) {
    std::string body = "{\"itemIds\":[";
    for (auto const& item : items) {
        if (&item != &items.front()) body += ',';
        body.append(http::json_quoted(item.wanted.item.named->name));
    }
    return body.append("]}");
}

/// Of the body, with room for what isn't data.
std::uint64_t response_bytes_max(std::vector<Item> const& items) {
    std::uint64_t bytes = 1 << 20;
    for (auto const& item : items)
        bytes += http::base64_size(stream_bytes_max(
                     std::max(item.wanted.item.size, gathered_bytes_max), bound_factor_max)) +
                 4'096;
    return bytes;
}

awaitable<Result<void>> Exporter::run(std::vector<transport::ItemRef> items) {
    for (auto& ref : items) {
        if (ref.named == nullptr || ref.named->name.empty()) continue;
        Item item;
        item.wanted.item = std::move(ref);
        left_.push_back(std::move(item));
    }
    while (!left_.empty()) {
        any_busy_ = false;
        auto const fetched = co_await fetch(take_batch());
        if (!fetched) co_return fetched.error();
        busy_ = any_busy_ ? busy_ + 1 : 0;
        if (busy_ == 0) continue;
        if (!co_await api_.pause_before(busy_))
            co_return Error{Errc::connection_lost, "the session was cut"};
    }
    co_return Result<void>{};
}

std::vector<Item> Exporter::take_batch() {
    std::vector<Item> batch;
    std::uint64_t bytes = 0;
    auto const items_max = std::min(batch_.items(), batch_items_max);
    while (!left_.empty() && batch.size() < items_max) {
        auto& next = left_.front();
        bool const fits = bytes + next.wanted.item.size <= batch_bytes_max && !next.alone;
        if (!batch.empty() && !fits) break;
        bytes += next.wanted.item.size;
        bool const alone = next.alone;
        batch.push_back(std::move(next));
        left_.pop_front();
        if (alone) break;
    }
    return batch;
}

awaitable<Result<void>> Exporter::fetch(std::vector<Item> items) {
    std::vector<Wanted> wanted;
    for (auto const& item : items) wanted.push_back(item.wanted);
    ExportReader reader(std::move(wanted), receiver_);
    Call call;
    call.method = "POST";
    call.url = paths::mailbox(mailbox_id_) + "/exportItems";
    call.body = export_request(items);
    call.divisible = true;
    call.first_byte_limit = first_byte_limit;
    call.response_bytes_max = response_bytes_max(items);
    auto const answer = co_await api_.call(std::move(call), reader);
    if (reader.receiver_error()) co_return *reader.receiver_error();
    if (!answer) {
        // What has come whole is delivered; the rest is asked for again.
        std::erase_if(items, [&](Item const& item) {
            auto const state = reader.items().find(item.wanted.item.named->name);
            return state != reader.items().end() && state->second.outcome == Outcome::delivered;
        });
        auto error = answer.error();
        bool const curable = error.code == Errc::item_too_large ||
                             error.code == Errc::protocol_error ||
                             disposition_of(error.code) == Disposition::retry_now;
        if (!curable) co_return error;
        co_return co_await after_failure(std::move(items), std::move(error));
    }
    if (!answer->good()) {
        auto error = error_of(answer->refusal, Subject::source_item, "exporting items");
        co_return co_await after_failure(std::move(items), std::move(error));
    }
    for (auto& item : items) {
        auto const state = reader.items().find(item.wanted.item.named->name);
        if (state != reader.items().end()) take_outcome(std::move(item), state->second);
    }
    co_return Result<void>{};
}

/// The request as a whole failed. Halves of it may do better.
awaitable<Result<void>> Exporter::after_failure(std::vector<Item> items, Error error) {
    if (items.empty()) co_return Result<void>{};
    bool const too_much = error.code == Errc::item_too_large || error.code == Errc::timed_out ||
                          error.code == Errc::unavailable || error.code == Errc::protocol_error;
    // Of a batch that is refused as a whole, one item may be to blame.
    bool const refused = disposition_of(error.code) == Disposition::skip_item;
    bool const broken = error.code == Errc::connection_lost;
    if (items.size() > 1 && (too_much || refused)) {
        batch_.halve();
    } else if (items.size() == 1 && refused) {
        if (error.code != Errc::item_vanished) give_up(items.front(), std::move(error));
        co_return Result<void>{};
    } else if (!too_much && !broken) {
        co_return error;
    }
    std::uint32_t failures = 0;
    for (auto& item : items) failures = std::max(failures, ++item.failures);
    if (failures >= api_.gate().limits().attempts_max) co_return error;
    for (auto item = items.rbegin(); item != items.rend(); ++item)
        left_.push_front(std::move(*item));
    any_busy_ = !refused;
    co_return Result<void>{};
}

void Exporter::take_outcome(Item item, ExportReader::State const& state) {
    switch (state.outcome) {
    case Outcome::delivered: batch_.delivered(1); return;
    case Outcome::outgrown:
        if (item.wanted.bound_factor >= bound_factor_max)
            return give_up(
                item, Error{Errc::item_damaged, "more than twice as long as the service lists it"});
        item.wanted.bound_factor *= 2;
        item.alone = true;
        left_.push_front(std::move(item));
        return;
    case Outcome::too_large_to_gather:
        if (!may_try_again(item))
            return give_up(
                item, Error{Errc::item_damaged, "the service doesn't tell whose data it sends"});
        item.alone = true;
        left_.push_front(std::move(item));
        return;
    case Outcome::open:
        // Not mentioned: asked for once more, then it counts as gone.
        if (++item.failures <= 1) left_.push_back(std::move(item));
        return;
    case Outcome::refused: break;
    }
    auto error = error_of(state.refusal, Subject::source_item, "exporting an item");
    if (error.code == Errc::item_vanished) return;
    bool const later = error.code == Errc::unavailable || error.code == Errc::throttled;
    if (later && may_try_again(item)) {
        any_busy_ = true;
        left_.push_back(std::move(item));
        return;
    }
    if (later) error.code = Errc::item_damaged;
    give_up(item, std::move(error));
}

}  // namespace

void BatchSize::delivered(std::size_t items) {
    delivered_ += items;
    if (delivered_ < items_before_growing || items_ >= batch_items_max) return;
    delivered_ = 0;
    items_ = std::min(batch_items_max, items_ + std::max<std::size_t>(1, items_ / 4));
}

awaitable<Result<void>> export_items(Api& api, std::string mailbox_id,
                                     std::vector<transport::ItemRef> items, BatchSize& batch,
                                     transport::ItemReceiver& receiver) {
    Exporter exporter(api, std::move(mailbox_id), batch, receiver);
    co_return co_await exporter.run(std::move(items));
}

}  // namespace mailferry::graph
