#pragma once

/// A mail system in memory behind the session interface, with faults on demand: what the engine's
/// tests copy from and into. One process, no sockets.

#include "transport/session.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace mailferry::test {

using namespace mailferry::transport;

struct MemoryItem {
    ItemNumber number = 0;
    std::string bytes;
    Flags flags;
    ReceivedDate received;
    std::string name;     ///< Only where the server names items.
    int version = 1;      ///< Of a named item.
    std::string content;  ///< Of a named item: what stays equal while `bytes` differ. "": bytes.

    ItemMeta meta() const {
        if (name.empty()) return {number, {}, received, flags, bytes.size(), {}, {}};
        auto const& identity = content.empty() ? bytes : content;
        return {0, name, received, flags, bytes.size(), "v" + std::to_string(version), identity};
    }
};

struct MemoryFolder {
    Folder folder;
    std::string generation = "1";
    ItemNumber next = 1;
    std::vector<MemoryItem> items;
    std::uint64_t changes = 0;
    std::vector<MemoryItem> hidden;  ///< Appear with the next store, which is refused.

    void add(std::string bytes, Flags flags = {}, ReceivedDate received = {1'700'000'000, 0}) {
        items.push_back({next++, std::move(bytes), std::move(flags), received, {}, 1, {}});
        ++changes;
    }
    MemoryItem& add_named(std::string name, std::string bytes) {
        add(std::move(bytes));
        items.back().name = std::move(name);
        return items.back();
    }
    MemoryItem* named(std::string const& name) {
        auto const found = std::find_if(items.begin(), items.end(),
                                        [&](MemoryItem const& held) { return held.name == name; });
        return found == items.end() ? nullptr : &*found;
    }
    MemoryItem const* item(ItemNumber number) const {
        auto const found = std::find_if(items.begin(), items.end(), [&](MemoryItem const& held) {
            return held.number == number;
        });
        return found == items.end() ? nullptr : &*found;
    }
    std::string mark() const {
        return generation + ":" + std::to_string(next) + ":" + std::to_string(items.size()) + ":" +
               std::to_string(changes);
    }
};

/// What goes wrong, counted down over all calls. 0: never.
struct Faults {
    int lose_fetch_after_items = 0;  ///< The n-th delivered item is followed by a lost connection.
    int lose_answer_of_group = 0;    ///< The n-th store commits, but its answer is lost.
    /// The n-th store commits, its answer is lost and the items don't show: a server was killed
    /// between its files and its index.
    int hide_group = 0;
    int lose_group_before_commit = 0;     ///< The n-th store ends without having committed.
    std::set<std::string> refused_bytes;  ///< Items with these bytes are refused.
    bool group_verdicts = true;           ///< A refused item refuses its group as a whole.
    std::optional<Error> login;
    std::set<std::string> refused_folders;  ///< By display path.
    bool target_stands_still =
        false;  ///< store() waits until it is cleared and `resumed` notified.
};

class MemoryMailbox {
public:
    MemoryFolder& folder(FolderPath path, FolderRole role = FolderRole::none) {
        auto const id = display(path);
        auto& found = folders_[id];
        if (!found) {
            found = std::make_unique<MemoryFolder>();
            found->folder.id = id;
            found->folder.path = std::move(path);
            found->folder.role = role;
        }
        return *found;
    }
    MemoryFolder* find(std::string const& id) {
        auto const found = folders_.find(id);
        return found == folders_.end() ? nullptr : found->second.get();
    }
    std::map<std::string, std::unique_ptr<MemoryFolder>>& all() { return folders_; }

private:
    std::map<std::string, std::unique_ptr<MemoryFolder>> folders_;
};

struct MemoryServer {
    explicit MemoryServer(asio::any_io_executor executor) : resumed(std::move(executor)) {}
    std::map<std::string, MemoryMailbox> mailboxes;
    Faults faults;
    Event resumed;
    std::set<void const*> stored_on;  ///< Sessions.
    bool names_items = false;         ///< Opaque items with names, versions and identities.
    int logins = 0, fetches = 0, groups = 0, scans = 0, names_given = 0;
    unsigned items_delivered = 0;
    std::function<awaitable<void>()> before_list;  ///< Of a source: awaited in folders().
};

/// State that both kinds of session share.
class MemorySessionState {
public:
    explicit MemorySessionState(MemoryServer& server) : server_(server) {
        capabilities_.marks_cover_flags = true;
        capabilities_.numbers_after_store = true;
        if (server.names_items) capabilities_.format = ItemFormat::exchange_stream;
        capabilities_.atomic_groups = true;
        capabilities_.server = "memory";
    }
    Result<void> sign_in(OpenMailbox const& request) {
        ++server_.logins;
        if (server_.faults.login) return *server_.faults.login;
        auto const found = server_.mailboxes.find(request.mailbox);
        if (found == server_.mailboxes.end())
            return Error{Errc::mailbox_refused, "no such mailbox " + request.mailbox};
        mailbox_ = &found->second;
        return {};
    }
    Result<std::vector<Folder>> list() const {
        std::vector<Folder> folders;
        for (auto const& [id, held] : mailbox_->all()) {
            folders.push_back(held->folder);
            folders.back().items = held->items.size();
            folders.back().mark = held->mark();
        }
        return folders;
    }

protected:
    MemoryServer& server_;
    MemoryMailbox* mailbox_ = nullptr;
    Capabilities capabilities_;
    bool alive_ = true;
};

inline std::span<std::byte const> bytes_of(std::string const& text) {
    return std::as_bytes(std::span<char const>(text.data(), text.size()));
}

inline awaitable<Result<void>> deliver(MemoryItem item, ItemNumber number, ItemReceiver& receiver) {
    auto begun = co_await receiver.begin(item.bytes.size());
    if (!begun) co_return begun.error();
    if (!item.bytes.empty()) {
        auto taken = co_await receiver.piece(bytes_of(item.bytes));
        if (!taken) co_return taken.error();
    }
    auto meta = item.meta();
    meta.number = number;
    co_return co_await receiver.end(std::move(meta));
}

class MemorySource final : public SourceSession, MemorySessionState {
public:
    using MemorySessionState::MemorySessionState;
    Capabilities const& capabilities() const override { return capabilities_; }
    awaitable<Result<void>> open(OpenMailbox request) override { co_return sign_in(request); }
    awaitable<Result<std::vector<Folder>>> folders() override {
        if (server_.before_list) co_await server_.before_list();
        co_return list();
    }
    awaitable<Result<ScanResult>> scan(Folder folder, ScanRequest, ScanSink& sink) override {
        ++server_.scans;
        auto* const held = mailbox_->find(folder.id);
        if (held == nullptr) co_return Error{Errc::folder_unreadable, folder.id};
        for (auto const& item : held->items) sink.item(item.meta());
        co_return ScanResult{held->generation, held->mark(), true, 0};
    }
    awaitable<Result<void>> fetch(Folder folder, std::string generation, std::vector<ItemRef> items,
                                  ItemReceiver& receiver) override {
        ++server_.fetches;
        auto* const held = mailbox_->find(folder.id);
        if (held->generation != generation) co_return Error{Errc::folder_replaced, folder.id};
        for (auto const& ref : items) {
            auto const* const item =
                ref.named ? held->named(ref.named->name) : held->item(ref.number);
            if (item == nullptr) continue;
            ++server_.items_delivered;
            auto const taken = co_await deliver(*item, ref.number, receiver);
            if (!taken) co_return taken.error();
            auto& countdown = server_.faults.lose_fetch_after_items;
            if (countdown > 0 && --countdown == 0) {
                alive_ = false;
                co_return Error{Errc::connection_lost, "fetch"};
            }
        }
        co_return Result<void>{};
    }
    awaitable<Result<void>> ping() override { co_return Result<void>{}; }
    awaitable<void> close() override { co_return; }
    void cut() override { alive_ = false; }
    bool alive() const override { return alive_; }
};

class MemoryTarget final : public TargetSession, MemorySessionState {
public:
    using MemorySessionState::MemorySessionState;
    Capabilities const& capabilities() const override { return capabilities_; }
    awaitable<Result<void>> open(OpenMailbox request) override { co_return sign_in(request); }
    awaitable<Result<std::vector<Folder>>> folders() override { co_return list(); }
    awaitable<Result<Folder>> create_folder(Folder wanted) override {
        if (server_.faults.refused_folders.contains(display(wanted.path)))
            co_return Error{Errc::folder_refused, "CREATE", "no such name here"};
        co_return mailbox_->folder(wanted.path, wanted.role).folder;
    }
    awaitable<Result<void>> subscribe(Folder folder, bool subscribed) override {
        mailbox_->find(folder.id)->folder.subscribed = subscribed;
        co_return Result<void>{};
    }
    awaitable<Result<FolderPosition>> position(Folder folder) override {
        auto* const held = mailbox_->find(folder.id);
        if (held == nullptr) co_return Error{Errc::folder_refused, folder.id};
        co_return FolderPosition{held->generation, server_.names_items ? 0 : held->next};
    }
    awaitable<Result<StoreResult>> store(Folder folder, std::vector<StoreItem> items,
                                         BeforeCommit before_commit) override {
        ++server_.groups;
        server_.stored_on.insert(this);
        while (server_.faults.target_stands_still && alive_) co_await server_.resumed.wait();
        if (!alive_) co_return Error{Errc::connection_lost, "cut"};
        std::vector<std::string> bodies;
        for (auto& item : items) {
            auto& body = bodies.emplace_back();
            for (;;) {
                auto const piece = co_await item.reader->next();
                if (!piece) co_return piece.error();
                if (piece->empty()) break;
                body.append(reinterpret_cast<char const*>(piece->data()), piece->size());
            }
        }
        if (auto& countdown = server_.faults.lose_group_before_commit;
            countdown > 0 && --countdown == 0) {
            alive_ = false;
            co_return Error{Errc::connection_lost, "store"};
        }
        auto const allowed = co_await before_commit();
        if (!allowed) co_return allowed.error();
        co_return commit(*mailbox_->find(folder.id), items, bodies);
    }
    awaitable<Result<std::string>> list(Folder folder, ListRequest request,
                                        std::function<void(FoundItem)> found) override {
        auto* const held = mailbox_->find(folder.id);
        for (auto const& item : held->items)
            if (item.number >= request.from) found({item.meta()});
        co_return held->generation;
    }
    awaitable<Result<void>> read_back(Folder folder, ItemRef copy,
                                      ItemReceiver& receiver) override {
        auto const* const item = mailbox_->find(folder.id)->item(copy.number);
        if (item == nullptr) co_return Result<void>{};
        co_return co_await deliver(*item, copy.number, receiver);
    }
    awaitable<Result<void>> change_flags(Folder folder, std::vector<ItemNumber> numbers, Flags add,
                                         Flags remove) override {
        for (auto& item : mailbox_->find(folder.id)->items) {
            if (std::find(numbers.begin(), numbers.end(), item.number) == numbers.end()) continue;
            for (auto const& flag : remove) std::erase(item.flags, flag);
            item.flags.insert(item.flags.end(), add.begin(), add.end());
        }
        co_return Result<void>{};
    }
    awaitable<Result<void>> ping() override { co_return Result<void>{}; }
    awaitable<void> close() override { co_return; }
    void cut() override {
        alive_ = false;
        server_.resumed.notify_all();
    }
    bool alive() const override { return alive_; }

private:
    using MemorySessionState::list;
    Result<StoreResult> commit(MemoryFolder& held, std::vector<StoreItem> const& items,
                               std::vector<std::string> const& bodies) {
        auto& faults = server_.faults;
        StoreResult result{held.generation, std::vector<StoredItem>(items.size()), false};
        if (!held.hidden.empty()) {
            for (auto& item : std::exchange(held.hidden, {}))
                held.add(item.bytes, {}, item.received);
            for (auto& item : result.items) item.refused = Error{Errc::unavailable, "APPEND"};
            result.group_refused = true;
            return result;
        }
        bool const refusal = std::any_of(bodies.begin(), bodies.end(), [&](auto const& body) {
            return faults.refused_bytes.contains(body);
        });
        if (refusal && faults.group_verdicts) {
            for (auto& item : result.items) item.refused = Error{Errc::item_refused, "APPEND"};
            result.group_refused = true;
            return result;
        }
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (faults.refused_bytes.contains(bodies[i])) {
                result.items[i].refused = Error{Errc::item_refused, "APPEND"};
                continue;
            }
            auto* const earlier = held.named(items[i].replaces);
            if (!items[i].replaces.empty() && earlier == nullptr) {
                result.items[i].refused = Error{Errc::item_refused, "no such item to replace"};
                continue;
            }
            if (server_.names_items && earlier != nullptr && !items[i].replaces.empty()) {
                earlier->bytes = bodies[i];
                ++earlier->version;
                result.items[i].name = earlier->name;
                continue;
            }
            if (!server_.names_items) result.items[i].number = held.next;
            held.add(bodies[i], items[i].flags, items[i].received);
            if (!server_.names_items) continue;
            held.items.back().name = "copy-" + std::to_string(++server_.names_given);
            result.items[i].name = held.items.back().name;
        }
        if (faults.hide_group > 0 && --faults.hide_group == 0) {
            alive_ = false;
            auto const first = held.items.end() - static_cast<std::ptrdiff_t>(items.size());
            held.hidden.assign(first, held.items.end());
            held.items.erase(first, held.items.end());
            held.next -= items.size();
            return Error{Errc::doubtful, "APPEND"};
        }
        if (faults.lose_answer_of_group > 0 && --faults.lose_answer_of_group == 0) {
            alive_ = false;
            return Error{Errc::doubtful, "APPEND"};
        }
        return result;
    }
};

}  // namespace mailferry::test
