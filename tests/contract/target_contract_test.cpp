#include "tests/contract/contract_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace mailferry::contract {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::SizeIs;
using testing::UnorderedElementsAreArray;

constexpr std::size_t item_bytes = 3'000;
transport::ListRequest const everything;

class TargetContract : public ContractTest {};

TEST_P(TargetContract, AnUnknownMailboxIsRefusedAndAnotherOpens) {
    run([&]() -> awaitable<void> {
        auto session = need(co_await connector(Side::target).connect_target());
        auto const refused = co_await session->open(whom(service_->unknown_mailbox(Side::target)));
        EXPECT_FALSE(refused);
        if (!refused) {
            EXPECT_EQ(refused.error().code, Errc::mailbox_refused) << refused.error().describe();
        }
        if (!session->alive()) {
            co_await session->close();
            session = need(co_await connector(Side::target).connect_target());
        }
        need(co_await session->open(whom(service_->mailbox(Side::target))));
        EXPECT_FALSE(need(co_await session->folders()).empty());
        EXPECT_THAT(need(co_await session->obstacles()), IsEmpty());
        co_await session->close();
    });
}

TEST_P(TargetContract, AFolderIsMadeOnce) {
    auto const name = fresh_name();
    run([&]() -> awaitable<void> {
        Folder wanted;
        wanted.path = {name, "below", "and below that"};
        std::set<std::string> ids;
        for (int attempt = 0; attempt < 2; ++attempt) {
            auto const session = co_await open_target();
            for (int call = 0; call < 2; ++call) {
                auto const made = need(co_await session->create_folder(wanted));
                EXPECT_EQ(made.path, wanted.path);
                ids.insert(made.id);
                need(co_await session->subscribe(made, true));
            }
            auto const folders = need(co_await session->folders());
            for (std::size_t depth = 1; depth <= wanted.path.size(); ++depth) {
                transport::FolderPath const path(
                    wanted.path.begin(), wanted.path.begin() + static_cast<std::ptrdiff_t>(depth));
                auto const count =
                    std::count_if(folders.begin(), folders.end(),
                                  [&](Folder const& folder) { return folder.path == path; });
                EXPECT_EQ(count, 1) << transport::display(path);
            }
            co_await session->close();
        }
        EXPECT_THAT(ids, SizeIs(1));
    });
}

TEST_P(TargetContract, AFolderWithARoleIsTheMailboxsOwn) {
    run([&]() -> awaitable<void> {
        auto const session = co_await open_target();
        Folder wanted;
        wanted.path = {"INBOX"};
        wanted.role = transport::FolderRole::inbox;
        auto const made = need(co_await session->create_folder(wanted));
        auto const folders = need(co_await session->folders());
        auto const own = std::find_if(folders.begin(), folders.end(), [](Folder const& folder) {
            return folder.role == transport::FolderRole::inbox;
        });
        EXPECT_NE(own, folders.end());
        if (own != folders.end()) {
            EXPECT_EQ(own->id, made.id);
        }
        co_await session->close();
    });
}

