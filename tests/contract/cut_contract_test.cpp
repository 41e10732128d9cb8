// Connections that break at every step of every call.

#include "tests/contract/contract_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace mailferry::contract {
namespace {

using testing::IsEmpty;

constexpr std::size_t steps_max = 2'000;
transport::ListRequest const everything;

class CutContract : public ContractTest {
protected:
    /// Runs `attempt` with the connection cut at chunk 0, 1, 2, … from arm() on, until a run gets
    /// through unharmed. `stays`: nobody gets through until the attempt is over.
    void cut_at_every_step(std::function<awaitable<void>()> attempt, bool stays,
                           std::size_t chunk_bytes = 300) {
        relay_->chunk_bytes = chunk_bytes;
        bool harmed = true;
        std::size_t step = 0;
        for (; harmed && !HasFailure(); ++step) {
            ASSERT_LT(step, steps_max) << "the run must end without a cut at some point";
            SCOPED_TRACE(testing::Message() << "step=" << step << " stays=" << stays);
            harmed = false;
            armed_ = [this, step, stays, &harmed, seen = std::size_t{0}](Direction) mutable {
                if (seen++ != step) return Relay::Verdict::pass;
                harmed = true;
                relay_->closed = stays;
                return Relay::Verdict::cut;
            };
            run(attempt);
            mend();
        }
        EXPECT_GT(step, 1U);
        RecordProperty(stays ? "steps_stay" : "steps", std::to_string(step));
    }
    void arm() { relay_->on_chunk = armed_; }
    void mend() {
        relay_->on_chunk = nullptr;
        relay_->closed = false;
    }

private:
    std::function<Relay::Verdict(Direction)> armed_;
};

// A broken connection says nothing about certificates, credentials or mailboxes.
TEST_P(CutContract, ConnectingThatIsCutAnywhereIsTriedAgain) {
    for (auto const side : {Side::source, Side::target}) {
        auto const attempt = [&]() -> awaitable<void> {
            forget_connectors();
            auto const mailbox = service_->mailbox(side);
            auto const check = [](auto const& result) {
                EXPECT_TRUE(result || is_passing(result.error().code)) << result.error().describe();
                return result.has_value();
            };
            auto const open = [&](auto const& session) -> awaitable<void> {
                check(co_await session->open(whom(mailbox)));
                mend();
                co_await session->close();
            };
            arm();
            if (side == Side::source) {
                auto const session = co_await connector(side).connect_source();
                if (check(session)) co_await open(*session);
            } else {
                auto const session = co_await connector(side).connect_target();
                if (check(session)) co_await open(*session);
            }
            mend();
            auto const later = co_await open_source();
            co_await later->close();
            co_await settle();
        };
        for (bool const stays : {false, true}) cut_at_every_step(attempt, stays);
    }
}

TEST_P(CutContract, AFetchThatIsCutAnywhereLosesNothingAndInventsNothing) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 4, 6'000);
    Folder folder;
    Listing listing;
    Receiver whole;
    std::string generation;
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        folder = co_await find(*session, name);
        generation = (co_await scan(*session, folder, listing)).generation;
        need(co_await session->fetch(folder, generation, listing.refs(), whole));
        co_await session->close();
    });
    auto const attempt = [&]() -> awaitable<void> {
        auto const session = co_await open_source();
        Receiver receiver;
        arm();
        auto const fetched = co_await session->fetch(folder, generation, listing.refs(), receiver);
        mend();
        if (fetched) {
            EXPECT_EQ(receiver.dates(), dates);
        } else {
            EXPECT_TRUE(is_passing(fetched.error().code)) << fetched.error().describe();
        }
        EXPECT_THAT(receiver.failures, IsEmpty());
        for (auto const& [date, copy] : receiver.items)
            EXPECT_TRUE(copy.bytes == whole.items[date].bytes) << date;
        receiver.close();
        co_await session->close();
        co_await settle();
    };
    for (bool const stays : {false, true}) cut_at_every_step(attempt, stays, 1'024);
}

TEST_P(CutContract, AScanThatIsCutAnywhereFailsOrTellsEverything) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 12, 500);
    auto const attempt = [&]() -> awaitable<void> {
        auto const session = co_await open_source();
        arm();
        auto const folders = co_await session->folders();
        EXPECT_TRUE(folders || is_passing(folders.error().code)) << folders.error().describe();
        if (folders) {
            auto const own = std::find_if(folders->begin(), folders->end(), [&](auto const& each) {
                return each.path == transport::FolderPath{name};
            });
            EXPECT_NE(own, folders->end());
            Listing listing;
            transport::ScanRequest request;
            auto const result = co_await session->scan(*own, request, listing);
            EXPECT_TRUE(result || is_passing(result.error().code)) << result.error().describe();
            if (result) {
                listing.end(*result);
                EXPECT_EQ(listing.dates(), dates);
            }
        }
        mend();
        co_await session->close();
        co_await settle();
    };
    for (bool const stays : {false, true}) cut_at_every_step(attempt, stays);
}

