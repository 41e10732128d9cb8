#include "tests/contract/contract_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

namespace mailferry::contract {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

constexpr std::size_t small_bytes = 2'000;

/// What the kernel alone keeps for a reader who doesn't read.
std::size_t kernel_bytes_max() {
    std::ifstream file("/proc/sys/net/ipv4/tcp_rmem");
    std::size_t least = 0, usual = 0, most = 0;
    file >> least >> usual >> most;
    EXPECT_GT(most, 0U);
    return most;
}

class FetchContract : public ContractTest {};

TEST_P(FetchContract, AFetchDeliversEveryItemWhole) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 9, 30'000);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const folder = co_await find(*session, name);
        Listing listing;
        auto const scanned = co_await scan(*session, folder, listing);
        Receiver first, second;
        need(co_await session->fetch(folder, scanned.generation, listing.refs(), first));
        need(co_await session->fetch(folder, scanned.generation, listing.refs(), second));
        EXPECT_THAT(first.dates(), ElementsAreArray(dates));
        EXPECT_THAT(first.failures, IsEmpty());
        for (auto const& [date, copy] : first.items) {
            EXPECT_GT(copy.bytes.size(), 20'000U);
            EXPECT_EQ(copy.bytes, second.items[date].bytes);
        }
        Receiver none;
        need(co_await session->fetch(folder, scanned.generation, {}, none));
        EXPECT_THAT(none.items, IsEmpty());
        co_await session->close();
    });
}

TEST_P(FetchContract, SeveralFetchesAreUnderWayAtOnce) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 12, 30'000);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const folder = co_await find(*session, name);
        Listing listing;
        auto const scanned = co_await scan(*session, folder, listing);
        auto const refs = listing.refs();
        Receiver receivers[4];
        Beside fetches(executor());
        auto const fetch = [&](std::size_t which) -> awaitable<void> {
            std::vector<ItemRef> part(refs.begin() + static_cast<std::ptrdiff_t>(which * 3),
                                      refs.begin() + static_cast<std::ptrdiff_t>(which * 3 + 3));
            need(co_await session->fetch(folder, scanned.generation, part, receivers[which]));
        };
        for (std::size_t which = 0; which < 4; ++which) fetches.start(fetch(which));
        co_await fetches.join();
        std::vector<std::int64_t> delivered;
        for (auto const& receiver : receivers) {
            EXPECT_EQ(receiver.items.size(), 3U);
            for (auto const date : receiver.dates()) delivered.push_back(date);
        }
        std::sort(delivered.begin(), delivered.end());
        EXPECT_THAT(delivered, ElementsAreArray(dates));
        co_await session->close();
    });
}

TEST_P(FetchContract, AnItemThatVanishedIsSimplyNotDelivered) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 5, small_bytes);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const folder = co_await find(*session, name);
        Listing listing;
        auto const scanned = co_await scan(*session, folder, listing);
        service_->remove_item(Side::source, name, dates[1]);
        service_->remove_item(Side::source, name, dates[4]);
        Receiver receiver;
        need(co_await session->fetch(folder, scanned.generation, listing.refs(), receiver));
        EXPECT_THAT(receiver.dates(), ElementsAre(dates[0], dates[2], dates[3]));
        EXPECT_THAT(receiver.failures, IsEmpty());
        co_await session->close();
    });
}

TEST_P(FetchContract, AnotherGenerationMeansThatTheFolderWasReplaced) {
    auto const name = fresh_folder(Side::source);
    fill(name, 2, small_bytes);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const folder = co_await find(*session, name);
        Listing listing;
        auto const scanned = co_await scan(*session, folder, listing);
        Receiver receiver;
        auto const fetched =
            co_await session->fetch(folder, scanned.generation + "1", listing.refs(), receiver);
        EXPECT_FALSE(fetched);
        if (!fetched) {
            EXPECT_EQ(fetched.error().code, Errc::folder_replaced) << fetched.error().describe();
        }
        EXPECT_THAT(receiver.items, IsEmpty());
        need(co_await session->ping());
        co_await session->close();
    });
}

// Numbers and names of the old folder must not lead to items of the new one.
TEST_P(FetchContract, AFolderOfTheSameNameIsAnotherFolder) {
    auto const name = fresh_folder(Side::source);
    fill(name, 4, small_bytes);
    run([&]() -> awaitable<void> {
        auto session = co_await open_source();
        auto const folder = co_await find(*session, name);
        Listing listing;
        auto const scanned = co_await scan(*session, folder, listing);
        co_await session->close();
        service_->remove_folder(Side::source, name);
        service_->add_folder(Side::source, name);
        auto const dates = fill(name, 4, small_bytes);

        session = co_await open_source();
        Receiver receiver;
        auto const fetched =
            co_await session->fetch(folder, scanned.generation, listing.refs(), receiver);
        EXPECT_THAT(receiver.items, IsEmpty());
        if (!fetched) {
            EXPECT_THAT(fetched.error().code,
                        AnyOf(Errc::folder_replaced, Errc::folder_unreadable));
        }
        Listing anew;
        auto const present = co_await find(*session, name);
        // Where the server names its folders, the mark is another folder's.
        auto const mark = present.id == folder.id ? scanned.mark : std::string();
        auto const again = co_await scan(*session, present, anew, mark);
        EXPECT_TRUE(again.complete);
        EXPECT_THAT(anew.dates(), ElementsAreArray(dates));
        EXPECT_TRUE(present.id != folder.id || again.generation != scanned.generation);
        co_await session->close();
    });
}