// Goal: outcomes in order, each item there once under the name or number that the outcome tells,
// and before_commit asked once, ahead of all.
TEST_P(TargetContract, AGroupIsStoredInOrder) {
    auto const name = fresh_folder(Side::target);
    run([&]() -> awaitable<void> {
        auto const copies = co_await stock(7, item_bytes);
        auto const session = co_await open_target();
        auto const folder = co_await make(*session, name);
        auto const position = need(co_await session->position(folder));
        std::size_t asked = 0;
        std::vector<std::int64_t> there_before{0};
        auto const before =
            commit(asked, {}, [&] { there_before = service_->items_in(Side::target, name); });
        auto const stored = need(co_await session->store(folder, items_of(copies), before));
        EXPECT_EQ(asked, 1U);
        EXPECT_THAT(there_before, IsEmpty());
        EXPECT_EQ(stored.generation, position.generation);
        EXPECT_FALSE(stored.group_refused);
        EXPECT_THAT(stored.items, SizeIs(7));
        EXPECT_EQ(service_->items_in(Side::target, name), dates_of(copies));

        std::map<std::int64_t, transport::ItemMeta> found;
        auto const take = [&found](transport::FoundItem item) {
            auto const date = item.meta.received.unix_seconds;
            EXPECT_TRUE(found.emplace(date, std::move(item.meta)).second);
        };
        auto const generation = need(co_await session->list(folder, everything, take));
        EXPECT_EQ(generation, position.generation);
        EXPECT_THAT(found, SizeIs(7));
        for (std::size_t n = 0; n < stored.items.size(); ++n) {
            auto const& item = stored.items[n];
            EXPECT_FALSE(item.refused);
            auto const& meta = found[copies[n].meta.received.unix_seconds];
            EXPECT_EQ(meta.identity, copies[n].meta.identity);
            EXPECT_EQ(item.name, meta.name);
            if (item.number != 0) {
                EXPECT_EQ(item.number, meta.number);
                EXPECT_GE(item.number, position.next);
            }
            EXPECT_EQ(session->capabilities().numbers_after_store, item.number != 0);
        }
        auto const next = need(co_await session->position(folder)).next;
        for (auto const& [date, meta] : found) EXPECT_TRUE(next == 0 || meta.number < next) << date;
        co_await session->close();
    });
}

TEST_P(TargetContract, SeveralStoresAreUnderWayAtOnce) {
    auto const first_name = fresh_folder(Side::target);
    auto const second_name = fresh_folder(Side::target);
    run([&]() -> awaitable<void> {
        auto const copies = co_await stock(9, item_bytes);
        auto const session = co_await open_target();
        std::vector<Folder> folders;
        folders.push_back(co_await make(*session, first_name));
        folders.push_back(co_await make(*session, second_name));
        for (auto const& folder : folders) need(co_await session->position(folder));
        std::size_t asked[3] = {};
        Beside stores(executor());
        auto const store = [&](std::size_t which) -> awaitable<void> {
            auto const begin = copies.begin() + static_cast<std::ptrdiff_t>(which * 3);
            std::vector<Copy> const group(begin, begin + 3);
            auto const stored = need(
                co_await session->store(folders[which % 2], items_of(group), commit(asked[which])));
            for (auto const& item : stored.items) EXPECT_FALSE(item.refused);
            EXPECT_EQ(asked[which], 1U);
        };
        for (std::size_t which = 0; which < 3; ++which) stores.start(store(which));
        co_await stores.join();
        auto there = service_->items_in(Side::target, first_name);
        EXPECT_THAT(there, SizeIs(6));
        auto const others = service_->items_in(Side::target, second_name);
        there.insert(there.end(), others.begin(), others.end());
        EXPECT_THAT(there, UnorderedElementsAreArray(dates_of(copies)));
        co_await session->close();
    });
}

TEST_P(TargetContract, ANewerStateTakesThePlaceOfOurCopy) {
    auto const name = fresh_folder(Side::target);
    run([&]() -> awaitable<void> {
        auto const copies = co_await stock(2, item_bytes);
        std::vector<Copy> const old(copies.begin(), copies.begin() + 1);
        std::vector<Copy> const fresh(copies.begin() + 1, copies.end());
        auto const session = co_await open_target();
        auto const folder = co_await make(*session, name);
        std::size_t asked = 0;
        auto const stored = need(co_await session->store(folder, items_of(old), commit(asked)));
        // Where items have numbers, they never change but in their flags.
        auto const& earlier = stored.items.front().name;
        if (!earlier.empty()) {
            auto items = items_of(fresh);
            items.front().replaces = earlier;
            auto const again = need(co_await session->store(folder, items, commit(asked)));
            EXPECT_FALSE(again.items.front().refused);
            EXPECT_EQ(service_->items_in(Side::target, name), dates_of(fresh));
        }
        co_await session->close();
    });
}