TEST_P(CutContract, AFolderIsMadeOnceWhereverItIsCut) {
    auto const attempt = [&]() -> awaitable<void> {
        Folder wanted;
        wanted.path = {fresh_name()};
        auto session = co_await open_target();
        arm();
        auto const made = co_await session->create_folder(wanted);
        mend();
        EXPECT_TRUE(made || is_passing(made.error().code)) << made.error().describe();
        co_await session->close();
        session = co_await open_target();
        auto const again = need(co_await session->create_folder(wanted));
        EXPECT_EQ(again.path, wanted.path);
        if (made) {
            EXPECT_EQ(made->id, again.id);
        }
        auto const folders = need(co_await session->folders());
        auto const like_it =
            std::count_if(folders.begin(), folders.end(), [&](Folder const& folder) {
                return folder.path.front().starts_with(wanted.path.front() + " (") ||
                       folder.path == wanted.path;
            });
        EXPECT_EQ(like_it, 1);
        co_await session->close();
        service_->remove_folder(Side::target, wanted.path.front());
    };
    for (bool const stays : {false, true}) cut_at_every_step(attempt, stays);
}

// Goal: an outcome is the truth wherever the connection breaks. Method: the server's own list of
// what is there is held against the outcome; doubt is the one excuse.
TEST_P(CutContract, AStoreThatIsCutAnywhereTellsTheTruth) {
    struct Group {
        std::size_t items, item_bytes, chunk_bytes;
    };
    for (auto const& [items, item_bytes, chunk_bytes] :
         {Group{1, 2'500, 300}, Group{3, 2'500, 300}, Group{2, 60'000, 4'096}}) {
        SCOPED_TRACE(testing::Message() << items << " items of " << item_bytes << " bytes");
        std::vector<Copy> group;
        auto const fill_group = [&, count = items, bytes = item_bytes]() -> awaitable<void> {
            group = co_await stock(count, bytes);
        };
        run(fill_group);
        auto const attempt = [&]() -> awaitable<void> {
            auto const name = fresh_folder(Side::target);
            auto session = co_await open_target();
            auto const folder = co_await make(*session, name);
            need(co_await session->position(folder));
            std::size_t asked = 0;
            arm();
            auto const outcome = co_await session->store(folder, items_of(group), commit(asked));
            mend();
            EXPECT_LE(asked, 1U);
            auto const atomic = session->capabilities().atomic_groups;
            co_await session->close();
            co_await settle();
            if (!outcome) {
                EXPECT_TRUE(is_passing(outcome.error().code)) << outcome.error().describe();
            }
            expect_truth(name, group, outcome, atomic);
            session = co_await open_target();
            EXPECT_EQ(co_await listed(*session, co_await make(*session, name), everything),
                      service_->items_in(Side::target, name));
            co_await session->close();
            service_->remove_folder(Side::target, name);
        };
        for (bool const stays : {false, true}) cut_at_every_step(attempt, stays, chunk_bytes);
    }
}

// Two groups on one session: what breaks it is the truth about both.
TEST_P(CutContract, TwoStoresThatAreCutAnywhereTellTheTruth) {
    std::vector<Copy> copies;
    run([&]() -> awaitable<void> { copies = co_await stock(4, 2'500); });
    auto const attempt = [&]() -> awaitable<void> {
        auto const session = co_await open_target();
        std::string const names[] = {fresh_folder(Side::target), fresh_folder(Side::target)};
        std::vector<Copy> const groups[] = {{copies.begin(), copies.begin() + 2},
                                            {copies.begin() + 2, copies.end()}};
        std::vector<Folder> folders;
        for (auto const& name : names) folders.push_back(co_await make(*session, name));
        for (auto const& folder : folders) need(co_await session->position(folder));
        std::optional<Result<transport::StoreResult>> outcomes[2];
        std::size_t asked[2] = {};
        Beside stores(executor());
        auto const store = [&](std::size_t which) -> awaitable<void> {
            outcomes[which] = co_await session->store(folders[which], items_of(groups[which]),
                                                      commit(asked[which]));
        };
        arm();
        for (std::size_t which = 0; which < 2; ++which) stores.start(store(which));
        co_await stores.join();
        mend();
        auto const atomic = session->capabilities().atomic_groups;
        co_await session->close();
        co_await settle();
        for (std::size_t which = 0; which < 2; ++which) {
            EXPECT_LE(asked[which], 1U);
            expect_truth(names[which], groups[which], *outcomes[which], atomic);
            service_->remove_folder(Side::target, names[which]);
        }
    };
    for (bool const stays : {false, true}) cut_at_every_step(attempt, stays);
}

INSTANTIATE_TEST_SUITE_P(Services, CutContract, testing::Values("imap", "graph"), service_name);

}  // namespace
}  // namespace mailferry::contract
