#pragma once

/// Keeps what a fetch delivers.

#include "transport/session.hpp"

#include <map>
#include <string>

namespace mailferry::graph {

class KeepingReceiver final : public transport::ItemReceiver {
public:
    struct Item {
        transport::ItemMeta meta;
        std::string bytes;
        std::uint64_t bytes_max = 0;
    };

    awaitable<Result<void>> begin(std::uint64_t bytes_max) override {
        present_ = {};
        present_.bytes_max = bytes_max;
        ++begun;
        if (refuse_begin) co_return *refuse_begin;
        co_return Result<void>{};
    }
    awaitable<Result<void>> piece(std::span<std::byte const> bytes) override {
        present_.bytes.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        largest_piece = std::max(largest_piece, bytes.size());
        co_return Result<void>{};
    }
    awaitable<Result<void>> end(transport::ItemMeta meta) override {
        present_.meta = meta;
        items[meta.name] = std::move(present_);
        present_ = {};
        co_return Result<void>{};
    }
    void failed(transport::ItemNumber number, Error error) override {
        failures.emplace(number, std::move(error));
    }

    std::map<std::string, Item> items;
    std::map<transport::ItemNumber, Error> failures;
    std::optional<Error> refuse_begin;
    int begun = 0;
    std::size_t largest_piece = 0;

private:
    Item present_;
};

inline transport::ItemRef ref_to(std::string name, transport::ItemNumber number,
                                 std::uint64_t size) {
    transport::ItemMeta meta;
    meta.name = std::move(name);
    meta.number = number;
    meta.size = size;
    meta.version = "listed";
    meta.identity = "identity of " + meta.name;
    transport::ItemRef ref;
    ref.number = number;
    ref.size = size;
    ref.named = std::make_shared<transport::ItemMeta const>(std::move(meta));
    return ref;
}

}  // namespace mailferry::graph