TEST_P(FetchContract, TheReceiversErrorEndsTheFetch) {
    auto const name = fresh_folder(Side::source);
    fill(name, 6, 30'000);
    run([&]() -> awaitable<void> {
        Listing listing;
        // In its first call, in one in the midst of things, and in each around an item's end.
        for (std::size_t fail_at = 0; fail_at < 8; ++fail_at) {
            auto const session = co_await open_source();
            auto const folder = co_await find(*session, name);
            auto const scanned = co_await scan(*session, folder, listing);
            Receiver receiver;
            std::size_t steps = 0;
            receiver.on_step = [&]() -> awaitable<Result<void>> {
                EXPECT_LE(steps, fail_at) << "the receiver was asked again";
                if (steps++ < fail_at) co_return Result<void>{};
                co_return Error{Errc::disk_full, "the test's disk"};
            };
            auto const fetched =
                co_await session->fetch(folder, scanned.generation, listing.refs(), receiver);
            EXPECT_FALSE(fetched);
            if (!fetched) {
                EXPECT_EQ(fetched.error().code, Errc::disk_full) << fetched.error().describe();
            }
            EXPECT_EQ(steps, fail_at + 1);
            co_await session->close();
        }
    });
}

// Goal: whoever doesn't take bytes holds up the server. Method: a large item, a receiver that
// doesn't return, and a look at what has come through the relay by the time it moves no more.
TEST_P(FetchContract, AReceiverThatPausesStopsTheStreamAndResumesIt) {
    auto const item_bytes = kernel_bytes_max() + 16'000'000;
    auto const name = fresh_folder(Side::source);
    auto const date = fill(name, 1, item_bytes).front();
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const folder = co_await find(*session, name);
        Listing listing;
        auto const scanned = co_await scan(*session, folder, listing);
        Receiver unhindered;
        need(co_await session->fetch(folder, scanned.generation, listing.refs(), unhindered));

        Receiver receiver;
        Event resumed(executor());
        std::size_t steps = 0;
        receiver.on_step = [&]() -> awaitable<Result<void>> {
            if (++steps == 3) co_await resumed.wait();
            co_return Result<void>{};
        };
        auto const before = relay_->bytes_to_client();
        Beside fetches(executor());
        auto const fetch = [&]() -> awaitable<void> {
            need(co_await session->fetch(folder, scanned.generation, listing.refs(), receiver));
        };
        fetches.start(fetch());
        auto passed = before;
        for (int quiet = 0; quiet < 4;) {
            asio::steady_timer timer(executor(), std::chrono::milliseconds(50));
            co_await timer.async_wait(asio::use_awaitable);
            quiet = steps >= 3 && relay_->bytes_to_client() == passed ? quiet + 1 : 0;
            passed = relay_->bytes_to_client();
        }
        EXPECT_EQ(steps, 3U);
        EXPECT_LT(passed - before, item_bytes / 10 * 9);
        resumed.notify_all();
        co_await fetches.join();
        EXPECT_TRUE(receiver.items[date].bytes == unhindered.items[date].bytes);
        EXPECT_GE(receiver.items[date].bytes.size(), item_bytes / 10 * 9);
        co_await session->close();
    });
}

TEST_P(FetchContract, AStreamThatStallsGoesOn) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 6, 100'000);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const folder = co_await find(*session, name);
        Listing listing;
        auto const scanned = co_await scan(*session, folder, listing);
        std::size_t chunks = 0;
        relay_->on_chunk = [&](Direction) {
            if (++chunks % 10 == 0) {
                relay_->stall();
                auto const pause =
                    std::make_shared<asio::steady_timer>(executor(), std::chrono::milliseconds(20));
                pause->async_wait([this, pause](auto const&) { relay_->resume(); });
            }
            return Relay::Verdict::pass;
        };
        Receiver receiver;
        need(co_await session->fetch(folder, scanned.generation, listing.refs(), receiver));
        relay_->on_chunk = nullptr;
        EXPECT_THAT(receiver.dates(), ElementsAreArray(dates));
        EXPECT_GE(chunks, 10U);
        co_await session->close();
    });
}

INSTANTIATE_TEST_SUITE_P(Services, FetchContract, testing::Values("imap", "graph"), service_name);

}  // namespace
}  // namespace mailferry::contract
