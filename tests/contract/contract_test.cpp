#include "tests/contract/contract_test.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace mailferry::contract {

namespace {

constexpr std::chrono::seconds test_limit{60};
/// Within it everything ends that a closed session has left.
constexpr int settle_turns = 20;

std::int64_t next_date() {
    static std::int64_t date = 1'600'000'000;
    return date += 61;
}

}  // namespace

bool is_passing(Errc code) {
    auto const disposition = disposition_of(code);
    return disposition == Disposition::retry_now || disposition == Disposition::retry_later;
}

void Trigger::tick() {
    if (steps_++ != fire_at_) return;
    fired_ = true;
    // As the engine does it: from outside of whatever is running now.
    asio::post(executor_, [signal = signal_] { signal->emit(asio::cancellation_type::terminal); });
}

void Beside::start(awaitable<void> call) {
    ++running_;
    asio::co_spawn(executor_, std::move(call), [this](std::exception_ptr exception) {
        --running_;
        if (exception && !thrown_) thrown_ = exception;
        ended_.notify_all();
    });
}

awaitable<void> Beside::join() {
    while (running_ > 0) co_await ended_.wait();
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void ContractTest::SetUp() {
    service_ = make_service(GetParam());
    if (!service_) GTEST_SKIP() << "no server was named: see tests/integration/test_contract.py";
    relay_ = std::make_unique<Relay>(executor(), service_->upstream());
}

void ContractTest::TearDown() {
    if (!service_) return;
    service_->relent(*relay_);
    relay_->end();
    context_.restart();
    context_.poll();
    for (auto& connector : connectors_) connector.reset();
}

void ContractTest::run(std::function<awaitable<void>()> body) {
    bool done = false;
    std::string thrown;
    asio::co_spawn(context_, body(), [&](std::exception_ptr exception) {
        done = true;
        try {
            if (exception) std::rethrow_exception(exception);
        } catch (std::exception const& error) {
            thrown = error.what();
        }
    });
    context_.restart();
    auto const end = std::chrono::steady_clock::now() + test_limit;
    while (!done && std::chrono::steady_clock::now() < end)
        context_.run_one_for(std::chrono::seconds(1));
    EXPECT_EQ(thrown, "");
    if (!done) {
        // Nothing of this test may be touched by what still waits: there is no way back.
        ADD_FAILURE() << "a call never came back";
        relay_->end();
        context_.restart();
        context_.run_for(std::chrono::seconds(2));
    }
}

awaitable<void> ContractTest::settle() {
    for (int turn = 0; turn < settle_turns; ++turn)
        co_await asio::post(executor(), asio::use_awaitable);
}

awaitable<bool> ContractTest::is_cancelled(awaitable<void> call, Trigger& trigger) {
    Event changed(executor());
    bool ended = false;
    std::exception_ptr thrown;
    asio::co_spawn(executor(), std::move(call),
                   asio::bind_cancellation_slot(trigger.slot(), [&](std::exception_ptr exception) {
                       ended = true;
                       thrown = exception;
                       changed.notify_all();
                   }));
    while (!ended) co_await changed.wait();
    if (!thrown) co_return false;
    try {
        std::rethrow_exception(thrown);
    } catch (boost::system::system_error const& error) {
        if (error.code() != asio::error::operation_aborted) throw;
    }
    EXPECT_TRUE(trigger.fired()) << "aborted, and nobody had cancelled";
    co_return true;
}

transport::Connector& ContractTest::connector(Side side) {
    auto& connector = connectors_[side == Side::source ? 0 : 1];
    if (!connector) connector = service_->connector(executor(), side, *relay_, temper_);
    return *connector;
}

void ContractTest::forget_connectors(Temper temper) {
    temper_ = temper;
    for (auto& connector : connectors_) connector.reset();
}

transport::OpenMailbox ContractTest::whom(std::string mailbox) {
    transport::OpenMailbox request;
    request.mailbox = std::move(mailbox);
    return request;
}

awaitable<std::unique_ptr<SourceSession>> ContractTest::open_source() {
    auto session = need(co_await connector(Side::source).connect_source());
    need(co_await session->open(whom(service_->mailbox(Side::source))));
    co_return session;
}

awaitable<std::unique_ptr<TargetSession>> ContractTest::open_target() {
    auto session = need(co_await connector(Side::target).connect_target());
    need(co_await session->open(whom(service_->mailbox(Side::target))));
    co_return session;
}

std::string ContractTest::fresh_name() {
    static int number = 0;
    return "folder " + std::to_string(++number);
}

std::string ContractTest::fresh_folder(Side side) {
    auto name = fresh_name();
    service_->add_folder(side, name);
    return name;
}

std::vector<std::int64_t> ContractTest::fill(std::string const& name, std::size_t count,
                                             std::size_t bytes) {
    std::vector<std::int64_t> dates;
    for (std::size_t n = 0; n < count; ++n) {
        dates.push_back(next_date());
        service_->add_item(Side::source, name, dates.back(), bytes);
    }
    return dates;
}

awaitable<Folder> ContractTest::find(SourceSession& session, std::string name) {
    auto const folders = need(co_await session.folders());
    for (auto const& folder : folders)
        if (folder.path == transport::FolderPath{name}) co_return folder;
    throw std::runtime_error("folders() doesn't tell " + name);
}

awaitable<Folder> ContractTest::make(TargetSession& session, std::string name) {
    Folder wanted;
    wanted.path = {std::move(name)};
    co_return need(co_await session.create_folder(wanted));
}

awaitable<transport::ScanResult> ContractTest::scan(SourceSession& session, Folder folder,
                                                    Listing& listing, std::string since,
                                                    std::uint32_t items_max) {
    listing.begin();
    transport::ScanRequest request;
    request.since_mark = std::move(since);
    request.items_max = items_max;
    for (;;) {
        auto result = need(co_await session.scan(folder, request, listing));
        if (result.next == 0) {
            listing.end(result);
            co_return result;
        }
        EXPECT_GT(result.next, request.from) << "a scan that doesn't get on";
        request.from = result.next;
    }
}

awaitable<std::vector<Copy>> ContractTest::stock(std::size_t count, std::size_t bytes) {
    auto const name = fresh_folder(Side::source);
    fill(name, count, bytes);
    auto const session = co_await open_source();
    auto const folder = co_await find(*session, name);
    Listing listing;
    auto const scanned = co_await scan(*session, folder, listing);
    Receiver receiver;
    need(co_await session->fetch(folder, scanned.generation, listing.refs(), receiver));
    co_await session->close();
    EXPECT_EQ(receiver.items.size(), count);
    std::vector<Copy> copies;
    for (auto const& [date, copy] : receiver.items) copies.push_back(copy);
    co_return copies;
}

awaitable<std::vector<std::int64_t>> ContractTest::listed(TargetSession& session, Folder folder,
                                                          transport::ListRequest request) {
    std::vector<std::int64_t> dates;
    auto const found = [&dates](transport::FoundItem item) {
        dates.push_back(item.meta.received.unix_seconds);
    };
    auto const generation = need(co_await session.list(folder, request, found));
    EXPECT_NE(generation, "");
    std::sort(dates.begin(), dates.end());
    co_return dates;
}

void ContractTest::expect_truth(std::string const& folder, std::vector<Copy> const& copies,
                                Result<transport::StoreResult> const& outcome, bool atomic_groups) {
    std::map<std::int64_t, int> present;
    for (auto const date : service_->items_in(Side::target, folder)) ++present[date];
    for (auto const& [date, count] : present) EXPECT_EQ(count, 1) << date << " is there twice";
    if (!outcome && outcome.error().code != Errc::doubtful) {
        EXPECT_TRUE(present.empty()) << "there, after " << outcome.error().describe();
        return;
    }
    if (!outcome) {
        if (atomic_groups) {
            EXPECT_TRUE(present.empty() || present.size() == copies.size());
        }
        for (std::size_t n = 0; n < copies.size(); ++n)
            EXPECT_EQ(present.contains(copies[n].meta.received.unix_seconds), n < present.size())
                << "no prefix of the group is there";
        return;
    }
    EXPECT_EQ(outcome->items.size(), copies.size());
    if (outcome->items.size() != copies.size()) return;
    for (std::size_t n = 0; n < copies.size(); ++n) {
        auto const& refused = outcome->items[n].refused;
        if (refused && refused->code == Errc::doubtful) continue;
        EXPECT_EQ(present.contains(copies[n].meta.received.unix_seconds), !refused)
            << (refused ? refused->describe() : std::string("stored"));
    }
}

std::vector<std::int64_t> dates_of(std::vector<Copy> const& copies) {
    std::vector<std::int64_t> dates;
    for (auto const& copy : copies) dates.push_back(copy.meta.received.unix_seconds);
    return dates;
}

}  // namespace mailferry::contract
