#include "tests/contract/contract_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace mailferry::contract {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::IsSupersetOf;

constexpr std::size_t small_bytes = 2'000;

class SourceContract : public ContractTest {};

TEST_P(SourceContract, AnUnknownMailboxIsRefusedAndAnotherOpens) {
    run([&]() -> awaitable<void> {
        auto session = need(co_await connector(Side::source).connect_source());
        auto const refused = co_await session->open(whom(service_->unknown_mailbox(Side::source)));
        EXPECT_FALSE(refused);
        if (!refused) {
            EXPECT_EQ(refused.error().code, Errc::mailbox_refused) << refused.error().describe();
        }
        // A protocol may end the connection with a refusal; then the session says so.
        if (!session->alive()) {
            co_await session->close();
            session = need(co_await connector(Side::source).connect_source());
        }
        need(co_await session->open(whom(service_->mailbox(Side::source))));
        EXPECT_FALSE(need(co_await session->folders()).empty());
        co_await session->close();
    });
}

TEST_P(SourceContract, OneSessionActsForOneMailboxAfterTheOther) {
    auto const name = fresh_folder(Side::source);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const identity = session->mailbox_identity();
        co_await find(*session, name);
        need(co_await session->open(whom(service_->other_mailbox(Side::source))));
        auto const other = session->mailbox_identity();
        auto const elsewhere = need(co_await session->folders());
        for (auto const& folder : elsewhere) EXPECT_NE(folder.path.front(), name);
        need(co_await session->open(whom(service_->mailbox(Side::source))));
        co_await find(*session, name);
        EXPECT_EQ(session->mailbox_identity(), identity);
        if (!identity.empty()) {
            EXPECT_NE(other, identity);
        }
        EXPECT_THAT(need(co_await session->obstacles()), IsEmpty());
        co_await session->close();
    });
}

TEST_P(SourceContract, FoldersTellPathKindAndRole) {
    auto const name = fresh_folder(Side::source);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const folders = need(co_await session->folders());
        std::size_t inboxes = 0;
        for (auto const& folder : folders) {
            EXPECT_NE(folder.id, "");
            EXPECT_FALSE(folder.path.empty());
            inboxes += folder.role == transport::FolderRole::inbox;
            auto const same =
                std::count_if(folders.begin(), folders.end(),
                              [&](Folder const& other) { return other.path == folder.path; });
            EXPECT_EQ(same, 1) << transport::display(folder.path);
        }
        EXPECT_EQ(inboxes, 1U);
        auto const own = co_await find(*session, name);
        EXPECT_EQ(own.kind, transport::ItemKind::mail);
        EXPECT_EQ(own.role, transport::FolderRole::none);
        EXPECT_TRUE(own.holds_items);
        co_await session->close();
    });
}

// Goal: a mark is enough to know what a folder holds. Method: the listing is kept up by scans since
// the mark only, and has to equal what is there.
TEST_P(SourceContract, AScanSinceAMarkTellsWhatChanged) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 12, small_bytes);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto folder = co_await find(*session, name);
        EXPECT_EQ(folder.items, 12U);
        Listing listing;
        auto const whole = co_await scan(*session, folder, listing);
        EXPECT_TRUE(whole.complete);
        EXPECT_THAT(listing.dates(), ElementsAreArray(dates));

        auto const unchanged = co_await scan(*session, folder, listing, whole.mark);
        EXPECT_FALSE(unchanged.complete);
        EXPECT_THAT(listing.dates_listed(), IsEmpty());
        EXPECT_EQ(unchanged.generation, whole.generation);

        service_->remove_item(Side::source, name, dates[3]);
        service_->change_item(Side::source, name, dates[7]);
        auto const added = fill(name, 1, small_bytes).front();
        folder = co_await find(*session, name);
        auto const changes = co_await scan(*session, folder, listing, unchanged.mark);
        EXPECT_FALSE(changes.complete);
        EXPECT_THAT(listing.dates_listed(), ElementsAre(dates[7], added));
        EXPECT_EQ(listing.dates(), service_->items_in(Side::source, name));
        co_await session->close();

        // Marks outlive sessions.
        auto const later = co_await open_source();
        service_->remove_item(Side::source, name, dates[0]);
        auto const last = co_await scan(*later, co_await find(*later, name), listing, changes.mark);
        EXPECT_EQ(listing.dates(), service_->items_in(Side::source, name));
        EXPECT_NE(last.mark, "");
        co_await later->close();
    });
}

TEST_P(SourceContract, AMarkThatTheServerForgotLosesNothing) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 5, small_bytes);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const folder = co_await find(*session, name);
        Listing listing;
        auto const whole = co_await scan(*session, folder, listing);
        service_->remove_item(Side::source, name, dates[2]);
        fill(name, 1, small_bytes);
        service_->forget_marks(Side::source);
        auto const again = co_await scan(*session, folder, listing, whole.mark);
        EXPECT_EQ(listing.dates(), service_->items_in(Side::source, name));
        EXPECT_NE(again.mark, whole.mark);
        co_await session->close();
    });
}