TEST_P(TargetContract, FlagsAreChangedWhereTheCapabilitiesSaySo) {
    auto const name = fresh_folder(Side::target);
    run([&]() -> awaitable<void> {
        auto const copies = co_await stock(2, item_bytes);
        auto const session = co_await open_target();
        auto const folder = co_await make(*session, name);
        std::size_t asked = 0;
        auto const stored = need(co_await session->store(folder, items_of(copies), commit(asked)));
        std::vector<transport::ItemNumber> const numbers{stored.items.front().number};
        transport::Flags const add{"\\Flagged"}, remove{"\\Seen"};
        auto const changed = co_await session->change_flags(folder, numbers, add, remove);
        if (!session->capabilities().can_update_flags) {
            EXPECT_FALSE(changed);
            if (!changed) {
                EXPECT_EQ(changed.error().code, Errc::unsupported);
            }
            co_await session->close();
            co_return;
        }
        need(changed);
        std::map<std::int64_t, transport::Flags> flags;
        auto const take = [&flags](transport::FoundItem item) {
            flags[item.meta.received.unix_seconds] = item.meta.flags;
        };
        need(co_await session->list(folder, everything, take));
        EXPECT_EQ(flags[copies[0].meta.received.unix_seconds], add);
        EXPECT_EQ(flags[copies[1].meta.received.unix_seconds], copies[1].meta.flags);
        co_await session->close();
    });
}

TEST_P(TargetContract, AListHoldsAtLeastWhatIsSought) {
    auto const name = fresh_folder(Side::target);
    run([&]() -> awaitable<void> {
        auto const copies = co_await stock(6, item_bytes);
        auto const dates = dates_of(copies);
        auto const session = co_await open_target();
        auto const folder = co_await make(*session, name);
        EXPECT_THAT(co_await listed(*session, folder, everything), IsEmpty());
        std::size_t asked = 0;
        std::vector<Copy> const first(copies.begin(), copies.begin() + 3);
        std::vector<Copy> const rest(copies.begin() + 3, copies.end());
        need(co_await session->store(folder, items_of(first), commit(asked)));
        auto const position = need(co_await session->position(folder));
        need(co_await session->store(folder, items_of(rest), commit(asked)));
        EXPECT_EQ(asked, 2U);
        EXPECT_EQ(co_await listed(*session, folder, everything), dates);

        transport::ListRequest request;
        request.received = {dates[1], dates[4], dates[0] - 1'000'000};
        auto const by_date = co_await listed(*session, folder, request);
        EXPECT_THAT(by_date, IsSupersetOf({dates[1], dates[4]}));
        request.received.clear();
        request.from = position.next;
        auto const by_number = co_await listed(*session, folder, request);
        EXPECT_THAT(by_number, IsSupersetOf({dates[3], dates[4], dates[5]}));
        co_await session->close();
    });
}

TEST_P(TargetContract, WhatWasStoredIsReadBack) {
    auto const name = fresh_folder(Side::target);
    run([&]() -> awaitable<void> {
        auto const copies = co_await stock(2, item_bytes);
        auto const dates = dates_of(copies);
        auto const session = co_await open_target();
        auto const folder = co_await make(*session, name);
        std::size_t asked = 0;
        need(co_await session->store(folder, items_of(copies), commit(asked)));
        Listing listing;
        auto const take = [&listing](transport::FoundItem item) { listing.item(item.meta); };
        need(co_await session->list(folder, everything, take));
        auto const mime = session->capabilities().format == transport::ItemFormat::mime;
        for (auto const& ref : listing.refs()) {
            Receiver receiver;
            need(co_await session->read_back(folder, ref, receiver));
            EXPECT_THAT(receiver.items, SizeIs(1));
            for (auto const& [date, copy] : receiver.items) {
                auto const& sent = copies[date == dates[0] ? 0 : 1];
                EXPECT_EQ(date, sent.meta.received.unix_seconds);
                EXPECT_EQ(copy.bytes.size(), sent.bytes.size());
                EXPECT_TRUE(!mime || copy.bytes == sent.bytes);
            }
        }
        service_->remove_item(Side::target, name, dates[1]);
        std::size_t delivered = 0;
        for (auto const& ref : listing.refs()) {
            Receiver receiver;
            need(co_await session->read_back(folder, ref, receiver));
            EXPECT_THAT(receiver.failures, IsEmpty());
            delivered += receiver.items.size();
        }
        EXPECT_EQ(delivered, 1U);
        co_await session->close();
    });
}

