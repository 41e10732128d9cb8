#pragma once

/// What the ledger's tests share: a scratch directory, values made from a number, and a way to
/// await from plain code.

#include "async/asio.hpp"
#include "store/ledger_sqlite.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::store {

/// A folder of its own for a ledger, gone at the end.
class ScratchDirectory : public test::TemporaryFolder {
public:
    std::filesystem::path file() const { return path() / "ledger.sqlite"; }
};

/// Runs the context until `task` has ended.
template <class T>
T await(asio::io_context& context, awaitable<T> task) {
    std::optional<T> result;
    asio::co_spawn(
        context,
        [](awaitable<T> inner, std::optional<T>& out) -> awaitable<void> {
            out.emplace(co_await std::move(inner));
        }(std::move(task), result),
        asio::detached);
    context.restart();
    context.run();
    return std::move(*result);
}

inline void await(asio::io_context& context, awaitable<void> task) {
    asio::co_spawn(context, std::move(task), asio::detached);
    context.restart();
    context.run();
}

inline ItemRecord item_of(FolderId folder, ItemId id, std::uint64_t number) {
    ItemRecord item;
    item.id = id;
    item.folder = folder;
    item.number = number;
    item.size = 1000 + number;
    item.digest.fill(static_cast<std::byte>(number));
    item.fingerprint = 0xF000'0000'0000'0000U + number;
    item.received = 1'600'000'000 + static_cast<std::int64_t>(number) * 60;
    item.zone_minutes = -90;
    item.flags = {"\\Seen", "keyword with blank"};
    item.location = {7, 4096 * number, 4096 * number + 2000};
    return item;
}

inline ItemRecord hot_item_of(FolderId folder, ItemId id, std::uint64_t number) {
    auto item = item_of(folder, id, number);
    item.location = {};
    return item;
}

inline ItemRecord failed_item_of(FolderId folder, ItemId id, std::uint64_t number) {
    auto item = hot_item_of(folder, id, number);
    item.state = ItemState::failed;
    item.reason = "item_refused";
    item.detail = "NO too ugly";
    item.exported = "quarantine/1.eml";
    item.attempts = 3;
    return item;
}

inline StoredRecord stored_of(std::uint64_t number) {
    return {number, number + 100, 0xF000'0000'0000'0000U + number,
            1'600'000'000 + static_cast<std::int64_t>(number) * 60, 1000 + number, {"\\Seen"}};
}

/// Stored by a target that names its items.
inline StoredRecord named_of(std::uint64_t number, std::string target_name) {
    auto record = stored_of(number);
    record.target_number = 0;
    record.target_name = std::move(target_name);
    return record;
}

/// As a mail system names its items: 152 characters, of which the first 108 are the mailbox's.
inline std::string long_name(std::mt19937_64& random) {
    static constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string name(108, 'A');
    while (name.size() < 152) name.push_back(letters[random() % letters.size()]);
    return name;
}

inline FolderRecord folder_of(PairId pair, std::string name) {
    FolderRecord folder;
    folder.pair = pair;
    folder.source_id = name;
    folder.source_path = "Path/" + name;
    folder.target_path = "Target/" + name;
    folder.generation = "g1";
    return folder;
}

/// A ledger with one pair and one folder, driven from plain code.
struct OpenLedger {
    explicit OpenLedger(std::filesystem::path const& file, SqliteLedgerOptions options = {}) {
        auto opened = SqliteLedger::open(file, options);
        if (!opened) {
            ADD_FAILURE() << opened.error().describe();
            return;
        }
        ledger = std::move(*opened);
        auto const made =
            await(context, ledger->open_pair("merger", "a@old.example", "a@new.example"));
        EXPECT_TRUE(made) << made.error().describe();
        pair = made->id;
        auto const folders = await(context, ledger->folders(pair));
        EXPECT_TRUE(folders);
        if (!folders->empty()) folder = folders->front().id;
        else folder = *await(context, ledger->save_folder(folder_of(pair, "INBOX")));
    }

    template <class T>
    T operator()(awaitable<T> task) {
        return await(context, std::move(task));
    }
    void close() { await(context, ledger->close()); }

    ItemRecord item(std::uint64_t number) {
        return item_of(folder, ledger->next_item_id(), number);
    }
    ItemRecord hot(std::uint64_t number) {
        return hot_item_of(folder, ledger->next_item_id(), number);
    }
    IntentRecord intent(std::vector<ItemRecord> items) {
        return {ledger->next_group_id(), folder, "t1", 50, 1'700'000'000, std::move(items)};
    }
    std::vector<NumberRun> known() { return *(*this)(ledger->known_numbers(folder)); }

    asio::io_context context{1};
    std::unique_ptr<SqliteLedger> ledger;
    PairId pair{};
    FolderId folder{};
};

/// Items `first` and on, `count` of them, stored at the target as stored_of() says.
inline void store_range(OpenLedger& open, std::uint64_t first, std::uint64_t count) {
    std::vector<ItemRecord> items;
    std::vector<StoredRecord> stored;
    for (auto n = first; n < first + count; ++n) {
        items.push_back(open.hot(n));
        stored.push_back(stored_of(n));
    }
    auto const intent = open.intent(std::move(items));
    ASSERT_TRUE(open(open.ledger->open_intent(intent)));
    ASSERT_TRUE(open(open.ledger->close_intent(intent.id, "t1", stored, {})));
}

/// Opens a file that has to be refused with `code`, under its name; returns what was said.
inline std::string refusal_of(std::filesystem::path const& file, Errc code) {
    auto const opened = SqliteLedger::open(file);
    EXPECT_FALSE(opened);
    if (opened) return {};
    EXPECT_EQ(opened.error().code, code);
    EXPECT_NE(opened.error().context.find(file.string()), std::string::npos)
        << opened.error().context;
    return opened.error().context;
}

/// Alters the file as an outsider would.
inline void alter(std::filesystem::path const& file, char const* sql) {
    auto database = Database::open(file, 0);
    ASSERT_TRUE(database) << database.error().describe();
    auto const done = database->execute(sql);
    ASSERT_TRUE(done) << done.error().describe();
    ASSERT_TRUE(database->close());
}

inline void PrintTo(NumberRun const& run, std::ostream* out) {
    *out << run.first << "-" << run.last;
}

}  // namespace mailferry::store