TEST_P(SourceContract, AScanInPartsTellsEverything) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 20, small_bytes);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const folder = co_await find(*session, name);
        Listing listing;
        auto const result = co_await scan(*session, folder, listing, {}, 6);
        EXPECT_TRUE(result.complete);
        EXPECT_THAT(listing.dates(), ElementsAreArray(dates));

        // What comes between two parts is told by the parts or since the mark.
        listing.begin();
        transport::ScanRequest request;
        request.items_max = 6;
        auto part = need(co_await session->scan(folder, request, listing));
        EXPECT_NE(part.next, 0U);
        auto const added = fill(name, 2, small_bytes);
        service_->change_item(Side::source, name, dates[1]);
        while (part.next != 0) {
            request.from = part.next;
            part = need(co_await session->scan(folder, request, listing));
        }
        listing.end(part);
        co_await scan(*session, folder, listing, part.mark);
        EXPECT_EQ(listing.dates(), service_->items_in(Side::source, name));
        EXPECT_THAT(listing.dates_listed(), IsSupersetOf({dates[1]}));
        co_await session->close();
    });
}

TEST_P(SourceContract, AWindowIsAHint) {
    auto const name = fresh_folder(Side::source);
    auto const dates = fill(name, 6, small_bytes);
    run([&]() -> awaitable<void> {
        auto const session = co_await open_source();
        auto const folder = co_await find(*session, name);
        Listing listing;
        listing.begin();
        transport::ScanRequest request;
        request.window.since = dates[2];
        request.window.before = dates[4];
        auto const result = need(co_await session->scan(folder, request, listing));
        EXPECT_EQ(result.next, 0U);
        EXPECT_THAT(listing.dates_listed(), IsSupersetOf({dates[2], dates[3]}));
        co_await session->close();
    });
}

TEST_P(SourceContract, AFolderThatVanishedIsSkipped) {
    auto const name = fresh_folder(Side::source);
    auto const neighbour = fresh_folder(Side::source);
    fill(name, 3, small_bytes);
    auto const dates = fill(neighbour, 2, small_bytes);
    run([&]() -> awaitable<void> {
        auto session = co_await open_source();
        auto const folder = co_await find(*session, name);
        auto const other = co_await find(*session, neighbour);
        Listing listing;
        auto const scanned = co_await scan(*session, folder, listing);
        co_await session->close();
        service_->remove_folder(Side::source, name);

        session = co_await open_source();
        Listing nothing;
        nothing.begin();
        transport::ScanRequest request;
        auto const refused = co_await session->scan(folder, request, nothing);
        EXPECT_EQ(disposition_of_failure(refused), Disposition::skip_folder)
            << (refused ? std::string() : refused.error().describe());
        request.since_mark = scanned.mark;
        auto const since = co_await session->scan(folder, request, nothing);
        EXPECT_EQ(disposition_of_failure(since), Disposition::skip_folder);
        Receiver receiver;
        auto const fetched =
            co_await session->fetch(folder, scanned.generation, listing.refs(), receiver);
        EXPECT_THAT(receiver.items, IsEmpty());
        if (!fetched) {
            EXPECT_EQ(disposition_of(fetched.error().code), Disposition::skip_folder)
                << fetched.error().describe();
        }
        // Its neighbours can be read.
        Listing others;
        co_await scan(*session, other, others);
        EXPECT_THAT(others.dates(), ElementsAreArray(dates));
        co_await session->close();
    });
}

// Under the session's hands, while the folder is the one that it reads.
TEST_P(SourceContract, AFolderThatVanishesWhileItIsOpenCostsNoOtherFolder) {
    auto const name = fresh_folder(Side::source);
    auto const neighbour = fresh_folder(Side::source);
    fill(name, 3, small_bytes);
    auto const dates = fill(neighbour, 2, small_bytes);
    run([&]() -> awaitable<void> {
        auto session = co_await open_source();
        auto const folder = co_await find(*session, name);
        auto const other = co_await find(*session, neighbour);
        Listing listing;
        auto const scanned = co_await scan(*session, folder, listing);
        service_->remove_folder(Side::source, name);
        Receiver receiver;
        auto const fetched =
            co_await session->fetch(folder, scanned.generation, listing.refs(), receiver);
        EXPECT_THAT(receiver.items, IsEmpty());
        // A server may end the connection of whoever had it open: then the session says so.
        if (!session->alive()) {
            EXPECT_FALSE(fetched);
            co_await session->close();
            session = co_await open_source();
        }
        Listing others;
        co_await scan(*session, other, others);
        EXPECT_THAT(others.dates(), ElementsAreArray(dates));
        co_await session->close();
    });
}

INSTANTIATE_TEST_SUITE_P(Services, SourceContract, testing::Values("imap", "graph"), service_name);

}  // namespace
}  // namespace mailferry::contract
