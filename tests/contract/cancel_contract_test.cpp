// Cancellation ends a session and nothing else: whatever was under way, the call comes back,
// close() works, nobody is called any more, and the next session of the same connector is as good
// as new.

#include "tests/contract/contract_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace mailferry::contract {
namespace {

using testing::IsEmpty;

constexpr std::size_t steps_max = 2'000;

class CancelContract : public ContractTest {
protected:
    /// One run of a call that is cancelled at a step; whether the step came.
    using Attempt = std::function<awaitable<void>(Trigger& trigger)>;

    /// Step 0 is before anything has moved, the others are chunks that pass the relay, or what the
    /// attempt itself ticks for. Ends with a run that nobody cancels.
    void cancel_at_every_step(Attempt attempt, bool by_chunks = true) {
        relay_->chunk_bytes = 4'096;
        std::size_t step = 0;
        for (bool fired = true; fired && !HasFailure(); ++step) {
            ASSERT_LT(step, steps_max) << "the run must end without a cancellation at some point";
            SCOPED_TRACE(testing::Message() << "step=" << step);
            Trigger trigger(executor(), step);
            run([&]() -> awaitable<void> {
                chunks_trigger_ = by_chunks ? &trigger : nullptr;
                co_await attempt(trigger);
                disarm();
                co_await settle();
            });
            disarm();
            fired = trigger.fired();
        }
        EXPECT_GT(step, 1U);
        RecordProperty("steps", std::to_string(step));
    }

    /// From here on chunks count.
    void arm() {
        if (chunks_trigger_ == nullptr) return;
        chunks_trigger_->tick();
        relay_->on_chunk = [trigger = chunks_trigger_](Direction) {
            trigger->tick();
            return Relay::Verdict::pass;
        };
    }
    void disarm() { relay_->on_chunk = nullptr; }

    template <class Session>
    awaitable<void> end(std::unique_ptr<Session> session) {
        disarm();
        co_await session->close();
        session.reset();
        co_await settle();
    }

    /// Cancels a call that a session answers at each of its steps.
    void cancel_source(std::function<awaitable<void>(SourceSession&)> call) {
        cancel_at_every_step([&](Trigger& trigger) -> awaitable<void> {
            auto session = co_await open_source();
            arm();
            co_await is_cancelled(call(*session), trigger);
            co_await end(std::move(session));
        });
    }
    void cancel_target(std::function<awaitable<void>(TargetSession&)> call) {
        cancel_at_every_step([&](Trigger& trigger) -> awaitable<void> {
            auto session = co_await open_target();
            arm();
            co_await is_cancelled(call(*session), trigger);
            co_await end(std::move(session));
        });
    }

    /// A folder with items, listed.
    awaitable<void> list_source(std::string name) {
        auto const session = co_await open_source();
        folder_ = co_await find(*session, name);
        scanned_ = co_await scan(*session, folder_, listing_);
        co_await session->close();
    }

