#include "tests/contract/doubles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace mailferry::contract {

namespace {

constexpr std::size_t piece_bytes = 4'096;

std::string key_of(transport::ItemMeta const& meta) {
    return meta.name.empty() ? "#" + std::to_string(meta.number) : meta.name;
}

template <class Items>
std::vector<std::int64_t> dates_in(Items const& items) {
    std::set<std::int64_t> dates;
    for (auto const& [key, meta] : items) dates.insert(meta.received.unix_seconds);
    EXPECT_EQ(dates.size(), items.size()) << "two items under one date";
    return {dates.begin(), dates.end()};
}

}  // namespace

void Listing::item(transport::ItemMeta meta) {
    EXPECT_NE(meta.number == 0, meta.name.empty()) << "an item has a number or a name";
    auto const key = key_of(meta);
    listed_.insert_or_assign(key, meta);
    items_.insert_or_assign(key, std::move(meta));
}

void Listing::vanished(transport::ItemNumber first, transport::ItemNumber last) {
    std::erase_if(items_, [&](auto const& entry) {
        auto const number = entry.second.number;
        return entry.second.name.empty() && number >= first && number <= last;
    });
}

void Listing::vanished_item(std::string const& name) { items_.erase(name); }

void Listing::begin() { listed_.clear(); }

void Listing::end(transport::ScanResult const& result) {
    if (result.complete) items_ = listed_;
}

std::vector<std::int64_t> Listing::dates() const { return dates_in(items_); }
std::vector<std::int64_t> Listing::dates_listed() const { return dates_in(listed_); }

std::vector<transport::ItemRef> Listing::refs() const {
    std::vector<transport::ItemRef> refs;
    for (auto const& [key, meta] : items_) {
        transport::ItemRef ref;
        ref.size = meta.size;
        ref.number = meta.number;
        if (!meta.name.empty()) {
            auto named = meta;
            ref.number = named.number = refs.size() + 1;
            ref.named = std::make_shared<transport::ItemMeta const>(std::move(named));
        }
        refs.push_back(std::move(ref));
    }
    return refs;
}

Receiver::~Receiver() { close(); }

awaitable<Result<void>> Receiver::step() {
    EXPECT_FALSE(closed_) << "a receiver was called after its fetch";
    if (!on_step) co_return Result<void>{};
    co_return co_await on_step();
}

awaitable<Result<void>> Receiver::begin(std::uint64_t bytes_max) {
    EXPECT_FALSE(open_) << "begin() in the midst of an item";
    open_ = true;
    bytes_.clear();
    bytes_max_ = bytes_max;
    return step();
}

awaitable<Result<void>> Receiver::piece(std::span<std::byte const> bytes) {
    EXPECT_TRUE(open_) << "piece() without begin()";
    // Copied before anybody waits, and looked at again behind it: the bytes stay until then.
    auto const place = bytes_.size();
    bytes_.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    EXPECT_LE(bytes_.size(), bytes_max_);
    auto const answer = co_await step();
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(),
                           std::as_bytes(std::span(bytes_)).subspan(place).begin()));
    co_return answer;
}

awaitable<Result<void>> Receiver::end(transport::ItemMeta meta) {
    EXPECT_TRUE(open_) << "end() without begin()";
    open_ = false;
    auto const date = meta.received.unix_seconds;
    EXPECT_FALSE(items.contains(date)) << "an item was delivered twice";
    items[date] = Copy{std::move(meta), std::move(bytes_)};
    bytes_.clear();
    return step();
}

void Receiver::failed(transport::ItemNumber number, Error error) {
    EXPECT_FALSE(closed_) << "a receiver was called after its fetch";
    open_ = false;
    failures.emplace(number, std::move(error));
}

std::vector<std::int64_t> Receiver::dates() const {
    std::vector<std::int64_t> dates;
    for (auto const& [date, copy] : items) dates.push_back(date);
    return dates;
}

awaitable<Result<std::span<std::byte const>>> CopyReader::next() {
    if (on_step) on_step();
    auto const rest = std::as_bytes(std::span(bytes_)).subspan(place_);
    auto const piece = rest.first(std::min(rest.size(), piece_bytes));
    place_ += piece.size();
    co_return piece;
}

std::vector<transport::StoreItem> items_of(std::vector<Copy> const& copies,
                                           std::function<void()> on_step) {
    std::vector<transport::StoreItem> items;
    for (auto const& copy : copies) {
        auto reader = std::make_shared<CopyReader>(copy.bytes);
        reader->on_step = on_step;
        transport::StoreItem item;
        item.received = copy.meta.received;
        item.flags = copy.meta.flags;
        item.reader = std::move(reader);
        items.push_back(std::move(item));
    }
    return items;
}

namespace {

awaitable<Result<void>> count_commit(std::size_t* calls, Result<void> answer,
                                     std::function<void()> on_call) {
    ++*calls;
    if (on_call) on_call();
    co_return answer;
}

}  // namespace

transport::BeforeCommit commit(std::size_t& calls, Result<void> answer,
                               std::function<void()> on_call) {
    return [calls = &calls, answer = std::move(answer), on_call = std::move(on_call)] {
        return count_commit(calls, answer, on_call);
    };
}

}  // namespace mailferry::contract