TEST_P(TargetContract, AnErrorBeforeTheCommitLeavesNothingBehind) {
    auto const name = fresh_folder(Side::target);
    run([&]() -> awaitable<void> {
        auto const copies = co_await stock(3, item_bytes);
        for (std::size_t count = 1; count <= copies.size(); count += 2) {
            auto const session = co_await open_target();
            auto const folder = co_await make(*session, name);
            std::size_t asked = 0;
            Error const full{Errc::disk_full, "the test's disk"};
            std::vector<Copy> const group(copies.begin(),
                                          copies.begin() + static_cast<std::ptrdiff_t>(count));
            auto const outcome =
                co_await session->store(folder, items_of(group), commit(asked, full));
            EXPECT_FALSE(outcome);
            if (!outcome) {
                EXPECT_EQ(outcome.error().code, Errc::disk_full) << outcome.error().describe();
            }
            EXPECT_EQ(asked, 1U);
            EXPECT_FALSE(session->alive());
            co_await session->close();
            co_await settle();
            EXPECT_THAT(service_->items_in(Side::target, name), IsEmpty());
        }
        auto const session = co_await open_target();
        EXPECT_THAT(co_await listed(*session, co_await make(*session, name), everything),
                    IsEmpty());
        co_await session->close();
    });
}

TEST_P(TargetContract, AReaderThatFailsLeavesNothingInDoubt) {
    auto const name = fresh_folder(Side::target);
    run([&]() -> awaitable<void> {
        class Broken final : public transport::ItemReader {
        public:
            std::uint64_t size() const override { return item_bytes; }
            awaitable<Result<std::span<std::byte const>>> next() override {
                co_return Error{Errc::corrupt, "the test's spool"};
            }
            void rewind() override {}
        };
        auto const session = co_await open_target();
        auto const folder = co_await make(*session, name);
        transport::StoreItem item;
        item.received.unix_seconds = 1'500'000'000;
        item.reader = std::make_shared<Broken>();
        std::size_t asked = 0;
        std::vector<transport::StoreItem> items{item};
        auto const outcome = co_await session->store(folder, items, commit(asked));
        if (outcome) {
            EXPECT_TRUE(outcome->items.front().refused);
        } else {
            EXPECT_NE(outcome.error().code, Errc::doubtful) << outcome.error().describe();
        }
        co_await session->close();
        EXPECT_THAT(service_->items_in(Side::target, name), IsEmpty());
    });
}

TEST_P(TargetContract, AFolderThatVanishedIsSkipped) {
    auto const name = fresh_folder(Side::target);
    auto const neighbour = fresh_folder(Side::target);
    run([&]() -> awaitable<void> {
        auto const copies = co_await stock(2, item_bytes);
        auto session = co_await open_target();
        auto const folder = co_await make(*session, name);
        auto const other = co_await make(*session, neighbour);
        co_await session->close();
        service_->remove_folder(Side::target, name);

        session = co_await open_target();
        std::size_t asked = 0;
        auto const outcome = co_await session->store(folder, items_of(copies), commit(asked));
        EXPECT_EQ(disposition_of_failure(outcome), Disposition::skip_folder)
            << (outcome ? std::string() : outcome.error().describe());
        auto const ignore = [](transport::FoundItem) {};
        auto const listing = co_await session->list(folder, everything, ignore);
        EXPECT_EQ(disposition_of_failure(listing), Disposition::skip_folder)
            << (listing ? std::string() : listing.error().describe());
        need(co_await session->store(other, items_of(copies), commit(asked)));
        EXPECT_EQ(service_->items_in(Side::target, neighbour), dates_of(copies));
        co_await session->close();
    });
}

INSTANTIATE_TEST_SUITE_P(Services, TargetContract, testing::Values("imap", "graph"), service_name);

}  // namespace
}  // namespace mailferry::contract