    Trigger* chunks_trigger_ = nullptr;
    Folder folder_;
    Listing listing_;
    transport::ScanResult scanned_;
};

TEST_P(CancelContract, ConnectingAndOpeningASource) {
    cancel_at_every_step([&](Trigger& trigger) -> awaitable<void> {
        forget_connectors();
        std::unique_ptr<SourceSession> session;
        auto const call = [&]() -> awaitable<void> {
            session = need(co_await connector(Side::source).connect_source());
            need(co_await session->open(whom(service_->mailbox(Side::source))));
        };
        arm();
        co_await is_cancelled(call(), trigger);
        disarm();
        // The connector itself isn't hurt by what its sessions went through.
        co_await end(co_await open_source());
        if (session) co_await end(std::move(session));
    });
}

TEST_P(CancelContract, ConnectingAndOpeningATarget) {
    cancel_at_every_step([&](Trigger& trigger) -> awaitable<void> {
        forget_connectors();
        std::unique_ptr<TargetSession> session;
        auto const call = [&]() -> awaitable<void> {
            session = need(co_await connector(Side::target).connect_target());
            need(co_await session->open(whom(service_->mailbox(Side::target))));
        };
        arm();
        co_await is_cancelled(call(), trigger);
        disarm();
        co_await end(co_await open_target());
        if (session) co_await end(std::move(session));
    });
}

TEST_P(CancelContract, Folders) {
    cancel_source(
        [](SourceSession& session) -> awaitable<void> { need(co_await session.folders()); });
}

TEST_P(CancelContract, SwitchingToAnotherMailbox) {
    cancel_source([this](SourceSession& session) -> awaitable<void> {
        need(co_await session.open(whom(service_->other_mailbox(Side::source))));
    });
}

TEST_P(CancelContract, PingAndClose) {
    cancel_source([](SourceSession& session) -> awaitable<void> {
        need(co_await session.ping());
        co_await session.close();
    });
}

TEST_P(CancelContract, Scan) {
    auto const name = fresh_folder(Side::source);
    fill(name, 30, 1'000);
    run([&]() -> awaitable<void> { co_await list_source(name); });
    auto const dates = listing_.dates();
    fill(name, 2, 1'000);
    cancel_source([&](SourceSession& session) -> awaitable<void> {
        Listing listing;
        co_await scan(session, folder_, listing);
        EXPECT_EQ(listing.dates().size(), dates.size() + 2);
        co_await scan(session, folder_, listing_, scanned_.mark);
    });
}

TEST_P(CancelContract, FetchByChunks) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 5, 20'000);
    run([&]() -> awaitable<void> { co_await list_source(name); });
    cancel_at_every_step([&](Trigger& trigger) -> awaitable<void> {
        auto session = co_await open_source();
        Receiver receiver;
        auto const call = [&]() -> awaitable<void> {
            need(co_await session->fetch(folder_, scanned_.generation, listing_.refs(), receiver));
            EXPECT_EQ(receiver.dates(), dates);
        };
        arm();
        co_await is_cancelled(call(), trigger);
        receiver.close();
        co_await end(std::move(session));
    });
}

// While the receiver runs: it is called from deep inside the connector and may be where the
// cancellation strikes.
TEST_P(CancelContract, FetchByCallbacks) {
    auto const name = fresh_folder(Side::source);
    fill(name, 4, 20'000);
    run([&]() -> awaitable<void> { co_await list_source(name); });
    for (bool const waits : {false, true}) {
        auto const attempt = [&](Trigger& trigger) -> awaitable<void> {
            auto session = co_await open_source();
            Receiver receiver;
            receiver.on_step = [&]() -> awaitable<Result<void>> {
                trigger.tick();
                if (waits) co_await settle();
                co_return Result<void>{};
            };
            auto const call = [&]() -> awaitable<void> {
                need(co_await session->fetch(folder_, scanned_.generation, listing_.refs(),
                                             receiver));
            };
            co_await is_cancelled(call(), trigger);
            receiver.close();
            co_await end(std::move(session));
        };
        cancel_at_every_step(attempt, false);
    }
}

// Of several fetches one is cancelled: the others end, one way or the other.
TEST_P(CancelContract, OneOfSeveralFetches) {
    auto const name = fresh_folder(Side::source);
    fill(name, 6, 20'000);
    run([&]() -> awaitable<void> { co_await list_source(name); });
    cancel_at_every_step([&](Trigger& trigger) -> awaitable<void> {
        auto session = co_await open_source();
        auto const refs = listing_.refs();
        std::vector<ItemRef> const front(refs.begin(), refs.begin() + 3);
        std::vector<ItemRef> const back(refs.begin() + 3, refs.end());
        Receiver first, second;
        Beside beside(executor());
        auto const fetch_other = [&]() -> awaitable<void> {
            auto const fetched =
                co_await session->fetch(folder_, scanned_.generation, back, second);
            if (fetched) {
                EXPECT_EQ(second.items.size(), 3U);
            }
            second.close();
        };
        auto const call = [&]() -> awaitable<void> {
            need(co_await session->fetch(folder_, scanned_.generation, front, first));
        };
        beside.start(fetch_other());
        arm();
        co_await is_cancelled(call(), trigger);
        first.close();
        disarm();
        co_await session->close();
        co_await beside.join();
        co_await end(std::move(session));
    });
}

// Whoever waits for the server's sake can be called off, too.
TEST_P(CancelContract, WaitingUntilTheServerHasTime) {
    auto const name = fresh_folder(Side::source);
    fill(name, 2, 1'000);
    run([&]() -> awaitable<void> {
        co_await list_source(name);
        auto session = co_await open_source();
        service_->put_off(Side::source, *relay_);
        Receiver receiver;
        Trigger trigger(executor(), 0);
        auto const call = [&]() -> awaitable<void> {
            auto const fetched =
                co_await session->fetch(folder_, scanned_.generation, listing_.refs(), receiver);
            EXPECT_FALSE(fetched);
        };
        asio::steady_timer timer(executor(), std::chrono::milliseconds(200));
        timer.async_wait([&](auto const& error) {
            if (!error) trigger.tick();
        });
        co_await is_cancelled(call(), trigger);
        timer.cancel();
        EXPECT_THAT(receiver.items, IsEmpty());
        receiver.close();
        service_->relent(*relay_);
        co_await end(std::move(session));
        Receiver later;
        session = co_await open_source();
        need(co_await session->fetch(folder_, scanned_.generation, listing_.refs(), later));
        EXPECT_EQ(later.items.size(), 2U);
        co_await end(std::move(session));
    });
}

TEST_P(CancelContract, CreateFolder) {
    std::size_t number = 0;
    auto const name = fresh_name();
    cancel_target([&](TargetSession& session) -> awaitable<void> {
        Folder wanted;
        wanted.path = {name, "below " + std::to_string(++number)};
        auto const made = need(co_await session.create_folder(wanted));
        EXPECT_EQ(made.path, wanted.path);
        need(co_await session.position(made));
        need(co_await session.subscribe(made, true));
    });
    run([&]() -> awaitable<void> {
        auto const session = co_await open_target();
        auto const folders = need(co_await session->folders());
        std::size_t parents = 0;
        for (auto const& folder : folders) parents += folder.path == transport::FolderPath{name};
        EXPECT_EQ(parents, 1U);
        co_await session->close();
    });
}

// What a cancelled store() did is in doubt: anything, but nothing twice.
TEST_P(CancelContract, StoreByChunksAndCallbacks) {
    std::vector<Copy> copies;
    run([&]() -> awaitable<void> { copies = co_await stock(5, 20'000); });
    for (bool const by_chunks : {true, false}) {
        auto const attempt = [&](Trigger& trigger) -> awaitable<void> {
            auto const name = fresh_folder(Side::target);
            auto session = co_await open_target();
            auto const folder = co_await make(*session, name);
            need(co_await session->position(folder));
            std::function<void()> tick;
            if (!by_chunks) tick = [&] { trigger.tick(); };
            std::size_t asked = 0;
            std::optional<Result<transport::StoreResult>> outcome;
            auto const call = [&]() -> awaitable<void> {
                outcome = co_await session->store(folder, items_of(copies, tick),
                                                  commit(asked, {}, tick));
            };
            arm();
            auto const cancelled = co_await is_cancelled(call(), trigger);
            auto const atomic = session->capabilities().atomic_groups;
            co_await end(std::move(session));
            EXPECT_LE(asked, 1U);
            if (!cancelled) expect_truth(name, copies, *outcome, atomic);
            auto const there = service_->items_in(Side::target, name);
            EXPECT_TRUE(std::adjacent_find(there.begin(), there.end()) == there.end());
            if (asked == 0) {
                EXPECT_THAT(there, IsEmpty()) << "stored, and before_commit wasn't asked";
            }
            service_->remove_folder(Side::target, name);
        };
        cancel_at_every_step(attempt, by_chunks);
    }
}

// Of two stores one is cancelled: the other's outcome is the truth.
TEST_P(CancelContract, OneOfTwoStores) {
    std::vector<Copy> copies;
    run([&]() -> awaitable<void> { copies = co_await stock(4, 9'000); });
    std::vector<Copy> const group(copies.begin(), copies.begin() + 2);
    std::vector<Copy> const other_group(copies.begin() + 2, copies.end());
    cancel_at_every_step([&](Trigger& trigger) -> awaitable<void> {
        auto const name = fresh_folder(Side::target);
        auto const other_name = fresh_folder(Side::target);
        auto session = co_await open_target();
        auto const folder = co_await make(*session, name);
        auto const other = co_await make(*session, other_name);
        need(co_await session->position(folder));
        need(co_await session->position(other));
        std::size_t asked = 0, other_asked = 0;
        std::optional<Result<transport::StoreResult>> outcome;
        Beside beside(executor());
        auto const store_other = [&]() -> awaitable<void> {
            outcome = co_await session->store(other, items_of(other_group), commit(other_asked));
        };
        auto const call = [&]() -> awaitable<void> {
            (void)co_await session->store(folder, items_of(group), commit(asked));
        };
        arm();
        beside.start(store_other());
        co_await is_cancelled(call(), trigger);
        disarm();
        auto const atomic = session->capabilities().atomic_groups;
        co_await session->close();
        co_await beside.join();
        co_await end(std::move(session));
        EXPECT_LE(other_asked, 1U);
        expect_truth(other_name, other_group, *outcome, atomic);
        auto const there = service_->items_in(Side::target, name);
        EXPECT_TRUE(std::adjacent_find(there.begin(), there.end()) == there.end());
        service_->remove_folder(Side::target, name);
        service_->remove_folder(Side::target, other_name);
    });
}

TEST_P(CancelContract, ListAndReadBack) {
    auto const name = fresh_folder(Side::target);
    Folder folder;
    std::vector<Copy> copies;
    Listing listing;
    run([&]() -> awaitable<void> {
        copies = co_await stock(4, 5'000);
        auto const session = co_await open_target();
        folder = co_await make(*session, name);
        std::size_t asked = 0;
        need(co_await session->store(folder, items_of(copies), commit(asked)));
        auto const take = [&listing](transport::FoundItem item) { listing.item(item.meta); };
        transport::ListRequest const everything;
        need(co_await session->list(folder, everything, take));
        co_await session->close();
    });
    cancel_target([&](TargetSession& session) -> awaitable<void> {
        transport::ListRequest request;
        EXPECT_EQ(co_await listed(session, folder, request), dates_of(copies));
        request.received = dates_of(copies);
        EXPECT_EQ(co_await listed(session, folder, request), dates_of(copies));
        Receiver receiver;
        need(co_await session.read_back(folder, listing.refs().front(), receiver));
        EXPECT_EQ(receiver.items.size(), 1U);
    });
}

INSTANTIATE_TEST_SUITE_P(Services, CancelContract, testing::Values("imap", "graph"), service_name);

}  // namespace
}  // namespace mailferry::contract
