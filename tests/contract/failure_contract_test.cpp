// Answers that are lost, servers that have no time, sessions that are at their end.

#include "tests/contract/contract_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace mailferry::contract {
namespace {

using testing::AnyOf;
using testing::IsEmpty;

class FailureContract : public ContractTest {
protected:
    void mend() {
        relay_->on_chunk = nullptr;
        relay_->closed = false;
    }
    /// Waits until behind the connector's back `condition` holds.
    awaitable<void> until(std::function<bool()> condition) {
        while (!condition()) {
            asio::steady_timer timer(executor(), std::chrono::milliseconds(5));
            co_await timer.async_wait(asio::use_awaitable);
        }
    }
};

// Goal: after a lost answer nothing is stored again blindly. Method: the server's answer is kept
// back until the server has stored the group, then the connection is cut.
TEST_P(FailureContract, ALostAnswerIsDoubtAndTheListSettlesIt) {
    std::vector<Copy> copies;
    run([&]() -> awaitable<void> { copies = co_await stock(3, 2'500); });
    for (std::size_t const count : {1, 3}) {
        SCOPED_TRACE(testing::Message() << "count=" << count);
        std::vector<Copy> const group(copies.begin(),
                                      copies.begin() + static_cast<std::ptrdiff_t>(count));
        auto const name = fresh_folder(Side::target);
        run([&]() -> awaitable<void> {
            auto session = co_await open_target();
            auto const folder = co_await make(*session, name);
            need(co_await session->position(folder));
            std::size_t asked = 0;
            auto const hold_answers = [&] {
                relay_->on_chunk = [](Direction direction) {
                    return direction == Direction::to_client ? Relay::Verdict::swallow
                                                             : Relay::Verdict::pass;
                };
            };
            std::optional<Result<transport::StoreResult>> outcome;
            Beside stores(executor());
            auto const store = [&]() -> awaitable<void> {
                outcome = co_await session->store(folder, items_of(group),
                                                  commit(asked, {}, hold_answers));
            };
            stores.start(store());
            auto const stored = [&] { return !service_->items_in(Side::target, name).empty(); };
            co_await until(stored);
            relay_->closed = true;
            relay_->cut_all();
            co_await stores.join();
            mend();
            EXPECT_EQ(asked, 1U);
            if (*outcome) {
                EXPECT_TRUE(std::any_of((*outcome)->items.begin(), (*outcome)->items.end(),
                                        [](transport::StoredItem const& item) {
                                            return item.refused &&
                                                   item.refused->code == Errc::doubtful;
                                        }));
            } else {
                EXPECT_EQ(outcome->error().code, Errc::doubtful) << outcome->error().describe();
            }
            expect_truth(name, group, *outcome, session->capabilities().atomic_groups);
            co_await session->close();

            session = co_await open_target();
            auto const again = co_await make(*session, name);
            transport::ListRequest request;
            request.received = dates_of(group);
            auto const found = co_await listed(*session, again, request);
            EXPECT_EQ(found, service_->items_in(Side::target, name));
            // What isn't there is sent again: then everything is there once.
            std::vector<Copy> missing;
            for (auto const& copy : group)
                if (!std::binary_search(found.begin(), found.end(),
                                        copy.meta.received.unix_seconds))
                    missing.push_back(copy);
            if (!missing.empty())
                need(co_await session->store(again, items_of(missing), commit(asked)));
            EXPECT_EQ(service_->items_in(Side::target, name), dates_of(group));
            co_await session->close();
        });
    }
}

TEST_P(FailureContract, AServerWithoutTimeForOpeningIsAskedLater) {
    run([&]() -> awaitable<void> {
        Temper temper;
        temper.attempts_max = 2;
        forget_connectors(temper);
        service_->refuse_opening(Side::source);
        auto session = need(co_await connector(Side::source).connect_source());
        auto const refused = co_await session->open(whom(service_->mailbox(Side::source)));
        EXPECT_FALSE(refused);
        if (!refused) {
            EXPECT_THAT(refused.error().code, AnyOf(Errc::throttled, Errc::unavailable))
                << refused.error().describe();
        }
        co_await session->close();
        service_->relent(*relay_);
        // The places that the tests themselves took are free a little later.
        for (;;) {
            session = need(co_await connector(Side::source).connect_source());
            auto const opened = co_await session->open(whom(service_->mailbox(Side::source)));
            if (opened) break;
            EXPECT_TRUE(is_passing(opened.error().code)) << opened.error().describe();
            co_await session->close();
        }
        need(co_await session->folders());
        co_await session->close();
    });
}

TEST_P(FailureContract, CallsThatArePutOffSayForHowLongAndLoseNothing) {
    auto const name = fresh_folder(Side::target);
    auto const source_name = fresh_folder(Side::source);
    auto const source_dates = fill(source_name, 3, 2'000);
    run([&]() -> awaitable<void> {
        auto const copies = co_await stock(3, 2'500);
        Temper temper;
        temper.attempts_max = 2;
        forget_connectors(temper);
        auto source = co_await open_source();
        auto target = co_await open_target();
        auto const from = co_await find(*source, source_name);
        auto const folder = co_await make(*target, name);
        need(co_await target->position(folder));
        Listing listing;
        auto const scanned = co_await scan(*source, from, listing);

        auto const expect_put_off = [&](Error const& error) {
            EXPECT_THAT(error.code, AnyOf(Errc::throttled, Errc::unavailable)) << error.describe();
            EXPECT_EQ(error.retry_after.has_value(), service_->tells_pause()) << error.describe();
        };
        service_->put_off(Side::source, *relay_);
        Receiver receiver;
        auto const fetched =
            co_await source->fetch(from, scanned.generation, listing.refs(), receiver);
        EXPECT_FALSE(fetched);
        if (!fetched) expect_put_off(fetched.error());
        EXPECT_THAT(receiver.items, IsEmpty());
        EXPECT_THAT(receiver.failures, IsEmpty());
        co_await source->close();
        service_->relent(*relay_);

        if (!target->alive() || !co_await target->ping()) {
            co_await target->close();
            target = co_await open_target();
            need(co_await target->position(folder));
        }
        service_->put_off(Side::target, *relay_);
        std::size_t asked = 0;
        auto const outcome = co_await target->store(folder, items_of(copies), commit(asked));
        EXPECT_FALSE(outcome);
        // Once everything has been sent, no answer is a yes.
        if (!outcome && outcome.error().code != Errc::doubtful) expect_put_off(outcome.error());
        co_await target->close();
        service_->relent(*relay_);
        co_await settle();
        EXPECT_THAT(service_->items_in(Side::target, name), IsEmpty());

        source = co_await open_source();
        Receiver later;
        need(co_await source->fetch(from, scanned.generation, listing.refs(), later));
        EXPECT_EQ(later.dates(), source_dates);
        co_await source->close();
        target = co_await open_target();
        need(co_await target->store(folder, items_of(copies), commit(asked)));
        EXPECT_EQ(service_->items_in(Side::target, name), dates_of(copies));
        co_await target->close();
    });
}

TEST_P(FailureContract, CutEndsWhatIsUnderWay) {
    auto const name = fresh_folder(Side::source);
    fill(name, 3, 200'000);
    auto const target_name = fresh_folder(Side::target);
    run([&]() -> awaitable<void> {
        auto const source = co_await open_source();
        auto const folder = co_await find(*source, name);
        Listing listing;
        auto const scanned = co_await scan(*source, folder, listing);
        Receiver receiver;
        std::size_t steps = 0;
        receiver.on_step = [&]() -> awaitable<Result<void>> {
            if (++steps == 3) source->cut();
            co_return Result<void>{};
        };
        auto const fetched =
            co_await source->fetch(folder, scanned.generation, listing.refs(), receiver);
        EXPECT_FALSE(fetched);
        if (!fetched) {
            EXPECT_EQ(fetched.error().code, Errc::connection_lost) << fetched.error().describe();
        }
        receiver.close();
        EXPECT_FALSE(source->alive());
        auto const pinged = co_await source->ping();
        EXPECT_EQ(disposition_of_failure(pinged), Disposition::retry_now);
        auto const asked_again = co_await source->folders();
        EXPECT_EQ(disposition_of_failure(asked_again), Disposition::retry_now);
        source->cut();
        co_await source->close();
        co_await source->close();

        auto const copies = co_await stock(3, 2'500);
        auto const target = co_await open_target();
        auto const into = co_await make(*target, target_name);
        need(co_await target->position(into));
        std::size_t asked = 0;
        auto const before = commit(asked, {}, [&] { target->cut(); });
        auto const outcome = co_await target->store(into, items_of(copies), before);
        if (!outcome) {
            EXPECT_THAT(outcome.error().code, AnyOf(Errc::connection_lost, Errc::doubtful))
                << outcome.error().describe();
        }
        expect_truth(target_name, copies, outcome, target->capabilities().atomic_groups);
        EXPECT_FALSE(target->alive());
        co_await target->close();
    });
}

TEST_P(FailureContract, ASessionWhosePeerHasGoneIsClosedWithoutAWord) {
    run([&]() -> awaitable<void> {
        auto const source = co_await open_source();
        auto const target = co_await open_target();
        need(co_await source->ping());
        need(co_await target->ping());
        relay_->closed = true;
        relay_->cut_all();
        co_await settle();
        auto const folders = co_await source->folders();
        EXPECT_FALSE(folders);
        if (!folders) {
            EXPECT_TRUE(is_passing(folders.error().code)) << folders.error().describe();
        }
        co_await source->close();
        co_await target->close();
        mend();
        auto const later = co_await open_source();
        need(co_await later->ping());
        co_await later->close();
    });
}

INSTANTIATE_TEST_SUITE_P(Services, FailureContract, testing::Values("imap", "graph"), service_name);

}  // namespace
}  // namespace mailferry::contract
